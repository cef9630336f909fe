"""One module followed in two ways, traced and recorded, and where the two differ.

Both must write down the same: each column of each row, the graph, who keeps what, the
multiply-accumulates of backward. An executed pass is the judge of both.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import compress
from typing import Any

from torch import nn

from cnnmem.count.autograd import Mode
from cnnmem.frameworks.pytorch.follow import LEAVES
from cnnmem.frameworks.pytorch.read import own_dtype
from cnnmem.frameworks.pytorch.run import Followed, Run, record, trace
from cnnmem.frameworks.pytorch.trace import Untraceable

# What backward keeps. Where an operation does not tell it without running, the table says None.
_KEPT = {"saved", "kept_values", "copies", "masks", "indices", "batch_statistics"}


@dataclass(frozen=True)
class TwoWays:
    """A forward pass, recorded, and traced unless `why` says why it was not."""

    traced: Followed | None
    why: str
    recorded: Followed

    @property
    def differences(self) -> list[str]:
        """Where the two differ; nothing if there is only one."""
        return [] if self.traced is None else differences(self.traced, self.recorded)


def run_of(module: nn.Module, shape: Any, mode: Mode = "train", execute: bool = False) -> Run:
    """Return a run with the module's own dtype, as `cnnmem.summary` makes it."""
    dtype = own_dtype(module)
    return Run(module, shape, None, dtype, mode, None, execute, LEAVES, dtype_asked=False)


def two_ways(module: nn.Module, shape: Any, mode: Mode = "train") -> TwoWays:
    """Record and trace a module.

    Raises `NetworkError` where both fail. An error of the trace alone is raised as it is: in
    `summary` recording would hide it.
    """
    run = run_of(module, shape, mode)
    recorded = record(run)
    try:
        return TwoWays(trace(run), "", recorded)
    except Untraceable as reason:
        return TwoWays(None, str(reason), recorded)


def executed(module: nn.Module, shape: Any, mode: Mode = "train") -> Followed:
    """Really run a module, on random numbers, and record the pass: the judge of the other two."""
    return record(run_of(module, shape, mode, execute=True))


def differences(a: Followed, b: Followed) -> list[str]:
    """Return in words where two passes differ; none if they agree."""
    return list(_differences(a, b))


def _differences(a: Followed, b: Followed) -> Iterator[str]:
    mine, theirs = a.graph, b.graph
    untold = _KEPT if a.follower.inexact or b.follower.inexact else set()
    if len(mine.rows) != len(theirs.rows):
        names = {row.name for row in mine.rows} ^ {row.name for row in theirs.rows}
        yield f"rows: {len(mine.rows)} and {len(theirs.rows)}, not in both {sorted(names)[:9]}"
        return
    for one, other in zip(mine.rows, theirs.rows, strict=True):
        # a recorder tells statistics from copies by their size, which a tiny map does not show
        moved = one.copies - other.copies
        other = other._replace(copies=one.copies, batch_statistics=other.batch_statistics - moved)
        for column, here, there in zip(one._fields, one, other, strict=True):
            if here != there and column not in untold:
                yield f"{one.name}: {column} {here} and {there}"
    for one, other in zip(mine.nodes, theirs.nodes, strict=True):
        if one.inputs != other.inputs:
            yield f"{one.name}: reads {one.inputs} and {other.inputs}"
    for one, other in zip(mine.frames, theirs.frames, strict=True):
        if one.backward_macs != other.backward_macs:
            yield f"{one.name}: backward MACs {one.backward_macs} and {other.backward_macs}"
    for part in [field.name for field in fields(mine.storage)]:
        here, there = getattr(mine.storage, part), getattr(theirs.storage, part)
        if part == "in_use":  # a recorder sees the backward of what keeps something only
            working = [row.macs or row.saved for row in mine.rows]
            here, there = [*compress(here, working)], [*compress(there, working)]
        if here != there:
            yield f"storage: {part} {_first_difference(here, there)}"
    if a.follower.uncounted != b.follower.uncounted:
        yield f"uncounted: {dict(a.follower.uncounted)} and {dict(b.follower.uncounted)}"


def _first_difference(here: Any, there: Any) -> str:
    if isinstance(here, dict):
        keys = [key for key in {**here, **there} if here.get(key) != there.get(key)]
        return f"at {keys[0]}: {here.get(keys[0])} and {there.get(keys[0])}"
    pairs = enumerate(zip(here, there, strict=False))
    found = [f"at {i}: {one} and {other}" for i, (one, other) in pairs if one != other]
    return found[0] if found else f"{len(here)} and {len(there)}"


def freeze_half(module: nn.Module, seed: str) -> None:
    """Let half of a module's parameters learn nothing, drawn by a seed."""
    parameters = list(module.parameters())
    for parameter in random.Random(seed).sample(parameters, len(parameters) // 2):
        parameter.requires_grad_(False)
