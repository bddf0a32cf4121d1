"""An exported network: the same calls, whichever runtime is behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from numpy.typing import NDArray

BYTES: Final = "tensor(uint8)"  # types of inputs
FLOATS: Final = "tensor(float)"


class Network(Protocol):
    """A network at work; `where` names its file, for errors."""

    where: str

    def shape_of_input(self, name: str) -> tuple[int | str | None, ...]:
        """Shape of an input; a text or None where any number goes."""
        ...

    def __call__(self, *arrays: NDArray[Any]) -> list[NDArray[Any]]:
        """The outputs in their order, of the inputs in theirs.

        Raises:
            DataError: the network fails on them.
        """
        ...


# Types of inputs by name, and names of outputs, both in their order, to the network that has them.
OpensNetwork = Callable[[Mapping[str, str], Sequence[str]], Network]
