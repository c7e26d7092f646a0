"""The one way a variable's value changes.

A write goes in place while nobody else holds the buffer, else to a fresh one, so that
tensors, views, tapes, copies in flight, exported capsules and other threads' ops keep
the value they took. Holding is a Python reference to the array: the writer, under the
variable's lock, takes the array out of its slot and compares the reference count with
a constant measured at import. A reader that finds the empty slot waits for the lock.

Everything that can fail (checks, conversion, copies, allocation) comes before the
write, and whatever is raised, the old array goes back into the slot.

A fork waits for the writes under way and keeps new ones out, so that the child finds
whole values and no empty slot.
"""

import contextlib
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tensorvar import errors
from tensorvar._backend import floating_point, host_pieces
from tensorvar._backend.base import Array
from tensorvar._core.op_registry import OpDef
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._device import scope, switches

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable

READERS_LOCK = not getattr(sys, '_is_gil_enabled', lambda: True)()
"""Whether reads take the lock: without the interpreter's lock a count proves nothing."""

_getrefcount = sys.getrefcount
_current = scope.current
_quietly = floating_point.quietly
_ndarray = np.ndarray
_LARGE = host_pieces.LARGE
_forking = False
_fork_gate = threading.Lock()


class Slot(Protocol):
    """Whatever keeps one array that may be taken out."""

    _array: Array


class VersionedSlot(Slot, Protocol):
    """A slot that counts its writes: a variable."""

    _version: int


def replace(
    variable: VersionedSlot,
    in_place: Callable[[Array], None] | None,
    compute: Callable[[Array], Array],
) -> bool:
    """Writes a variable whose lock the caller holds.

    Args:
        variable: the variable.
        in_place: writes into the buffer, or None if the buffer cannot be kept.
        compute: makes the new array from the old one.

    Returns:
        Whether the buffer was kept.
    """
    while _forking:
        _wait_for_fork()
    # From here to ``try`` nothing is called, so neither another thread nor a signal's
    # handler gets in between: the array cannot be lost, and no fork sees the gap.
    array = variable._array
    keep = False
    try:
        variable._array = None
        keep = in_place is not None and _getrefcount(array) == _ALONE_IN_REPLACE
        if keep and in_place is not None:
            in_place(array)
        else:
            array = compute(array)
    except errors.OpError:
        raise
    except BaseException:
        # Our own errors come before the write, but an interrupt may come after it; then
        # replicas are stale. A count too many costs a copy, one too few a wrong value.
        variable._version += keep
        raise
    finally:
        variable._array = array
    variable._version += 1
    return keep


def write_direct(variable: 'Variable', op: OpDef, value: Any) -> bool:
    """Writes ``op(variable, value)`` if that takes one function of NumPy and nobody listens.

    It does what ``update`` and ``replace`` do, in one frame: a Python call costs a quarter
    of what NumPy takes to add two short vectors. All that can be refused, and every
    buffer that somebody else holds, is left to them.

    Args:
        variable: the variable; the op's first input.
        op: the record of the op, whose forward is one function of the array module.
        value: its second input.

    Returns:
        Whether it has written.
    """
    if type(value) is not Tensor or variable._enforced or switches.flags:
        return False
    state = _current()
    if state is not None and not state.bare:
        return False
    delta, dtype = value._array, variable._numpy_dtype
    if type(delta) is not _ndarray:
        return launch_direct(variable, op, value)
    if delta.dtype is not dtype or dtype not in op.allowed or delta.nbytes >= _LARGE:
        return False
    lock = variable._lock
    keep = False
    # As ``with lock``, in half its time: what interrupts comes before the lock is taken,
    # or after, and only the release tells.
    try:
        lock.acquire()
        array = variable._array
        if type(array) is _ndarray and delta.shape == variable._concrete:
            while _forking:
                _wait_for_fork()
            # As in ``replace``, nothing is called from here to ``try``.
            try:
                variable._array = None
                keep = _getrefcount(array) == _ALONE_IN_WRITE_DIRECT
                if keep:
                    _quietly(op.host_function, array, delta, array)
            except RuntimeError:
                # Another thread is in such a call; ``update`` does not mind.
                keep = False
            finally:
                # An interrupt may come after the write: a count too many costs a copy.
                variable._version += keep
                variable._array = array
    except BaseException:
        with contextlib.suppress(RuntimeError):
            lock.release()
        raise
    lock.release()
    return keep


def launch_direct(variable: 'Variable', op: OpDef, value: Tensor) -> bool:
    """``write_direct`` for a value on a card: one kernel in place of NumPy's function.

    The kernel asks for no memory, so neither stream nor allocator have to be made current.
    Whether anybody listens has been looked at before.

    Args:
        variable: the variable; the op's first input.
        op: the record of the op, which takes a value just like the variable.
        value: its second input.

    Returns:
        Whether it has written.
    """
    given, dtype, device = value._array, variable._numpy_dtype, value._device
    backend = device.backend
    kernels, kernel = backend.kernels, op.kernel
    if kernels is None or kernel is None or not kernels.usable:
        return False
    if given.dtype is not dtype or dtype not in op.allowed:
        return False
    lock = variable._lock
    keep = False
    # See ``write_direct``.
    try:
        lock.acquire()
        array = variable._array
        here = variable._device is device and array is not None
        if here and given.shape == variable._concrete:
            while _forking:
                _wait_for_fork()
            try:
                variable._array = None
                keep = _getrefcount(array) == _ALONE_IN_LAUNCH_DIRECT
                if keep:
                    keep = backend.launch(kernel, kernels, array, given) is not NotImplemented
            except errors.NotFoundError:
                # There is no such kernel; ``update`` takes another way, and says why.
                keep = False
            finally:
                variable._version += keep
                variable._array = array
    except BaseException:
        with contextlib.suppress(RuntimeError):
            lock.release()
        raise
    lock.release()
    return keep


def take(holder: Slot) -> tuple[Array, bool]:
    """Empties a slot that may stay empty, as that of a replica.

    Args:
        holder: what keeps the array.

    Returns:
        The array, and whether the slot held the only reference to it.
    """
    array = holder._array
    holder._array = None
    return array, _getrefcount(array) == _ALONE_IN_TAKE


class _Probe:
    """Stands for a variable, an op, a device and more while the constants are measured."""

    __slots__ = ('_array', '_device', '_lock', '_version', 'backend', 'kernels')

    _enforced = False
    _concrete = (1,)
    _numpy_dtype = np.dtype(float)
    allowed = frozenset({np.dtype(float)})
    kernel = usable = True

    def __init__(self) -> None:
        self._device = self.backend = self.kernels = self
        self._array: Array = bytearray(1)
        self._lock = threading.RLock()
        self._version = 0

    def host_function(self, array: Array, delta: Array, out: Array) -> None:
        """Writes nothing."""

    def launch(self, function: Any, *arguments: Any) -> None:
        """Launches nothing."""


def _replace_keeps() -> bool:
    return replace(_Probe(), lambda array: None, lambda array: array)


def _write_direct_keeps() -> bool:
    probe: Any = _Probe()
    probe._array = np.zeros(1)
    return write_direct(probe, probe, wrap(np.zeros(1), probe))


def _launch_direct_keeps() -> bool:
    probe: Any = _Probe()
    probe._array = np.zeros(1)
    return launch_direct(probe, probe, wrap(np.zeros(1), probe))


def _take_is_alone() -> bool:
    return take(_Probe())[1]


def _measure(name: str, is_alone: Callable[[], bool]) -> None:
    """Finds what ``sys.getrefcount`` says of an array that nobody else holds.

    It differs between Python versions, so it is found by trying.
    """
    for count in range(1, 8):
        globals()[name] = count
        if is_alone():
            return
    # A build without usable counts never writes in place; slower, but right.
    globals()[name] = -1


_ALONE_IN_REPLACE = -1
_ALONE_IN_TAKE = -1
_ALONE_IN_WRITE_DIRECT = -1
_ALONE_IN_LAUNCH_DIRECT = -1
_measure('_ALONE_IN_REPLACE', _replace_keeps)
_measure('_ALONE_IN_TAKE', _take_is_alone)
_measure('_ALONE_IN_WRITE_DIRECT', _write_direct_keeps)
_measure('_ALONE_IN_LAUNCH_DIRECT', _launch_direct_keeps)


# Forks. ``live`` knows the variables and registers these.


def close_gate() -> None:
    """Before a fork: keeps new writes out. Those under way go on."""
    global _forking
    _fork_gate.acquire()
    _forking = True


def open_gate() -> None:
    """After a fork, in the parent."""
    global _forking
    _forking = False
    _fork_gate.release()


def renew_gate() -> None:
    """After a fork, in the child, where no other thread waits."""
    global _forking, _fork_gate
    _forking = False
    _fork_gate = threading.Lock()


def _wait_for_fork() -> None:
    with _fork_gate:
        pass
