"""The command line: `python -m cnnmem`."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from cnnmem import published
from cnnmem.count import conventions
from cnnmem.count.export import to_dict
from cnnmem.count.find import find
from cnnmem.count.reconciliation import reconcile
from cnnmem.count.summary import Summary, summary
from cnnmem.count.totals import Total
from cnnmem.errors import CnnmemError
from cnnmem.jupyter import notebooks
from cnnmem.model import zoo
from cnnmem.reading import UnreadableError, readings_of
from cnnmem.tables import aligned

COUNT = re.compile(r"0*[1-9][0-9]{0,11}")
TOTAL = re.compile(r"(?P<network>[\w./-]+)(@(?P<size>\w+))?:(?P<convention>[\w-]+)")
NETWORK = "NETWORK[/VARIANT][/WIDTH]"


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise CnnmemError(f"{message} (see {self.prog} --help)")


def _size(text: str) -> tuple[int, int]:
    """Parse "224" or "480x640" into (height, width)."""
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(map(COUNT.fullmatch, parts)):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an input size; give pixels (224) or height x width (480x640)"
        )
    height, width = int(parts[0]), int(parts[-1])
    return height, width


def _count(text: str) -> int:
    if not COUNT.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def _width(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a width multiplier; give a number such as 0.5 or 1.4"
        ) from None


def _network_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "network",
        metavar="NETWORK",
        help=f"{NETWORK} as `list` shows them: vgg16/keras, mobilenet_v2/1.4",
    )
    parser.add_argument("--input", type=_size, metavar="N", help="input size: 224 or 480x640")
    parser.add_argument("--batch", type=_count, default=1, metavar="N", help="images (default: 1)")
    parser.add_argument("--variant", metavar="NAME", help="a variant that `list` shows")
    parser.add_argument("--width", type=_width, metavar="X", help="width multiplier (MobileNets)")
    parser.add_argument("--classes", type=_count, metavar="N", help="number of classes")
    parser.add_argument("--no-top", action="store_true", help="leave out the classifier")
    parser.add_argument("--dtype", default="float32", metavar="NAME", help="float32, bfloat16, ...")
    parser.add_argument("--mode", default="train", choices=("train", "eval"))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="cnnmem",
        description="Where the memory of a convolutional network goes, and why numbers disagree.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="the networks, their variants, and the conventions")
    command = commands.add_parser("summary", help="a network, layer by layer")
    _network_arguments(command)
    command.add_argument(
        "--convention",
        default="tensors",
        metavar="NAME",
        help="how to count the total (default: tensors)",
    )
    form = command.add_mutually_exclusive_group()
    for name in ("json", "csv", "markdown"):
        form.add_argument(f"--{name}", action="store_const", const=name, dest="form")
    command = commands.add_parser("explain", help="a layer's formulas, in symbols and in numbers")
    _network_arguments(command)
    command.add_argument("layer", metavar="LAYER")
    command = commands.add_parser(
        "reconcile",
        help="the steps between two totals",
        description=f"A total is {NETWORK}[@SIZE]:CONVENTION, as in vgg16/keras@1024:"
        "keras-memory; a published number is named by the id that `folklore` shows; one of the two "
        'may be a number as it was printed, such as "25.6M".',
    )
    command.add_argument("first", metavar="A")
    command.add_argument("second", metavar="B")
    command = commands.add_parser(
        "find",
        help="where a printed number comes from",
        description="Which totals print like a number that was read somewhere, and how many would "
        "do so by chance.",
    )
    command.add_argument(
        "text", metavar="NUMBER", help='as printed: "25.6M", "93 MB", "4.1 GFLOPs"'
    )
    command.add_argument(
        "network", metavar="NETWORK", nargs="?", help=f"{NETWORK} (default: the whole zoo)"
    )
    command.add_argument("--input", type=_count, metavar="N", help="only this size in pixels")
    command.add_argument(
        "--most", type=_count, default=10, metavar="N", help="answers (default: 10)"
    )
    folklore = commands.add_parser("folklore", help="published numbers and how they were counted")
    folklore.add_argument("network", nargs="?", help="only those of one network of the zoo")
    command = commands.add_parser(
        "questions",
        help="the questions of the lessons as multiple choice, with the known wrong answers",
        description="GIFT is what Moodle imports as a question bank; csv has a line for each "
        "answer. Functions to write are left out.",
    )
    command.add_argument("--lesson", metavar="NN", help="only those of a lesson, 00 to 08")
    command.add_argument("--format", default="list", choices=("list", "gift", "csv"))
    command = commands.add_parser("notebooks", help="copy the lessons to a folder of your own")
    command.add_argument("what", choices=["copy"], metavar="copy")
    command.add_argument("folder", metavar="DIR", help="created if missing; no file is overwritten")
    return parser


def _table(args: argparse.Namespace) -> Summary:
    options: dict[str, Any] = {"top": not args.no_top}
    for name in ("variant", "width", "classes"):
        if (given := getattr(args, name)) is not None:
            options[name] = given
    network = zoo.get(args.network, **options)
    shape = None if args.input is None else (*args.input, network.image[2])
    return summary(network, shape, args.batch, dtype=args.dtype, mode=args.mode)


def _total(text: str) -> Total | published.Published | str:
    if text in published.catalogue():
        return published.get(text)
    match = TOTAL.fullmatch(text)
    if match is None:
        try:
            readings_of(text)
        except UnreadableError:
            raise CnnmemError(
                f"{text!r} is neither a total, {NETWORK}[@SIZE]:CONVENTION, nor the id of a "
                'published number (see cnnmem folklore), nor a number such as "25.6M"'
            ) from None
        return text
    network = zoo.get(match["network"])
    try:
        shape = (*_size(match["size"]), network.image[2]) if match["size"] else None
    except argparse.ArgumentTypeError as error:
        raise CnnmemError(str(error)) from None
    return summary(network, shape).total(match["convention"])


def _list() -> str:
    networks = [(f"  {name}", ", ".join(zoo.variants(name))) for name in zoo.names()]
    named = [(f"  {c.name}", f"[{c.unit}] {c.title}") for c in conventions.PRESETS]
    return "\n".join(
        [
            "networks (variants, the default first)",
            *aligned(networks, "<"),
            "",
            "conventions",
            *aligned(named, "<"),
        ]
    )


def _folklore(network: str | None) -> str:
    rows = []
    wanted = None if network is None else zoo.canonical(network).split("/")[0]
    for entry in published.catalogue().values():
        if wanted not in (None, entry.network.split("/")[0]):
            continue
        why = f"explained by {entry.convention}" if entry.convention else "unexplained"
        rows.append((entry.id, entry.printed, f"{why}: {entry.what}; {entry.source}"))
        if entry.note:
            rows.append(("", "", entry.note))
    return "\n".join(aligned(rows, "<><"))


def _summary(args: argparse.Namespace) -> str:
    table = _table(args)
    total = table.total(args.convention)
    if args.form == "json":
        return json.dumps(to_dict(table, args.convention))
    if args.form == "csv":
        return table.to_csv().rstrip("\n")
    text = table.to_markdown() if args.form == "markdown" else str(table)
    convention = total.convention
    return f"{text}\n\n{total.amount}, {convention.name}: {convention.title}"


def _questions(number: str | None, form: str) -> str:
    # the lessons need ipywidgets, the other commands nothing
    from cnnmem.lessons import polls, registry

    questions = registry.every() if number is None else registry.lesson(number).questions
    chosen = tuple(polls.polls(questions))
    if form == "list":
        return "\n".join(aligned([(poll.id, poll.title) for poll in chosen], "<"))
    return {"gift": polls.gift, "csv": polls.table}[form](chosen).rstrip("\n")


def _run(args: argparse.Namespace) -> str:
    if args.command == "list":
        return _list()
    if args.command == "folklore":
        return _folklore(args.network)
    if args.command == "reconcile":
        return str(reconcile(_total(args.first), _total(args.second)))
    if args.command == "find":
        return str(find(args.text, args.network, size=args.input, most=args.most))
    if args.command == "questions":
        return _questions(args.lesson, args.format)
    if args.command == "notebooks":
        return str(notebooks.copy(args.folder))
    if args.command == "explain":
        return _table(args).explain(args.layer)
    return _summary(args)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; bad arguments print one line and return 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # old code pages lack some signs of the formulas
    try:
        print(_run(_parser().parse_args(argv)), flush=True)
    except CnnmemError as error:
        print("cnnmem:", " ".join(str(error).splitlines()), file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader (`head`, a pager) has gone. Python flushes stdout once more at exit, which must
        # not raise again (Python's documentation of `signal`, note on SIGPIPE).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # a full disk behind `>`
        print(f"cnnmem: the output cannot be written: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
