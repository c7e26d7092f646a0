"""One logical device, such as ``GPU:0``.

Devices are interned: there is one object per kind and index for the life of the
process, so ``is`` compares them. The registry says which of them exist at the moment,
and attaches their backends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorvar._device.physical import PhysicalGpu

CPU = 'CPU'
GPU = 'GPU'
KINDS = (CPU, GPU)

_interned: dict[tuple[str, int], Device] = {}


class Device:
    """A logical device. Made only by ``intern``.

    Attributes:
        kind: ``'CPU'`` or ``'GPU'``.
        index: position among the logical devices of its kind.
        short: name in logs and errors, such as ``'GPU:0'``.
        full: name shown to users, ``'/job:localhost/replica:0/task:0/device:GPU:0'``.
        is_gpu: whether ``kind`` is ``'GPU'``.
        simulated: whether NumPy computes for it, behind a memory of its own.
        physical: the card it lies on; None on the CPU.
        backend: its memory and array code; None until the registry is initialised.
    """

    __slots__ = (
        'backend', 'full', 'index', 'is_gpu', 'kind', 'physical', 'short', 'simulated',
    )  # fmt: skip

    backend: Any

    def __init__(self, kind: str, index: int) -> None:
        self.kind = kind
        self.index = index
        self.short = f'{kind}:{index}'
        self.full = f'/job:localhost/replica:0/task:0/device:{self.short}'
        self.is_gpu = kind == GPU
        self.simulated = False
        self.physical: PhysicalGpu | None = None
        self.backend = None

    @property
    def label(self) -> str:
        """The short name, with a mark if the device is simulated."""
        return f'{self.short} (simulated)' if self.simulated else self.short

    def __repr__(self) -> str:
        return f'<Device {self.label}>'

    def __copy__(self) -> Device:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Device:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (intern, (self.kind, self.index))


def intern(kind: str, index: int) -> Device:
    """The one object for a kind and an index.

    Args:
        kind: ``'CPU'`` or ``'GPU'``.
        index: position among the logical devices of that kind.

    Returns:
        The device. It need not exist on this machine: see ``registry.lookup``.
    """
    key = (kind, index)
    found = _interned.get(key)
    # setdefault is one step, so two threads get the same object.
    return found if found is not None else _interned.setdefault(key, Device(kind, index))
