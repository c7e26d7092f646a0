"""How data gets from one card to another.

Where the hardware allows it, a card reads the memory of another one ("peer access").
Some machines say that they allow it and then deliver zeros or garbage, so the first
copy on an ordered pair of cards sends patterns and compares what arrived. Pairs that
cannot do it, or fail the check, copy through the host.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

Route = Literal['peer', 'staged', 'broken', 'unknown']
"""``staged``: through the host, as the hardware cannot do it; ``broken``: through the
host, as data arrived damaged; ``unknown``: nothing has been copied there yet."""

_PATTERN_BYTES = (1, 4099, (1 << 20) + 5, 8 << 20)

_logger = logging.getLogger('tensorvar.transfer')


class Verdict(NamedTuple):
    """What a check of an ordered pair found.

    Attributes:
        route: the way to copy.
        why: the reason, where the way is not ``'peer'``.
    """

    route: Route
    why: str


Check = Callable[[Any, int, int], Verdict]


class PeerTable:
    """The way to copy for each ordered pair of CUDA devices.

    Args:
        check: finds the way for (CuPy module, source ordinal, destination ordinal).
    """

    def __init__(self, check: Check) -> None:
        self._check = check
        self._routes: dict[tuple[int, int], Route] = {}
        self._lock = threading.Lock()

    def route(self, cupy: Any, source: int, destination: int) -> Route:
        """The way to copy, checked on the first call for a pair."""
        if source == destination:
            return 'peer'
        known = self._routes.get((source, destination))
        if known is not None:
            return known
        with self._lock:
            return self._routes.get((source, destination)) or self._find(cupy, source, destination)

    def matrix(self, ordinals: Sequence[int]) -> dict[tuple[int, int], Route]:
        """What is known of every ordered pair; this checks nothing.

        Args:
            ordinals: CUDA's numbers of the cards.

        Returns:
            (source, destination) -> the way.
        """
        return {
            (source, destination): 'peer'
            if source == destination
            else self._routes.get((source, destination), 'unknown')
            for source in ordinals
            for destination in ordinals
        }

    def _find(self, cupy: Any, source: int, destination: int) -> Route:
        verdict = self._check(cupy, source, destination)
        self._routes[source, destination] = verdict.route
        if verdict.route != 'peer':
            _logger.warning(
                'copies from CUDA device %d to %d go through the host: %s',
                source,
                destination,
                verdict.why,
            )
        return verdict.route


def check_pair(cupy: Any, source: int, destination: int) -> Verdict:
    """Enables peer access from ``source`` to ``destination`` and tries it out.

    Args:
        cupy: the CuPy module.
        source: CUDA's number of the card that is read.
        destination: CUDA's number of the card that is written.

    Returns:
        The way to copy, and why.
    """
    runtime = cupy.cuda.runtime
    if not runtime.deviceCanAccessPeer(destination, source):
        return Verdict('staged', 'this hardware has no peer access between them')
    previous = runtime.getDevice()
    try:
        _enable(runtime, source, destination)
        for nbytes in _PATTERN_BYTES:
            wrong = _count_wrong_bytes(cupy, source, destination, nbytes)
            if wrong:
                return Verdict(
                    'broken', f'a test pattern of {nbytes} bytes arrived with {wrong} wrong'
                )
    except runtime.CUDARuntimeError as error:
        return Verdict('staged', f'peer access failed ({error})')
    finally:
        runtime.setDevice(previous)
    return Verdict('peer', '')


def _enable(runtime: Any, source: int, destination: int) -> None:
    # A copy may be carried out by either card, so each gets to see the other.
    for device, other in ((destination, source), (source, destination)):
        if runtime.deviceCanAccessPeer(device, other):
            runtime.setDevice(device)
            runtime._deviceEnsurePeerAccess(other)


def _count_wrong_bytes(cupy: Any, source: int, destination: int, nbytes: int) -> int:
    runtime = cupy.cuda.runtime
    sent = (np.arange(nbytes, dtype=np.uint32) * 167 + nbytes).astype(np.uint8)
    received = ~sent
    runtime.setDevice(source)
    outgoing = cupy.cuda.Memory(nbytes)
    runtime.memcpy(outgoing.ptr, sent.ctypes.data, nbytes, runtime.memcpyHostToDevice)
    runtime.deviceSynchronize()
    runtime.setDevice(destination)
    incoming = cupy.cuda.Memory(nbytes)
    runtime.memcpy(incoming.ptr, received.ctypes.data, nbytes, runtime.memcpyHostToDevice)
    runtime.deviceSynchronize()
    stream = cupy.cuda.Stream(non_blocking=True)
    runtime.memcpyPeerAsync(incoming.ptr, destination, outgoing.ptr, source, nbytes, stream.ptr)
    stream.synchronize()
    runtime.memcpy(received.ctypes.data, incoming.ptr, nbytes, runtime.memcpyDeviceToHost)
    return int(np.count_nonzero(received != sent))


table = PeerTable(check_pair)
"""The ways between the cards of this process."""
