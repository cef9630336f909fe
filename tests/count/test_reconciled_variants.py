"""How the variants of each network differ, as people would say it: a golden text.

After a change, write the text again with `python tests/count/test_reconciled_variants.py` and read
what changed: would a lecturer write it like that?
"""

from itertools import combinations
from pathlib import Path

from cnnmem import reconcile, summary
from cnnmem.model import zoo

GOLDEN = Path(__file__).with_suffix(".txt")
CONVENTIONS = ("parameters", "tensors", "macs", "autograd", "torchsummary", "thop")


def differences(title, first, second, conventions=CONVENTIONS):
    """Return a paragraph: for each convention the steps, or that both are equal."""
    lines = [title]
    for convention in conventions:
        found = reconcile(first.total(convention), second.total(convention))
        start, *steps, end = str(found).splitlines()
        value = start.removeprefix(found.start.label).strip()
        lines.append(f"  {convention}: {value}{'' if steps else ', both'}")
        lines += [f"    {' '.join(step.split())}" for step in steps]
        if steps:
            lines.append(f"    = {end.removeprefix(found.end.label).strip()}")
    return "\n".join(lines)


def all_variants():
    """Return the differences of all variants of all networks, and what a classifier adds."""
    found = []
    for name in zoo.names():
        tables = {variant: summary(f"{name}/{variant}") for variant in zoo.variants(name)}
        for a, b in combinations(tables, 2):
            found.append(differences(f"{name}: {a}, {b}", tables[a], tables[b]))
        whole, bare = summary(zoo.get(name)), summary(zoo.get(name, top=False))
        title = f"{name}: whole, without its classifier"
        found.append(differences(title, whole, bare, ("parameters", "macs")))
    return "\n\n".join(found) + "\n"


def test_variants_differ_as_a_lecturer_would_say():
    assert all_variants().splitlines() == GOLDEN.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    GOLDEN.write_text(all_variants(), encoding="utf-8")
