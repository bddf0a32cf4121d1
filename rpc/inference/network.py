"""An exported network: the same calls, whichever runtime is behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from numpy.typing import NDArray

from rpc.data.files import DataError

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


def unreadable(where: str, runtime: str, error: Exception) -> DataError:
    """The error of a file that a runtime does not read: a runtime's own have no common class."""
    told = " ".join(str(error).split())
    return DataError(f"{where}: not a network that {runtime} reads: {told:.160}; export it again")


def failed(where: str, error: Exception) -> DataError:
    """The error of a network that fails on its inputs."""
    told = " ".join(str(error).split())
    return DataError(f"{where}: the network failed: {told:.200}")


def require_ports(
    where: str,
    found: Mapping[str, str],
    made: Sequence[str],
    inputs: Mapping[str, str],
    outputs: Sequence[str],
) -> None:
    """Refuse a network with other inputs or outputs than those that are called.

    Args:
        where: its file.
        found: its inputs' types by name.
        made: its outputs, in their order.
        inputs: the types by name that are wanted.
        outputs: the names that are wanted.

    Raises:
        DataError: they differ.
    """
    if dict(found) != dict(inputs) or list(made) != list(outputs):
        raise DataError(
            f"{where}: expected a network from {', '.join(inputs)} to {', '.join(outputs)}, "
            f"got {', '.join(found):.120} to {', '.join(made):.120}; export it again"
        )


# Types of inputs by name, and names of outputs, both in their order, to the network that has them.
OpensNetwork = Callable[[Mapping[str, str], Sequence[str]], Network]
