"""How long counting takes, and how much memory: cnnmem beside other counters, in one run.

    python benchmarks/counters.py [--runs 5] [--write docs/benchmark.md]

Each count runs in a fresh process. Importing the tool and building the model are not timed. The
first count is timed, as a user meets it, and a second one ("again"), when everything is warm. The
rise of memory is the peak resident size during the first count minus the size just before it.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CASES = (
    ("vgg16", 224),
    ("resnet18", 224),
    ("mobilenet_v2", 224),
    ("densenet201", 224),
    ("densenet201", 1024),
)
LARGE = 1000  # at this size tools that execute the model take minutes: one run only
KERAS = {"vgg16": "VGG16", "mobilenet_v2": "MobileNetV2", "densenet201": "DenseNet201"}
COUNTERS = ("torchinfo", "fvcore", "ptflops", "thop", "FlopCounterMode")  # parameters and MACs
RUNNERS = ("torchinfo", "fvcore", "ptflops", "thop")  # those that execute the module
GOAL = 50  # how many times faster a plain count should be than the fastest other tool
# How many times faster a traced count should be than the fastest tool that executes the module.
TRACED = 5
TRACED_DENSENET = 4  # DenseNet-201 at 224, where a layer is little work


def torch_model(name: str) -> Any:
    """Return torchvision's model of that name, with real weights on the CPU."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    import torchvision_shim  # noqa: F401  declares torchvision's operators
    from torchvision import models

    return getattr(models, name)()


def plain(name: str, size: int) -> Callable[[], Any]:
    """Count a plain network with cnnmem."""
    from cnnmem import summary
    from cnnmem.model import zoo

    options = {"variant": "torchvision"} if "torchvision" in zoo.variants(name) else {}
    network = zoo.get(name, **options)
    return lambda: _totals(summary(network, (size, size, 3)))


def _totals(table: Any) -> tuple[int, int, int]:
    return table.params, table.macs, table.saved_bytes


def traced(name: str, size: int) -> Callable[[], Any]:
    """Count a torch module with cnnmem, which traces these models."""
    from cnnmem.frameworks.pytorch import table_of  # the import that `summary` leaves for later

    model = torch_model(name)

    def count() -> Any:
        counted = table_of(model, (1, 3, size, size))
        assert counted.how == "traced", counted.how
        return _totals(counted)

    return count


def recorded(name: str, size: int) -> Callable[[], Any]:
    """Count a torch module with cnnmem as it counts models that it cannot trace."""
    from cnnmem.frameworks.pytorch.follow import LEAVES
    from cnnmem.frameworks.pytorch.run import Run, record

    model = torch_model(name)
    run = Run(model, (1, 3, size, size), None, "float32", "train", None, False, LEAVES)
    return lambda: record(run)


def from_keras(name: str, size: int) -> Callable[[], Any]:
    """Count a Keras model with cnnmem."""
    from cnnmem import summary

    model = _keras_model(name, size)
    return lambda: _totals(summary(model))


def _keras_model(name: str, size: int) -> Any:
    import keras

    from cnnmem.frameworks import keras as models

    return models.without_weights(
        getattr(keras.applications, KERAS[name]), weights=None, input_shape=(size, size, 3)
    )


def keras_summary(name: str, size: int) -> Callable[[], Any]:
    """Print `keras.Model.summary`."""
    model = _keras_model(name, size)
    return lambda: model.summary(print_fn=lambda *a, **k: None)


def torchinfo(name: str, size: int) -> Callable[[], Any]:
    import torchinfo

    model = torch_model(name)
    return lambda: torchinfo.summary(model, (1, 3, size, size), verbose=0).total_mult_adds


def fvcore(name: str, size: int) -> Callable[[], Any]:
    import torch
    from fvcore.nn import FlopCountAnalysis, parameter_count

    model = torch_model(name).eval()

    def count() -> Any:
        image = torch.zeros(1, 3, size, size)
        analysis = FlopCountAnalysis(model, image)
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        return analysis.total(), parameter_count(model)[""]

    return count


def ptflops(name: str, size: int) -> Callable[[], Any]:
    model = torch_model(name)  # first, as ptflops imports torchvision too
    from ptflops import get_model_complexity_info

    return lambda: get_model_complexity_info(
        model, (3, size, size), as_strings=False, print_per_layer_stat=False, backend="pytorch"
    )


def thop(name: str, size: int) -> Callable[[], Any]:
    import torch
    from thop import profile

    model = torch_model(name)
    return lambda: profile(model, inputs=(torch.zeros(1, 3, size, size),), verbose=False)


def torchview(name: str, size: int) -> Callable[[], Any]:
    from torchview import draw_graph

    model = torch_model(name)
    return lambda: draw_graph(model, input_size=(1, 3, size, size), device="meta")


def flop_counter(name: str, size: int) -> Callable[[], Any]:
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.utils.flop_counter import FlopCounterMode

    model = torch_model(name)

    def count() -> Any:
        with FakeTensorMode(allow_non_fake_inputs=True), FlopCounterMode(display=False) as counter:
            model(torch.zeros(1, 3, size, size))
        return counter.get_total_flops(), sum(p.numel() for p in model.parameters())

    return count


def mem_tracker(name: str, size: int) -> Callable[[], Any]:
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed._tools.mem_tracker import MemTracker

    sys.path.insert(0, str(ROOT / "tests" / "support"))
    import torchvision_shim  # noqa: F401
    from torchvision import models

    def count() -> Any:
        with FakeTensorMode():
            model = getattr(models, name)()
            tracker = MemTracker()
            tracker.track_external(model)
            with tracker:
                model(torch.zeros(1, 3, size, size)).sum().backward()
        return tracker.get_tracker_snapshot("peak")

    return count


TOOLS: dict[str, Callable[[str, int], Callable[[], Any]]] = {
    "cnnmem, plain": plain,
    "cnnmem, traced": traced,
    "cnnmem, recorded": recorded,
    "cnnmem, from Keras": from_keras,
    "torchinfo": torchinfo,
    "fvcore": fvcore,
    "ptflops": ptflops,
    "thop": thop,
    "torchview": torchview,
    "FlopCounterMode": flop_counter,
    "MemTracker": mem_tracker,
    "keras.Model.summary": keras_summary,
}
Results = dict[tuple[str, int], dict[str, dict[str, float] | str]]
# What the figures come from.
WHY = (
    "A plain row costs 4 microseconds, with shapes, parameters, MACs and what backward keeps. "
    "A traced call costs 30 to 40 microseconds, a good part of them PyTorch's own calling of "
    "modules and functions, however large image and batch are; no tensor is allocated. Fake "
    "tensors, under which a model is recorded that cannot be traced, cost 0.3 to 0.5 ms per "
    "operation, most of it in PyTorch's dispatch in Python. The other tools' times and memory grow "
    "with image and batch (except on fake tensors), and none of them says what backward keeps.",
)
# What a tool gives: parameters, MACs or FLOPs, bytes kept for backward.
GIVES = {
    "cnnmem, plain": "params, MACs, kept bytes",
    "cnnmem, traced": "params, MACs, kept bytes",
    "cnnmem, recorded": "params, MACs, kept bytes",
    "cnnmem, from Keras": "params, MACs",
    "torchinfo": "params, MACs",
    "fvcore": "params, MACs",
    "ptflops": "params, MACs",
    "thop": "params, MACs",
    "torchview": "shapes",
    "FlopCounterMode": "params, MACs (x 2)",
    "MemTracker": "memory of a step",
    "keras.Model.summary": "params",
}


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {key}; this benchmark needs Linux")


def measure(tool: str, name: str, size: int) -> dict[str, float]:
    """Count twice in this process; return the seconds of both and the rise of memory in bytes."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    warnings.simplefilter("ignore")
    silence = io.StringIO()
    with redirect_stdout(silence), redirect_stderr(silence):
        count = TOOLS[tool](name, size)
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")  # reset the peak (proc(5): 5 resets VmHWM)
        before, start = _status("VmRSS:"), time.perf_counter()
        count()
        first, peak = time.perf_counter() - start, _status("VmHWM:")
        start = time.perf_counter()
        count()
        again = time.perf_counter() - start
    return {"first": first, "again": again, "rise": max(peak - before, 0)}


def run(tool: str, name: str, size: int, runs: int) -> dict[str, float] | str:
    """Measure in fresh processes and return the medians, or why there are none."""
    results = []
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, __file__, "--one", tool, name, str(size)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return "not installed" if "ModuleNotFoundError" in last else last[:90]
        results.append(json.loads(done.stdout))
    return {key: statistics.median(r[key] for r in results) for key in results[0]}


def duration(seconds: float) -> str:
    """Return a time in seconds or milliseconds.

    >>> duration(0.00021), duration(0.25), duration(3.14)
    ('0.21 ms', '250 ms', '3.1 s')
    """
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.2f} ms"


def table(case: tuple[str, int], figures: dict[str, dict[str, float] | str]) -> list[str]:
    """Return one network's figures as Markdown, with ratios to cnnmem's plain count."""
    unit = figures["cnnmem, plain"]
    assert isinstance(unit, dict), unit
    lines = [
        f"### {case[0]} at {case[1]}",
        "",
        "| tool | gives | first count | again | rise of memory | again / cnnmem plain |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for tool, figure in figures.items():
        if isinstance(figure, str):
            lines.append(f"| {tool} | {GIVES[tool]} | {figure} | | | |")
            continue
        ratio = figure["again"] / unit["again"]
        lines.append(
            f"| {tool} | {GIVES[tool]} | {duration(figure['first'])} | {duration(figure['again'])} "
            f"| {figure['rise'] / 1e6:.1f} MB | {ratio:,.0f} x |"
        )
    return [*lines, ""]


def main() -> None:
    """Run the benchmark and print or write its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=3, metavar=("TOOL", "NETWORK", "SIZE"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    if args.one:
        tool, name, size = args.one
        print(json.dumps(measure(tool, name, int(size))))
        return
    results: Results = {}
    for case in CASES:
        for tool in TOOLS:
            if "eras" in tool and case[0] not in KERAS:
                continue
            print(f"{case[0]} at {case[1]}: {tool} ...", end=" ", file=sys.stderr, flush=True)
            figure = run(tool, *case, args.runs if case[1] < LARGE else 1)
            results.setdefault(case, {})[tool] = figure
            print(figure, file=sys.stderr, flush=True)
    text = report(results, args.runs)
    print(text)
    if args.write:
        args.write.write_text(
            text + "\n![Time per count, one bar per tool, logarithmic](benchmark.svg)\n"
        )
        draw(results, args.write.with_suffix(".svg"))


def report(results: Results, runs: int) -> str:
    """Return the page of the docs."""
    lines = [
        "# Speed of counting",
        "",
        f"Made by `make bench` on {date.today()}: {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}; medians of {runs} fresh "
        f"processes (one from {LARGE} pixels up). Imports and building the model are not timed; "
        "the ratio compares the second counts; compare ratios only within one run.",
        "",
    ]
    for case, figures in results.items():
        lines += table(case, figures)
    return "\n".join([*lines, *against_goals(results)])


def against_goals(results: Results) -> list[str]:
    """Return the goals and what was reached, as Markdown."""
    lines = [
        "### Against the goals",
        "",
        f"A plain count at least {GOAL} times faster than the fastest other tool that gives "
        f"parameters and MACs; a traced count {TRACED} times faster than the fastest tool that "
        f"executes the module (DenseNet-201 at 224: {TRACED_DENSENET} times), the first time and "
        "again.",
        "",
        f"| network | fastest counter | / plain (goal {GOAL}) | fastest that executes it "
        "| / traced, first | / traced, again | goal |",
        "| --- | --- | ---: | --- | ---: | ---: | ---: |",
    ]
    for (name, size), figures in results.items():
        timed = {tool: f for tool, f in figures.items() if isinstance(f, dict)}
        again = {tool: f["again"] for tool, f in timed.items()}
        counter = min(set(COUNTERS) & again.keys(), key=again.__getitem__)
        runner = min(set(RUNNERS) & again.keys(), key=again.__getitem__)
        soonest = min(timed[tool]["first"] for tool in set(RUNNERS) & timed.keys())
        small = (name, size) == ("densenet201", 224)
        lines.append(
            f"| {name} at {size} | {counter} | {again[counter] / again['cnnmem, plain']:,.0f} "
            f"| {runner} | {soonest / timed['cnnmem, traced']['first']:.1f} "
            f"| {again[runner] / again['cnnmem, traced']:.1f} "
            f"| {TRACED_DENSENET if small else TRACED} |"
        )
    return [*lines, "", *WHY, ""]


def draw(results: Results, path: Path) -> None:
    """Draw the times of the largest case, one bar per tool, on a logarithmic axis."""
    from cnnmem.charts import Series, StackedBars, svg

    (name, size), figures = list(results.items())[-1]
    times = {tool: f["again"] for tool, f in figures.items() if isinstance(f, dict)}
    chart = StackedBars(
        f"Time to count {name} at {size} pixels, second count",
        tuple(tool.replace("cnnmem, ", "").replace("keras.Model.", "Keras ") for tool in times),
        (Series("time", tuple(round(seconds * 10**6) for seconds in times.values())),),
        "microseconds",
        log=True,
        category="tool",
        adds_up=False,
    )
    path.write_text(svg.standalone(chart) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
