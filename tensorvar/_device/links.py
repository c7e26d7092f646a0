"""``tv.config``: how devices are connected, and the streams they compute on."""

import contextlib
from typing import Any

from tensorvar._device import registry
from tensorvar._device.device_scope import DeviceLike


class PeerMatrix(dict[tuple[str, str], str]):
    """How each GPU is copied to each other one, by short names.

    ``matrix['GPU:0', 'GPU:1']`` is ``'peer'`` (card to card, or within one card),
    ``'staged'`` (through the host), ``'broken'`` (card to card gave wrong data, so
    through the host), ``'unknown'`` (nothing was copied there yet) or ``'simulated'``.
    """

    def __str__(self) -> str:
        names = list(dict.fromkeys(source for source, _ in self))
        if not names:
            return 'fewer than two GPUs'
        rows = [['from / to', *names]]
        for source in names:
            rows.append([source, *(self.get((source, target), '-') for target in names)])
        width = max(len(cell) for row in rows for cell in row)
        return '\n'.join('  '.join(f'{cell:<{width}}' for cell in row).rstrip() for row in rows)

    def __repr__(self) -> str:
        return str(self)


def peer_matrix() -> PeerMatrix:
    """How arrays get from one GPU to another.

    Returns:
        The way for each ordered pair; print it for a table.
    """
    cards = [one for one in registry.devices() if one.is_gpu]
    ordinals = {one: one.physical.ordinal for one in cards if one.physical is not None}
    routes = registry.peer_routes(sorted(set(ordinals.values())))
    return PeerMatrix(
        {
            (one.short, other.short): 'simulated'
            if one.simulated
            else routes[ordinals[one], ordinals[other]]
            for one in cards
            for other in cards
            if one is not other
        }
    )


def stream(device: DeviceLike) -> Any:
    """The stream on which a GPU computes, to order own CuPy code with tensorvar's.

    Args:
        device: as for ``tv.device``.

    Returns:
        A context manager; ``with`` gives the CuPy stream, and inside it is the current
        one. For the CPU and simulated GPUs, which have no streams, it does nothing.

    Raises:
        InvalidArgumentError: there is no such device.

    Example:
        >>> import tensorvar as tv
        >>> with tv.config.stream('CPU:0'):
        ...     pass
    """
    found = registry.require('stream', device)
    if found.is_gpu and not found.simulated:
        return found.backend.stream()
    return contextlib.nullcontext()
