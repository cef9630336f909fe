"""The exceptions of the package: every message names the place, the value and the way out."""


class CnnmemError(ValueError):
    """Base of all errors that cnnmem raises on bad input."""


class ShapeError(CnnmemError):
    """A layer cannot work on the shape it is given."""


class NetworkError(CnnmemError):
    """A network is not wired as a network can be."""


class UnknownNameError(CnnmemError, KeyError):
    """A name (of a network, layer, convention, published number) that nothing carries."""

    def __str__(self) -> str:  # KeyError would print the repr
        return str(self.args[0])
