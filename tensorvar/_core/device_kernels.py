"""The choice between the CUDA kernels of a device and array code.

Kernels are made on a device's first use of one; the code for that is loaded then, as a
program on the CPU has no use for it. Where a card can have no kernels, CuPy computes
alone: one line of the log says why, and so does ``tv.config.get_device_details``.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from tensorvar import _fork, _optional, errors
from tensorvar._backend.base import Backend
from tensorvar._backend.cupy_backend import CupyBackend
from tensorvar._core.op_registry import Forward, OpDef
from tensorvar._device import device_details, registry
from tensorvar._device.physical import PhysicalGpu

if TYPE_CHECKING:
    from tensorvar._core.kernels import Hardware, Kernels

_logger = logging.getLogger('tensorvar.kernels')
_told: set[str] = set()
_making = threading.RLock()

_OWN = 'own'
_NOT_YET = 'not used yet'
_NO_KERNELS = 'there are none for this kind of device'


class Choice(NamedTuple):
    """What runs an op on a device.

    Attributes:
        forward: as ``OpDef.forward``.
        in_place: as ``OpDef.in_place``.
    """

    forward: Forward
    in_place: Forward | None


class NoKernels:
    """Stands for the kernels of a device that has none.

    Args:
        why: for ``tv.config.get_device_details``.
    """

    usable: ClassVar[bool] = False

    def __init__(self, why: str) -> None:
        self.why = why

    def choose(self, op: OpDef) -> Choice:
        """The op's array code."""
        return Choice(op.forward, op.in_place)


def choose(op: OpDef, backend: Backend) -> Choice:
    """Chooses what runs an op on a device; to be run through the backend's ``call``."""
    if op.kernel is None:
        return Choice(op.forward, op.in_place)
    kernels: Kernels | NoKernels = backend.kernels or find(backend)
    return kernels.choose(op)


def find(backend: Backend) -> 'Kernels | NoKernels':
    """The kernels of a device, made by the first call."""
    with _making:
        if backend.kernels is None:
            backend.kernels = _make(backend)
        found: Kernels | NoKernels = backend.kernels
        return found


def _make(backend: Backend) -> 'Kernels | NoKernels':
    equip = HARDWARE.get(type(backend))
    if equip is None:
        return NoKernels(_NO_KERNELS)
    try:
        hardware = backend.call(equip, backend)
    except (errors.NotFoundError, errors.InternalError) as error:
        tell(f'CuPy alone computes on {backend.device}: {error}')
        return NoKernels(str(error))
    made: Kernels = _families().Kernels(backend, hardware)
    backend.on_wait = made.reports.look
    return made


def _families() -> Any:
    return _optional.load('tensorvar._core.kernels', 'tensorvar')


def _card(backend: CupyBackend) -> 'Hardware':
    hardware: Hardware = _families().equip_card(backend)
    return hardware


HARDWARE: 'dict[type[Backend], Callable[[Any], Hardware]]' = {CupyBackend: _card}
"""How the devices of a kind of backend run kernels. Called through the backend's ``call``;
raises NotFoundError, saying what to install, where a device cannot."""


def tell(what: str) -> None:
    """Logs a cause once per process; a compiler's log stays out of it."""
    line = what.partition('\n')[0]
    if line not in _told:
        _told.add(line)
        _logger.warning(line)


def _describe(card: PhysicalGpu) -> str:
    """The row ``'kernels'`` of ``tv.config.get_device_details``."""
    if not registry.is_initialised():
        return _NOT_YET
    found = [one.backend.kernels for one in registry.devices() if one.physical is card]
    made = [kernels for kernels in found if kernels is not None]
    return made[0].why or _OWN if made else _NOT_YET


device_details.set_kernel_description(_describe)


@_fork.in_child
def _renew_lock() -> None:
    global _making
    _making = threading.RLock()
