"""The bug museum: counters that were published with 32-bit integers, and what they printed.

An exhibit is what the counter multiplied and added up, and the number that its user saw. `replay`
does the sum again in real NumPy int32. The sources are threads on GitHub: the printed number is
quoted, the shapes are those that the thread gives or that follow from its numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from cnnmem.errors import look_up
from cnnmem.int32 import old_keras_count

TOKENS = 4096  # of a vision transformer: 1024 x 1024 pixels in patches of 16 x 16


@dataclass(frozen=True)
class Exhibit:
    """A count that went wrong: a sum of `products`, each a tuple of factors.

    `printed` is what the user saw, in `unit`: the tool scaled its count by `scale` (if `unsigned`,
    after taking the absolute value) and rounded it to `digits`.
    """

    id: str
    title: str
    source: str
    products: tuple[tuple[int, ...], ...]
    printed: str
    unit: str
    scale: float = 1
    digits: int = 0
    unsigned: bool = False
    note: str = ""

    @property
    def exact(self) -> int:
        """The correct count."""
        return sum(map(prod, self.products))

    def replay(self, c_long: str = "int32") -> int:
        """Return the count in NumPy integers as wide as a C long."""
        return old_keras_count(self.products, c_long)

    def shown(self, c_long: str = "int32") -> str:
        """Return what the counter prints with integers of that width."""
        count = self.replay(c_long)
        return f"{(abs(count) if self.unsigned else count) * self.scale:.{self.digits}f}"

    def __str__(self) -> str:
        return (
            f"{self.title} ({self.source})\n"
            f"  printed  {_read(self.printed)} {self.unit}\n"
            f"  replayed {_read(self.shown())} {self.unit}\n"
            f"  right    {_read(self.shown('int64'))} {self.unit}"
        )


def _read(number: str) -> str:
    """Return a printed number with thousands separators."""
    return f"{int(number):,}" if "." not in number else f"{float(number):,.2f}"


def _linear(name: str, features: int, out: int, printed: str, **more: object) -> Exhibit:
    """Return an exhibit of ptflops, which adds a linear layer's bias for one token only."""
    return Exhibit(
        f"ptflops-{name}",
        f"ptflops: MACs of the linear layer {name!r} of a vision transformer",
        "sovrasov/flops-counter.pytorch issue 112, 2023",
        ((TOKENS, features, out), (out,)),
        printed,
        "GMac" if "scale" in more else "Mac",
        **more,  # type: ignore[arg-type]
    )


EXHIBITS: dict[str, Exhibit] = {
    exhibit.id: exhibit
    for exhibit in (
        Exhibit(
            "keras-flatten",
            "Keras 3.0: values of a flattened 100,000 x 100,000 input",
            "keras-team/keras issue 19034, 2024",
            ((100_000, 100_000),),
            "1410065408",
            "values",
            note="The shape was an array of NumPy int32, so even math.prod multiplied in 32 bits.",
        ),
        _linear("qkv", 768, 2304, "-1342174976"),
        _linear("proj", 768, 768, "-1879047424"),
        _linear(
            "lin1",
            768,
            3072,
            "1.07",
            scale=1e-9,
            digits=2,
            note="It stood in the same list as the two above, and has no minus sign to warn.",
        ),
        Exhibit(
            "torchsummary",
            "torchsummary: forward/backward pass size of a U-Net, on Windows",
            "sksq96/pytorch-summary issue 202, 2024",
            ((32_624, 2**20),),
            "1152.00",
            "MB",
            scale=8 / 2**20,
            digits=2,
            unsigned=True,
            note="The tool takes the absolute value, so the minus sign was gone. On another "
            "machine the same script printed 260992.00.",
        ),
    )
}


def exhibit(id: str) -> Exhibit:
    """Return an exhibit by its id; raises `UnknownNameError`, listing the known ids.

    >>> print(exhibit("keras-flatten"))
    Keras 3.0: values of a flattened 100,000 x 100,000 input (keras-team/keras issue 19034, 2024)
      printed  1,410,065,408 values
      replayed 1,410,065,408 values
      right    10,000,000,000 values
    """
    return look_up("exhibit", id, EXHIBITS)
