"""Copies of variables on other devices, tagged with the variable's version.

A replica is made when a variable is read on another device, charged to that device,
and used until a write raises the variable's version. The next read then refreshes the
same buffer, unless somebody still holds it. A full device takes replicas back.
"""

from typing import TYPE_CHECKING

from tensorvar._backend import memory_ledger, transfer
from tensorvar._backend.base import Array
from tensorvar._core import live, variable_write
from tensorvar._core.array_value import CopyNeed
from tensorvar._device import registry
from tensorvar._device.device import Device

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


class Replica:
    """One array on one other device.

    Attributes:
        version: the variable's version when the array was copied.
    """

    __slots__ = ('_array', 'version')

    def __init__(self, array: Array, version: int) -> None:
        self._array = array
        self.version = version


def read(variable: 'Variable', device: Device, need: CopyNeed) -> Array:
    """The variable's value on another device.

    Args:
        variable: the variable.
        device: another device than the variable's.
        need: why it is needed.

    Returns:
        The replica's array; a copy is made only if the variable changed since.
    """
    # The version is read before the array: a value newer than its version is refreshed
    # once more, never taken for newer than it is.
    version = variable._version
    array = _fresh(variable, device, version)
    if array is None:
        source, here = variable._located()
        if here is device:
            return source
        # Only this lock is held while copying, and no other is waited for under it.
        with variable._replica_lock:
            array = _fresh(variable, device, version)
            if array is None:
                return _refresh(variable, version, source, here, device, need)
    transfer.report_hit(
        array,
        variable._device,
        device,
        op=need.op,
        operand=need.operand,
        variable=variable.name,
        state=need.state,
        copies=need.copies,
        record_id=need.record_id,
    )
    return array


def _fresh(variable: 'Variable', device: Device, version: int) -> Array | None:
    """The array of a replica that is at least as new as ``version``."""
    replica = variable._replicas.get(device)
    return replica._array if replica is not None and replica.version >= version else None


def _refresh(
    variable: 'Variable',
    version: int,
    source: Array,
    here: Device,
    device: Device,
    need: CopyNeed,
) -> Array:
    array = transfer.to_device(
        source,
        here,
        device,
        explicit=need.explicit,
        op=need.op,
        operand=need.operand,
        state=need.state,
        variable=variable.name,
        created=variable._created(),
        into=_buffer(variable, device, source),
        copies=need.copies,
        record_id=need.record_id,
    )
    variable._replicas[device] = Replica(array, version)
    if variable._device is device:
        # It moved here meanwhile and has no use for a replica.
        variable._replicas.pop(device, None)
    return array


def _buffer(variable: 'Variable', device: Device, source: Array) -> Array | None:
    """The array of the stale replica, if nobody else holds it.

    It leaves its slot: whatever becomes of the copy, nobody reads a half-written replica.
    """
    replica = variable._replicas.get(device)
    if replica is None:
        return None
    array, alone = variable_write.take(replica)
    return array if alone and array.shape == source.shape else None


def drop(variable: 'Variable', device: Device, stale_only: bool) -> int:
    """Forgets the replica of a variable on a device.

    Returns:
        How many bytes that gave back: none if there was no replica, or an op, a tensor
        or another thread still holds its array.
    """
    replica = variable._replicas.get(device)
    if replica is None or (stale_only and replica.version == variable._version):
        return 0
    variable._replicas.pop(device, None)
    array, alone = variable_write.take(replica)
    return memory_ledger.rounded(array.nbytes) if alone and array is not None else 0


def _drop_all(device: str, missing: int, stale_only: bool) -> int:
    kind, _, index = device.partition(':')
    target = registry.lookup(kind, int(index))
    if target is None:
        return 0
    freed = 0
    for variable in live.variables():
        freed += drop(variable, target, stale_only)
        if freed >= missing:
            break
    return freed


def _drop_stale(device: str, missing: int) -> int:
    return _drop_all(device, missing, stale_only=True)


def _drop_any(device: str, missing: int) -> int:
    return _drop_all(device, missing, stale_only=False)


memory_ledger.register_reclaimer(memory_ledger.Stage.STALE_REPLICAS, _drop_stale)
memory_ledger.register_reclaimer(memory_ledger.Stage.REPLICAS, _drop_any)
