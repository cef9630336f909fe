"""Write constraints.txt: the versions that this environment holds, and that were tested.

    python tools/freeze.py

Names and versions alone: no addresses, no local builds ("2.13.0+cpu" is 2.13.0), and neither the
kit itself nor pip.
"""

from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# The versions that were tested, of everything the extras bring (make freeze).\n"
LEFT_OUT = {"cnnmem", "pip", "wheel"}


def pins() -> list[str]:
    """One `name==version` for each installed distribution, sorted."""
    found = {
        canonicalize_name(distribution.name): Version(distribution.version).public
        for distribution in distributions()
    }
    return [f"{name}=={found[name]}" for name in sorted(found.keys() - LEFT_OUT)]


if __name__ == "__main__":
    (ROOT / "constraints.txt").write_text(HEAD + "\n".join(pins()) + "\n", encoding="utf-8")
