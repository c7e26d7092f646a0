"""The only functions that copy between devices.

They ask the transfer guards before an implicit copy, choose the way (directly within
one kind of backend, else through the host), and report the copy to whoever listens.
They keep no reference to an array.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorvar._backend import guard
from tensorvar._backend.base import Array, Backend
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._device import call_site, listeners, records, scope, switches
from tensorvar._device import device as device_module
from tensorvar._device.device import Device

# Host data is said to lie on CPU:0, whether or not the program configured that device.
_HOST = device_module.intern(device_module.CPU, 0)


def to_device(
    array: Array,
    source: Device,
    destination: Device,
    *,
    explicit: bool,
    op: str,
    operand: str,
    state: scope.ContextState | None,
    variable: str | None = None,
    created: str | None = None,
    into: Array | None = None,
    copies: list[records.CopyRecord] | None = None,
    record_id: int | None = None,
) -> Array:
    """Copies an array from one device to another.

    Args:
        array: the array, on ``source``.
        source: where it lies.
        destination: where the copy shall lie; another device than ``source``.
        explicit: whether the program asked for the copy; then no guard is asked.
        op: name of the op that needs it.
        operand: name of the op's argument.
        state: the current scopes.
        variable: name of the variable copied, if it is one.
        created: line of user code that made it, where known.
        into: an array on ``destination`` to overwrite, as replicas are refreshed.
        copies: a list that gets the record of this copy, for the record of the op.
        record_id: ``id`` that the record of the op will have; None outside of an op.

    Returns:
        The copy; ``into`` if it was given.

    Raises:
        TransferError: a guard, a budget or the device policy refuses the copy.
        ResourceExhaustedError: the destination is full.
    """
    if type(array) is ShapeOnlyArray:
        # There is nothing to copy, so nothing is asked and nothing is reported.
        return array
    if not explicit and (switches.flags & switches.DEVICE_POLICY or _is_guarded(state)):
        request = _request(array, source, destination, op, operand, variable, created)
        guard.check(request, state, is_operand=True)
    return _run(
        lambda: _copy(array, source.backend, destination.backend, into),
        array, source, destination, state, copies,
        explicit=explicit, op=op, operand=operand, variable=variable, record_id=record_id,
    )  # fmt: skip


def from_host(
    host: np.ndarray[Any, Any],
    destination: Device,
    *,
    explicit: bool,
    op: str,
    operand: str,
    state: scope.ContextState | None,
    variable: str | None = None,
    created: str | None = None,
    copies: list[records.CopyRecord] | None = None,
    record_id: int | None = None,
) -> Array:
    """Copies host data to a device. To a GPU, that is a copy between devices.

    Args:
        host: the data, already of the dtype it shall have on the device.
        destination: where the copy shall lie.
        explicit: whether the program asked for the copy; then no guard is asked.
        op: name of the op that needs it.
        operand: name of the op's argument.
        state: the current scopes.
        variable: name of the variable that the data is for, if there is one.
        created: line of user code that made the data, where known.
        copies: a list that gets the record of this copy, for the record of the op.
        record_id: ``id`` that the record of the op will have; None outside of an op.

    Returns:
        The device's own copy.

    Raises:
        TransferError: a guard or a budget refuses the copy.
        ResourceExhaustedError: the destination is full.
    """
    if not destination.is_gpu:
        return destination.backend.from_host(host)
    if not explicit and _is_guarded(state):
        request = _request(host, _HOST, destination, op, operand, variable, created)
        guard.check(request, state, is_operand=False)
    return _run(
        lambda: destination.backend.from_host(host),
        host, _HOST, destination, state, copies,
        explicit=explicit, op=op, operand=operand, variable=variable, record_id=record_id,
    )  # fmt: skip


def to_host(
    array: Array,
    source: Device,
    *,
    explicit: bool,
    op: str,
    operand: str,
    state: scope.ContextState | None,
    variable: str | None = None,
    created: str | None = None,
    copies: list[records.CopyRecord] | None = None,
    record_id: int | None = None,
) -> np.ndarray[Any, Any]:
    """Copies an array to the host. From a GPU, that is a copy between devices.

    Args:
        array: the array, on ``source``.
        source: where it lies.
        explicit: whether the program asked for the copy; then no guard is asked.
        op: what needs it, such as ``'numpy'`` or ``'bool'``.
        operand: name of the argument.
        state: the current scopes.
        variable: name of the variable copied, if it is one.
        created: line of user code that made it, where known.
        copies: a list that gets the record of this copy, for the record of the op.
        record_id: ``id`` that the record of the op will have; None outside of an op.

    Returns:
        An own, writable ndarray, complete when returned.

    Raises:
        TransferError: a guard or a budget refuses the copy.
        OperatorNotAllowedInGraphError: there is no data to copy.
    """
    if type(array) is ShapeOnlyArray:
        array.refuse(op)
    backend: Backend = source.backend
    if not source.is_gpu:
        return backend.to_host(array)
    if not explicit and _is_guarded(state):
        request = _request(array, source, _HOST, op, operand, variable, created)
        guard.check(request, state, is_operand=False)
    host: np.ndarray[Any, Any] = _run(
        lambda: backend.to_host(array),
        array, source, _HOST, state, copies,
        explicit=explicit, op=op, operand=operand, variable=variable, record_id=record_id,
    )  # fmt: skip
    return host


def report_hit(
    array: Array,
    source: Device,
    destination: Device,
    *,
    op: str,
    operand: str,
    variable: str,
    state: scope.ContextState | None,
    copies: list[records.CopyRecord] | None = None,
    record_id: int | None = None,
) -> None:
    """Reports a read that found a replica, so that nothing had to be copied.

    Args:
        array: the replica.
        source: where the variable lives.
        destination: where its replica lies.
        op: name of the op that reads it.
        operand: name of the op's argument.
        variable: name of the variable.
        state: the current scopes.
        copies: a list that gets the record, for the record of the op.
        record_id: ``id`` that the record of the op will have; None outside of an op.
    """
    if copies is not None or listeners.active(state):
        now = time.perf_counter_ns()
        record = records.CopyRecord(
            source=source.short,
            destination=destination.short,
            nbytes=array.nbytes,
            variable=variable,
            operand=operand,
            where=str(call_site.user_call_site()),
            op=op,
            cached=True,
            record_id=record_id,
            start_ns=now,
            end_ns=now,
        )
        _report(record, state, copies)


def direction(source: Device, destination: Device) -> str:
    """Says which of the three directions of ``guard`` a copy has.

    Args:
        source: the device copied from.
        destination: the device copied to; another one.

    Returns:
        ``'host_to_device'``, ``'device_to_host'``, or ``'device_to_device'`` between
        two GPUs and between two logical CPUs.
    """
    if source.is_gpu == destination.is_gpu:
        return guard.DEVICE_TO_DEVICE
    return guard.HOST_TO_DEVICE if destination.is_gpu else guard.DEVICE_TO_HOST


def _is_guarded(state: scope.ContextState | None) -> bool:
    return state is not None and bool(state.guards)


def _request(
    array: Array,
    source: Device,
    destination: Device,
    op: str,
    operand: str,
    variable: str | None,
    created: str | None,
) -> guard.Request:
    return guard.Request(
        direction=direction(source, destination),
        op=op,
        operand=operand,
        variable=variable,
        created=created,
        source=source.short,
        destination=destination.short,
        nbytes=array.nbytes,
        dtype=array.dtype.name,
    )


def _run(
    copy: Callable[[], Array],
    array: Array,
    source: Device,
    destination: Device,
    state: scope.ContextState | None,
    copies: list[records.CopyRecord] | None,
    *,
    explicit: bool,
    op: str,
    operand: str,
    variable: str | None,
    record_id: int | None,
) -> Array:
    """Copies, and reports it if anybody listens."""
    if copies is None and not listeners.active(state):
        return copy()
    start = time.perf_counter_ns()
    result = copy()
    record = records.CopyRecord(
        source=source.short,
        destination=destination.short,
        nbytes=array.nbytes,
        variable=variable,
        operand=operand,
        where=str(call_site.user_call_site()),
        op=op,
        explicit=explicit,
        record_id=record_id,
        start_ns=start,
        end_ns=time.perf_counter_ns(),
    )
    _report(record, state, copies)
    return result


def _report(
    record: records.CopyRecord,
    state: scope.ContextState | None,
    copies: list[records.CopyRecord] | None,
) -> None:
    if copies is not None:
        copies.append(record)
    listeners.emit(record, state)


def _copy(array: Array, source: Backend, destination: Backend, into: Array | None) -> Array:
    same_kind = type(source) is type(destination)
    if into is not None:
        destination.refresh(into, array if same_kind else _on_host(array, source))
        return into
    if same_kind:
        return destination.copy_from(source, array)
    if destination.array_type is np.ndarray:
        return source.to_host(array)
    return destination.from_host(_on_host(array, source))


def _on_host(array: Array, source: Backend) -> np.ndarray[Any, Any]:
    """Host data to read from: the array itself where it lies in host memory."""
    host: np.ndarray[Any, Any] = array if source.array_type is np.ndarray else source.to_host(array)
    return host
