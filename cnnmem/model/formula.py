"""Numbers that remember how they were computed.

The formulas of `layers` are plain Python on ints. Called with `Named` numbers instead,
the same lines of code also write themselves down, once in symbols and once with the values put in.

>>> height = (Named("H", 224) + 2 * Named("P", 1) - Named("K", 3)) // Named("S", 2) + 1
>>> int(height)
112
>>> height.symbols
'⌊(H + 2 · P − K) / S⌋ + 1'
>>> height.numbers
'⌊(224 + 2 · 1 − 3) / 2⌋ + 1'
"""

from __future__ import annotations

_SUM, _PRODUCT, _ATOM = range(3)  # how tightly a text binds


class Named(int):
    """An int with two texts: the formula in symbols and the formula in numbers.

    `Named("H", 224)` is a symbol; arithmetic on it gives formulas.
    """

    symbols: str
    numbers: str
    _level: int

    def __new__(
        cls, symbols: str, value: int, numbers: str | None = None, level: int = _ATOM
    ) -> Named:
        self = super().__new__(cls, value)
        self.symbols = symbols
        self.numbers = f"{value:,}" if numbers is None else numbers
        self._level = level
        return self

    def __add__(self, other: int) -> Named:
        return _join(int(self) + int(other), self, " + ", other, _SUM)

    def __radd__(self, other: int) -> Named:
        # sum() starts at 0, math.prod() at 1: neither belongs in the formula
        return self if other == 0 else _join(int(other) + int(self), other, " + ", self, _SUM)

    def __sub__(self, other: int) -> Named:
        return _join(int(self) - int(other), self, " − ", other, _SUM)

    def __rsub__(self, other: int) -> Named:
        return _join(int(other) - int(self), other, " − ", self, _SUM)

    def __mul__(self, other: int) -> Named:
        if other == 1 and not isinstance(other, Named):
            return self
        return _join(int(self) * int(other), self, " · ", other, _PRODUCT)

    def __rmul__(self, other: int) -> Named:
        return self if other == 1 else _join(int(other) * int(self), other, " · ", self, _PRODUCT)

    def __floordiv__(self, other: int) -> Named:
        return _bracket("⌊", int(self) // int(other), self, other, "⌋")

    def __rfloordiv__(self, other: int) -> Named:
        return _bracket("⌊", int(other) // int(self), other, self, "⌋")


def ceil_div(a: int, b: int) -> int:
    """Return `a / b` rounded up.

    >>> ceil_div(7, 2)
    4
    """
    quotient = -(-int(a) // int(b))
    if isinstance(a, Named) or isinstance(b, Named):
        return _bracket("⌈", quotient, a, b, "⌉")
    return quotient


def exact_div(a: int, b: int) -> int:
    """Return `a / b` where `b` divides `a`.

    >>> exact_div(Named("C_in", 64), Named("G", 2)).numbers
    '64 / 2'
    """
    quotient = int(a) // int(b)
    if isinstance(a, Named) or isinstance(b, Named):
        return _join(quotient, a, " / ", b, _PRODUCT)
    return quotient


def _texts(x: int, level: int) -> tuple[str, str]:
    if not isinstance(x, Named):
        return f"{x:,}", f"{x:,}"
    if x._level < level:
        return f"({x.symbols})", f"({x.numbers})"
    return x.symbols, x.numbers


def _join(value: int, a: int, sign: str, b: int, level: int) -> Named:
    # the right side of "−" and "/" needs its parentheses even at the same level
    (a_sym, a_num), (b_sym, b_num) = _texts(a, level), _texts(b, level + (sign in " − / "))
    return Named(f"{a_sym}{sign}{b_sym}", value, f"{a_num}{sign}{b_num}", level)


def _bracket(left: str, value: int, a: int, b: int, right: str) -> Named:
    (a_sym, a_num), (b_sym, b_num) = _texts(a, _PRODUCT), _texts(b, _ATOM)
    return Named(f"{left}{a_sym} / {b_sym}{right}", value, f"{left}{a_num} / {b_num}{right}")
