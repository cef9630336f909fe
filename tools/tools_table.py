"""Write docs/tools.md: what each tool counts, and how far its convention follows it.

    PYTHONPATH=build/audit python tools/tools_table.py

Each tool is asked for each module of tests/support/tool_corpus.py; `make test-audit` installs them.
A module that a tool counts otherwise than its convention says ends the script.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))  # torchvision_shim, tool_corpus

import torch
import torchvision_shim  # type: ignore[import-not-found]  # noqa: F401
from tool_corpus import CORPUS  # type: ignore[import-not-found]

from cnnmem import summary
from cnnmem.count.summary import Summary
from cnnmem.count.tools import TOOLS, Tool
from cnnmem.frameworks.pytorch.counters import count

INTRODUCTION = """\
# What the tools count

Written by `python tools/tools_table.py`. Each tool was asked for {modules} modules
(tests/support/tool_corpus.py): transposed, grouped, dilated, 1-d and 3-d convolutions, up-sampling,
pooling, activations, normalisations, attention, recurrent layers, modules that are called again or
shared. {exact:,} of {all:,} totals of the kit are what the tool prints, to the last digit. For
{outside} the total says "outside this convention" and names the rows, instead of a number that
looks exact. In {stopped} the tool itself stops. None is wrong.

The tools ran with torch {torch} on the CPU, in evaluation mode and without gradients, for one
image; `make test-audit` repeats it.

| tool | convention | exact | outside | tool stops | counts |
| --- | --- | ---: | ---: | ---: | --- |
"""
END = """
## Outside

Where a tool does what a table of layers does not tell, the total names the rows:

| tool | modules of the corpus |
| --- | --- |
{outside}

## What no rule covers

- ptflops counts a whole `Attention` of timm by a rule of its own, and then not the layers inside,
  if timm can be imported where it runs. The convention is that of ptflops without timm.
- torchprofile traces a model, and counts one for each product of two *sizes* in a forward that is
  written by hand (`height * width`). Its convention is below the tool by these few units.
- torchstat and ptflops count one image whatever the batch; ask for the total of a batch of 1.
- torchstat prints no total with pandas 2 and later, which lack the `DataFrame.append` that its
  report needs; its counts were read off the nodes that the report adds up.
"""


def main() -> None:
    """Ask every tool for every module, and write the file."""
    tables = {
        name: summary(make(), (1, *shape), mode="eval") for name, (make, shape) in CORPUS.items()
    }
    results = {
        (name, tool): _ask(name, tables[name], TOOLS[tool]) for name in CORPUS for tool in TOOLS
    }
    of = Counter(results.values())
    text = INTRODUCTION.format(
        modules=len(CORPUS),
        exact=of["exact"],
        all=len(results),
        outside=of["outside"],
        stopped=of["stops"],
        torch=torch.__version__.partition("+")[0],
    )
    outside = []
    for name, tool in TOOLS.items():
        own = {module: result for (module, each), result in results.items() if each == name}
        counts = Counter(own.values())
        numbers = " | ".join(str(counts[result]) for result in ("exact", "outside", "stops"))
        convention = tool.convention
        shown = name if tool.package == "torch" else f"{name} ({version(tool.package)})"
        text += f"| {shown} | `{convention.name}` | {numbers} | {convention.title} |\n"
        which = ", ".join(module for module, result in own.items() if result == "outside")
        outside.append(f"| {name} | {which or '-'} |")
    (ROOT / "docs" / "tools.md").write_text(text + END.format(outside="\n".join(outside)))


def _ask(name: str, table: Summary, tool: Tool) -> str:
    make, shape = CORPUS[name]
    total = table.total(tool.convention)
    try:
        printed = count(tool.name, make, shape)
    except Exception as error:  # whatever a tool raises: it gives no number
        print(f"{tool.name} stops at {name}: {type(error).__name__} {error}", file=sys.stderr)
        return "stops"
    if total.outside:
        return "outside"
    if total.value != printed:
        sys.exit(f"{tool.name} prints {printed} for {name}, its convention gives {total.value}")
    return "exact"


if __name__ == "__main__":
    main()
