"""A network built anew from a file: never larger than the weights that the file holds for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import get_ident
from typing import Any, Final, TypeVar

from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.nn.parameter import is_lazy

from rpc.data.files import DataError
from rpc.runs.tensor_files import first_misfit

N = TypeVar("N", bound=nn.Module)
# Parts that are replaced while a network is built (folded normalisation, the end of a backbone)
# count as well, 3 numbers and 14 parts for one that stays; and equal weights are stored once.
LARGER: Final = 4
SPARE_NUMBERS: Final = 5_000_000
PARTS: Final = 20
SPARE_PARTS: Final = 1_000


class TooLargeError(DataError):
    """A network that outgrows its weights."""


def saved_network(build: Callable[[], N], weights: Mapping[str, Tensor], where: str) -> N:
    """Build a network, and give it its weights.

    Args:
        build: makes the network, from settings that the file names and that nobody has vouched for.
        weights: its state, see `rpc.runs.tensor_files.weights_of`.
        where: the file, and what of it, for errors.

    Raises:
        DataError: it cannot be built, is much larger than its weights, or they do not fit it.
    """
    try:
        with _limited(weights):
            network = build()
        network.load_state_dict(dict(weights))
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    # What settings of a wrong type or size do to a constructor shows in any way.
    except Exception as error:
        raise DataError(
            f"{where}: its weights do not fit its own description: {first_misfit(error)}; train "
            "the model anew"
        ) from error
    return network


@contextmanager
def _limited(weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Stop a network that is being built here as soon as it is larger than its weights allow."""
    storages = {value.untyped_storage().data_ptr(): value for value in weights.values()}
    numbers = sum(one.untyped_storage().nbytes() // one.itemsize for one in storages.values())
    most_numbers = LARGER * numbers + SPARE_NUMBERS
    most_parts = PARTS * len(weights) + SPARE_PARTS
    thread, seen, parts = get_ident(), 0, 0

    def count(_owner: nn.Module, name: str, part: Any) -> None:
        nonlocal seen, parts
        if get_ident() != thread:
            return
        parts += 1
        sized = isinstance(part, Tensor) and not is_lazy(part)
        seen += part.numel() if sized else 0
        if seen > most_numbers or parts > most_parts:
            raise TooLargeError(
                f"its description asks for a network larger than the file's {len(weights)} weights "
                f"(at {name!r:.40})"
            )

    handles = [
        hooks.register_module_parameter_registration_hook(count),
        hooks.register_module_buffer_registration_hook(count),
        hooks.register_module_module_registration_hook(count),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
