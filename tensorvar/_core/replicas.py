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
    replica = variable._replicas.get(device)
    if replica is not None and replica.version == variable._version:
        array = replica._array
        if array is not None:
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
    with variable._lock:
        return _refresh(variable, device, replica, need)


def _refresh(
    variable: 'Variable', device: Device, replica: Replica | None, need: CopyNeed
) -> Array:
    # Read before the array: a value newer than its version is refreshed once more.
    version = variable._version
    source = variable._read()
    into = None
    if replica is not None:
        buffer, alone = variable_write.take(replica)
        if alone and buffer is not None and buffer.shape == source.shape:
            into = buffer
        del buffer
    array = transfer.to_device(
        source,
        variable._device,
        device,
        explicit=need.explicit,
        op=need.op,
        operand=need.operand,
        state=need.state,
        variable=variable.name,
        created=variable._created(),
        into=into,
        copies=need.copies,
        record_id=need.record_id,
    )
    variable._replicas[device] = Replica(array, version)
    return array


def drop(variable: 'Variable', device: Device, stale_only: bool) -> int:
    """Forgets the replica of a variable on a device; returns its bytes, 0 if none."""
    replica = variable._replicas.get(device)
    if replica is None or (stale_only and replica.version == variable._version):
        return 0
    array = replica._array
    nbytes = 0 if array is None else int(array.nbytes)
    variable._replicas.pop(device, None)
    return nbytes


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
