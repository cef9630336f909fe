"""`python -m cnnmem.lessons`: count the questions, or write the page for lecturers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cnnmem.exercises.store import folder, reset

from .page import COMMAND, counts, listing, page


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m cnnmem.lessons",
        description="Count the questions of the lessons, or write the page for lecturers.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="one line for each question")
    what.add_argument("--write", metavar="FILE", type=Path, help=f"the page: {COMMAND}")
    what.add_argument("--reset", action="store_true", help="forget the progress of all lessons")
    what.add_argument("--folder", action="store_true", help="the folder of the progress file")
    args = parser.parse_args(argv)
    if args.write is not None:
        args.write.parent.mkdir(parents=True, exist_ok=True)
        args.write.write_text(page(), encoding="utf-8", newline="\n")
        print(f"{args.write}: {counts().splitlines()[0]}")
    elif args.reset:
        print(reset())
    elif args.folder:
        print(folder())
    else:
        print(listing() if args.list else counts())
    return 0


if __name__ == "__main__":
    sys.exit(main())
