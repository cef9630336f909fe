"""Write docs/traced-models.md: known models, traced and recorded, and whether the two agree.

    python tools/test_models.py [--only PATTERN] [--count N] [--seed SEED] [--resume]

Half of each model's parameters are frozen, drawn by the seed. Each is traced, recorded and, if it
is small enough, executed, in training and in eval mode. The document is written when all models are
through; exits with 1 if anything differs. Results so far are in build/test-models.jsonl, and
`--resume` takes up from there. timm must be importable; `make test-models` sees to it.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import multiprocessing
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "traced-models.md"
RESULTS = ROOT / "build" / "test-models.jsonl"
sys.path.insert(0, str(ROOT / "tests" / "support"))  # known_models, two_ways

import known_models  # type: ignore[import-not-found]
from two_ways import (  # type: ignore[import-not-found]
    differences,
    executed,
    freeze_half,
    two_ways,
)

from cnnmem.errors import NetworkError

EXECUTED_BELOW = 5 * 10**9  # multiply-accumulates of one image
BATCH = 3
# At least one of each family of timm, and a second of another name.
_TIMM = """
    beit_base_patch16_224 caformer_s18 cait_xxs24_224 coat_tiny coatnet_pico_rw_224
    coatnext_nano_rw_224 convit_tiny convmixer_768_32 convnext_atto convnext_zepto_rms
    convnextv2_atto cpubone_nano crossvit_9_dagger_240 crossvit_tiny_240 cs3darknet_focus_s
    csatv2 cspnext_tiny cspresnext50 darknet17 davit_tiny deepseek_vit_412m
    deit_tiny_patch16_224 densenet121 densenetblur121d dla46x_c dpn48b eca_botnext26ts_256
    eca_nfnet_l0 eca_vovnet39b ecaresnet26t edgenext_xx_small efficientformer_l1
    efficientformerv2_s0 efficientnet_b0 efficientnetv2_rw_t efficientvim_m1 efficientvit_b0
    efficientvit_m0 ese_vovnet19b_slim_dw eva02_tiny_patch14_224 fasternet_t0 fastvit_t8
    fbnetc_100 flexivit_small focalnet_tiny_srf gcvit_xxtiny gemma4_vit_167m gernet_s
    ghostnet_050 ghostnetv3_050 gmixer_12_224 gmlp_ti16_224 halonet_h1 hardcorenas_b hgnet_tiny
    hgnetv2_b0 hiera_tiny_224 hieradet_small hrnet_w18_small iformer_t inception_next_atto
    inception_resnet_v2 inception_v3 inception_v4 lambda_resnet26t lcnet_035 lcnetv2_small
    legacy_seresnet18 legacy_xception levit_128s lowformer_b0 mambaout_femto maxvit_pico_rw_256
    mixer_s32_224 mixnet_s mnasnet_small mobilenetv2_035 mobilenetv3_small_050 mobilenetv5_base
    mobileone_s1 mobilevit_xxs mobilevitv2_050 mvitv2_tiny naflexvit_base_patch16_parfac_gap
    nasnetalarge nest_tiny nextvit_small nf_regnet_b0 nfnet_l0 pit_ti_224 pnasnet5large
    poolformer_s12 poolformerv2_s12 pvt_v2_b0 qwen3_vit_88m rdnet_tiny regnetx_002 regnety_002
    regnetz_005 repghostnet_050 repvgg_a0 repvit_m1 res2next50 resmlp_12_224 resnest14d
    resnet10t resnetblur18 resnetv2_18 resnext50_32x4d rexnet_100 rexnetr_100 sam2_hiera_tiny
    samvit_base_patch16_224 selecsls42 semnasnet_075 sequencer2d_s seresnet18 seresnext26d_32x4d
    shvit_s1 skresnet18 skresnext50_32x4d spnasnet_100 starnet_s050 swiftformer_xs
    swin_tiny_patch4_window7_224 swinv2_cr_tiny_224 swinv2_tiny_window16_256
    tf_mobilenetv3_small_075 tiny_vit_5m_224 tinynet_e tnt_s_legacy_patch16_224 tresnet_m
    twins_svt_small vgg11 visformer_tiny vit_srelpos_small_patch16_224 vit_tiny_patch16_224
    vit_tiny_patch16_dinov3_qkvb vit_tiny_r_s16_p8_224 vitamin_small_224 volo_d1_224 vovnet39a
    wide_resnet50_2 xception41p xcit_nano_12_p8_224
"""
TIMM = tuple(_TIMM.split())
HEADER = """\
# Models traced and recorded

Written by `make test-models` (seed {seed}, torch {torch}, torchvision {torchvision}, timm {timm}).
Three images, half of the parameters frozen. "Agree" means that the traced and the recorded pass
have the same rows in all columns, the same graph and storage, and the same multiply-accumulates of
backward, in training and in eval mode; "executed too" that a real pass has them as well (models
below 5 G MACs per image). Images have an odd size unless the model demands its own. MACs and the
bytes kept for backward are those of the three images in training.

| model | input | followed | rows | parameters | MACs | kept for backward, bytes | agreement |
|---|---|---|---:|---:|---:|---:|---|
"""


@dataclass(frozen=True)
class Result:
    """What came of one model."""

    model: str
    shape: tuple[int, ...]
    why: str  # why it was not traced; empty if it was
    rows: int
    parameters: int
    macs: int
    kept: int | None
    executed: bool
    differences: list[str]

    @property
    def line(self) -> str:
        """The line of the model in the document."""
        followed = f"recorded: {self.why}" if self.why else "traced"
        kept = "not known" if self.kept is None else f"{self.kept:,}"
        ways = (["traced"] if not self.why else []) + ["recorded"]
        agreement = "differs: " + "; ".join(self.differences[:3])
        if not self.differences:
            agreement = "agree, executed too" if self.executed else "agree"
            agreement = "" if len(ways) == 1 and not self.executed else agreement
        return (
            f"| {self.model} | {' x '.join(map(str, self.shape))} | {followed} | {self.rows:,} "
            f"| {self.parameters:,} | {self.macs:,} | {kept} | {agreement} |"
        )


def names() -> list[str]:
    """Return all models, with the task or library before the name."""
    return [*known_models.NAMES, *[f"timm/{name}" for name in TIMM]]


def build(model: str) -> tuple[nn.Module, list[tuple[int, ...]]]:
    """Return a model and the shapes to try: an odd one, then its own."""
    source, name = model.split("/")
    if source == "timm":
        import timm

        with known_models.Undrawn():
            module = timm.create_model(name, pretrained=False)
        _, *own = module.default_cfg["input_size"]
    else:
        module, own = known_models.build(model), known_models.own_size(model)
    *frames, height, width = own
    odd = (*[n - 2 for n in frames], height + 1, width - 31)
    return module, [(BATCH, 3, *odd), (BATCH, 3, *own)]


def check(model: str, seed: str) -> Result:
    """Follow a model in every way that it allows."""
    with quiet():
        module, shapes = build(model)
        freeze_half(module, f"{seed} {model}")
        for shape in shapes[:-1]:
            try:
                return _check(model, module, shape)
            except NetworkError:
                pass  # the model demands its own size
        return _check(model, module, shapes[-1])


def _check(model: str, module: nn.Module, shape: tuple[int, ...]) -> Result:
    found: list[str] = []
    reasons: list[str] = []
    runs = False
    for mode in ("eval", "train"):
        two = two_ways(module, shape, mode)
        graph = two.recorded.graph
        macs = sum(row.macs for row in graph.rows)
        found += [f"{mode}: {each}" for each in two.differences]
        reasons += [two.why]
        runs = macs < BATCH * EXECUTED_BELOW
        if runs:
            judge = executed(module, shape, mode)
            for followed in filter(None, (two.traced, two.recorded)):
                differ = differences(followed, judge)
                found += [f"{mode}, {followed.how} and executed: {each}" for each in differ]
    known = not two.recorded.follower.inexact
    return Result(
        model=model,
        shape=shape,
        why=" and ".join(dict.fromkeys(filter(None, reasons))),
        rows=len(graph.rows),
        parameters=sum(p.numel() for p in module.parameters()),
        macs=macs,
        kept=sum(row.saved for row in graph.rows) if known else None,
        executed=runs,
        differences=found,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what models warn of when they are built and called."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check_all(wanted: Iterable[str], seed: str) -> Iterator[Result]:
    """Check models in two processes, each with one thread; yield them as they are done."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, spawn, torch.set_num_threads, (1,)) as pool:
        waiting = {pool.submit(check, model, seed): model for model in wanted}
        for future in as_completed(waiting):
            try:
                yield future.result()
            except Exception as error:
                text = f"{type(error).__name__}: {error}"[:300]
                yield Result(waiting[future], (), "", 0, 0, 0, None, False, [text])


def load_results() -> dict[str, Result]:
    """Return the results of an earlier run."""
    lines = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    found = [Result(**json.loads(line)) for line in lines]
    return {result.model: result for result in found}


def write(results: dict[str, Result], seed: str) -> None:
    """Write the document."""
    import timm
    import torchvision

    versions = {"torch": torch, "torchvision": torchvision, "timm": timm}
    numbers = {name: package.__version__.split("+")[0] for name, package in versions.items()}
    lines = [results[model].line for model in names()]
    text = HEADER.format(seed=seed, **numbers) + "\n".join(lines) + "\n"
    DOCUMENT.write_text(text, encoding="utf-8")
    print(f"{DOCUMENT.name} written")


def main() -> int:
    """Check the models that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--only", default="*", help="a pattern such as 'timm/*vit*'")
    parser.add_argument("--count", type=int, help="no more than this many models")
    parser.add_argument("--seed", default="1", help="draws the frozen parameters")
    parser.add_argument("--resume", action="store_true", help="keep the results of the last run")
    given = parser.parse_args()
    results = load_results() if given.resume else {}
    if not given.resume:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("", encoding="utf-8")
    wanted = [m for m in names() if m not in results and fnmatch.fnmatch(m, given.only)]
    wanted = wanted[: given.count]
    print(f"{len(wanted)} models, seed {given.seed}")
    started = time.monotonic()
    with RESULTS.open("a", encoding="utf-8") as file:
        for i, result in enumerate(check_all(wanted, given.seed), 1):
            results[result.model] = result
            file.write(json.dumps(asdict(result)) + "\n")
            file.flush()
            print(f"{i:3}  {time.monotonic() - started:4.0f} s  {result.line}", flush=True)
    differing = [result for result in results.values() if result.differences]
    traced = sum(not result.why and bool(result.rows) for result in results.values())
    executed = sum(result.executed for result in results.values())
    print(
        f"{len(results)} models: {traced} traced, {len(results) - traced} recorded only, "
        f"{executed} executed too; {len(differing)} differ"
    )
    if set(results) >= set(names()):
        write(results, given.seed)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
