"""The end of .ci/run: a line a step, then one closing line in pytest's form for all of them.

    python .ci/summary.py LOGS SECONDS

LOGS holds `steps` (name, exit status and seconds of each step, a line each) and NAME.log.
"""

import re
import sys
from collections import Counter
from pathlib import Path

CLOSING = re.compile(r"^=* ?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s(?: \([\d:]+\))? ?=*$")
ORDER = ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "warnings", "errors")
PLURAL = {"error": "errors", "warning": "warnings"}


def counts(log: str) -> Counter[str]:
    """The sum of all of pytest's closing lines in a log."""
    total: Counter[str] = Counter()
    for line in log.splitlines():
        closing = CLOSING.match(re.sub(r"\x1b\[[\d;]*m", "", line.strip()))
        for part in closing[1].split(", ") if closing else ():
            number, what = part.split()
            total[PLURAL.get(what, what)] += int(number)
    return total


def main(logs: Path, seconds: int) -> int:
    """Print the summary; 1 if a step failed."""
    total: Counter[str] = Counter()
    bad = 0
    print("\n======== summary")
    for line in (logs / "steps").read_text(encoding="utf-8").splitlines():
        name, status, duration = line.split()
        found = counts((logs / f"{name}.log").read_text(encoding="utf-8", errors="replace"))
        if status != "0":
            bad += 1
            if not found["failed"] and not found["errors"]:
                found["errors"] += 1
        print(f"{name:10} {'passed' if status == '0' else 'FAILED'} in {duration} s")
        total += found
    closing = ", ".join(f"{total[what]} {what}" for what in ORDER if total[what])
    print(f"\n===== {closing or 'no tests ran'} in {seconds}.00s =====")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
