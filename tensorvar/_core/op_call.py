"""One run of an op on the full path: its copies, its times, its record."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend import transfer
from tensorvar._backend.base import Array, Backend
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._core import device_kernels, host_large, numerics_check
from tensorvar._core.array_value import ArrayValue, CopyNeed, HostArray
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.operands import HostOperand, Operand
from tensorvar._core.tensor import Tensor
from tensorvar._device import call_site, listeners, placement, records, scope, switches
from tensorvar._device.device import Device


class OpCall:
    """Brings the operands of an op to its device, runs it, and reports it.

    Args:
        op: the record of the op.
        attributes: its attributes.
        state: the current scopes.
    """

    __slots__ = ('_clock', '_copies', '_end', '_record_id', '_start', 'attributes', 'op', 'state')

    def __init__(
        self, op: OpDef, attributes: dict[str, Any], state: scope.ContextState | None
    ) -> None:
        self.op = op
        self.attributes = attributes
        self.state = state
        self._copies: list[records.CopyRecord] | None = None
        self._record_id: int | None = None
        self._start = self._end = 0
        self._clock = 'host'
        if listeners.active(state):
            self._copies = []
            self._record_id = records.next_id()
            self._start = time.perf_counter_ns()

    def bring(self, values: Sequence[Operand], device: Device, first: int = 0) -> list[Array]:
        """The arrays of the operands on ``device``, copied where they lie elsewhere.

        Args:
            values: the operands.
            device: where the op runs.
            first: position of the first of them among the op's inputs.
        """
        return [
            self.place_host(value, self.op.argument(position), device, self._takes_host_data)
            if isinstance(value, HostOperand)
            else value._on_device(device, self.need(self.op.argument(position)))
            for position, value in enumerate(values, first)
        ]

    def copy_own(self, value: ArrayValue, device: Device) -> Array:
        """An array on ``device`` that only the caller holds: an explicit copy."""
        array, source = value._located()
        if source is device:
            return device.backend.copy(array)
        return transfer.to_device(
            array,
            source,
            device,
            explicit=True,
            op=self.op.name,
            operand='value',
            state=self.state,
            variable=value._label(),
            created=value._created(),
            copies=self._copies,
            record_id=self._record_id,
        )

    @property
    def _takes_host_data(self) -> bool:
        """Whether host data given to the op is meant to move: as for ``assign``."""
        return self.op.in_place is not None or self.op.asks_for_copy

    def need(self, operand: str) -> CopyNeed:
        """Why the op needs an operand, or its result, on another device."""
        return CopyNeed(
            self.op.name,
            operand,
            self.state,
            self._copies,
            self._record_id,
            self.op.asks_for_copy,
        )

    def place_host(self, value: HostOperand, operand: str, device: Device, explicit: bool) -> Array:
        """Host data on ``device``; a Python number that moves is no copy."""
        if value.is_number or not device.is_gpu:
            return device.backend.adopt(value.array)
        return transfer.from_host(
            value.array,
            device,
            explicit=explicit,
            op=self.op.name,
            operand=operand,
            state=self.state,
            copies=self._copies,
            record_id=self._record_id,
        )

    def compute(
        self, arrays: Sequence[Array], specs: Sequence[ArraySpec], decision: placement.Decision
    ) -> tuple[Array, ...]:
        """Runs the forward computation; without data the rule's answer is the result."""
        if any(type(array) is ShapeOnlyArray for array in arrays):
            self.finish()
            return tuple(ShapeOnlyArray(spec.shape, spec.dtype) for spec in specs)
        backend = decision.device.backend
        result = self._run(backend, arrays)
        results = result if isinstance(result, tuple) else (result,)
        results = tuple(as_array(array, backend) for array in results)
        if decision.reason is placement.VARIABLE:
            results = tuple(detached(array, backend) for array in results)
        if switches.flags & switches.SYNCHRONOUS:
            backend.synchronize()
        if switches.flags & switches.CHECK_NUMERICS:
            numerics_check.refuse_non_finite(self.op.name, results, backend)
        if switches.flags & switches.VERIFY_RULES:
            verify(self.op, specs, results)
        self.finish()
        return results

    def _run(self, backend: Backend, arrays: Sequence[Array]) -> Any:
        forward, xp = self.op.forward, backend.array_module
        if self.op.kernel is not None:
            forward = device_kernels.choose(self.op, backend).forward
        if self.op.grain and xp is np and host_large.is_one_large(arrays):
            forward = host_large.forward_of(self.op)
        if self._copies is not None and listeners.wants_device_times(self.state):
            timed = backend.timed_call(forward, xp, *arrays, **self.attributes)
            if timed is not None:
                self._clock = 'device'
                self._start, self._end = timed.start_ns, timed.end_ns
                return timed.result
        return backend.call(forward, xp, *arrays, **self.attributes)

    def finish(self) -> None:
        """Notes the end of the computation, if anybody listens."""
        if self._copies is not None and self._clock == 'host':
            self._end = time.perf_counter_ns()

    def report(
        self,
        values: Sequence[Operand],
        outputs: Sequence[Tensor],
        decision: placement.Decision,
        variable: str | None = None,
    ) -> None:
        """Emits the record of the op, if anybody listens."""
        if self._copies is not None:
            specs = [output._spec() for output in outputs]
            self.emit(self.describe(values, specs, decision, variable), decision.device)

    def describe(
        self,
        values: Sequence[Operand],
        results: Sequence[ArraySpec],
        decision: placement.Decision,
        variable: str | None = None,
    ) -> records.PlacementRecord:
        """What the record of the op says that holds for each time it runs."""
        result = results[0] if results else values[0]._spec()
        return records.PlacementRecord(
            op=self.op.name,
            device=decision.device.short,
            reason=decision.reason,
            shapes=tuple(value._spec().shape for value in values) or (result.shape,),
            dtype=dtypes.from_numpy(result.dtype).name,
            compute_dtype=_compute_dtype(self.op, result.dtype),
            where=str(call_site.user_call_site()),
            scope=_scope_text(self.state),
            nbytes=sum(spec.nbytes for spec in results),
            inputs_on=tuple(_location(value) for value in values),
            note=decision.note,
            variable=variable or _variable_name(values),
        )

    def emit(self, record: records.PlacementRecord, device: Device) -> None:
        """Completes a fresh record by what holds for this run alone, and emits it."""
        if self._copies is None or self._record_id is None:
            return
        record.id, record.copies = self._record_id, tuple(self._copies)
        record.start_ns, record.end_ns, record.clock = self._start, self._end, self._clock
        record.memory_after = device.backend.memory_info().current
        listeners.emit(record, self.state)

    def withhold(self) -> None:
        """Lets nobody hear of the op: a replay has emitted its record already."""
        self._copies = None


def check_values(
    op: OpDef,
    values: Sequence[Operand],
    attributes: dict[str, Any],
    known: Sequence[np.ndarray[Any, Any] | None] = (),
) -> None:
    """Has an op that runs on a GPU refuse what the host can still look at.

    Args:
        op: the record of the op.
        values: its inputs.
        attributes: its attributes.
        known: for each input what the host knows of its value, if anything.

    Raises:
        InvalidArgumentError: a value of the host is none that the op takes.
    """
    if op.check_values is None:
        return
    refuse = op.check_values
    fixed = list(known) or [None] * len(values)
    given: dict[int, ArrayValue] = {}
    for position, value in enumerate(values):
        if isinstance(value, HostOperand):
            fixed[position] = value.array
        elif type(value._read()) is np.ndarray:
            given[position] = value
    specs, places = [value._spec() for value in values], tuple(given)

    def check(*arrays: HostArray) -> None:
        hosts = list(fixed)
        for place, array in zip(places, arrays, strict=True):
            hosts[place] = array
        refuse(specs, hosts, **attributes)

    if given or any(host is not None for host in fixed):
        check_on_host(list(given.values()), check)


def check_on_host(values: Sequence[ArrayValue], check: Callable[..., None]) -> None:
    """Has values of the host checked before anything goes to a GPU.

    Args:
        values: tensors and variables whose arrays lie on the host.
        check: takes these arrays, and refuses what an op does not take.
    """
    state = scope.current()
    if state is not None and state.trace is not None:
        # A replay has to refuse the same before it copies anything.
        state.trace.check(values, check)
    else:
        check(*(value._read() for value in values))


def as_array(array: Any, backend: Backend) -> Array:
    """An array of the backend; NumPy gives scalars where rank 0 is meant."""
    if type(array) is backend.array_type:
        return array
    if type(array) is bytes:
        # An element of an array of strings; left to itself NumPy makes it a fixed width.
        return np.array(array, dtype=object)
    return backend.array_module.asarray(array)


def detached(array: Array, backend: Backend) -> Array:
    """A copy of a view, so that no slice pins the whole buffer of a variable."""
    return backend.copy(array) if getattr(array, 'base', None) is not None else array


def verify(op: OpDef, specs: Sequence[ArraySpec], results: Sequence[Array]) -> None:
    """Compares the results of an op with its rule; switched on by tests.

    Raises:
        InternalError: they differ.
    """
    for spec, array in zip(specs, results, strict=True):
        fits = len(spec.shape) == len(array.shape) and all(
            dim is None or dim == real for dim, real in zip(spec.shape, array.shape, strict=True)
        )
        if not fits or array.dtype is not spec.dtype:
            raise errors.InternalError(
                f'[{op.name}] the rule says {spec}, the result is {array.shape} {array.dtype}; '
                f'one of them is wrong',
                op.name,
            )


def _compute_dtype(op: OpDef, dtype: np.dtype[Any]) -> str:
    if op.wide and dtype in dtypes.HALF_PRECISION:
        return dtypes.float32.name
    return dtypes.from_numpy(dtype).name


def _scope_text(state: scope.ContextState | None) -> str:
    if state is None or state.device_scope is None:
        return ''
    return str(state.device_scope.requested)


def _location(value: Operand) -> str:
    return 'host' if isinstance(value, HostOperand) else value._device.short


def _variable_name(values: Sequence[Operand]) -> str | None:
    for value in values:
        if isinstance(value, ArrayValue) and value._label() is not None:
            return value._label()
    return None
