"""How an op runs: directly where possible, else on the full path.

The direct path serves what runs most: nothing listens, guards or traces, and all inputs
are tensors, variables or numbers on one device, with the dtypes the op wants. Everything
else, and whatever fails here, takes the full path, which words the errors.

What is written out at length below is called for every op: a Python call costs a
quarter of what NumPy takes to add two short vectors.
"""

from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._backend import floating_point
from tensorvar._backend.base import Backend
from tensorvar._core import (
    device_kernels,
    dispatch,
    full_path,
    host_data,
    host_large,
    operands,
    tape_writing,
)
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_call import as_array, detached
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._device import registry, scope, switches
from tensorvar._device.device import Device

_NUMBERS = frozenset({bool, int, float})
_MOST_CONSTANTS = 512
# Python numbers that met arrays, as read-only arrays of rank 0.
_constants: dict[tuple[Any, ...], np.ndarray[Any, Any]] = {}

_current = scope.current
_set_error_state = floating_point.state.set
_reset_error_state = floating_point.state.reset
_QUIET = floating_point.QUIET
_quietly = floating_point.quietly
_new_tensor = Tensor.__new__
_ndarray = np.ndarray
_LARGE = host_large.LARGE


def run(op: OpDef, *inputs: Any, **attributes: Any) -> Any:
    """Runs an op.

    Args:
        op: the record of the op.
        *inputs: tensors, variables, arrays, Python numbers or nested lists.
        **attributes: plain, hashable Python values.

    Returns:
        A tensor, or a tuple of tensors if the op's rule gives a tuple.

    Raises:
        InvalidArgumentError: the rule of the op refuses the inputs or attributes.
        TransferError: a guard refuses a copy the op needs.
        ResourceExhaustedError: the device is full.
    """
    state = _current()
    if not switches.flags and (state is None or state.plain):
        result = _run_direct(op, inputs, attributes, state)
        if result is not None:
            return result
    return full_path.run(op, inputs, attributes, state)


def run_pair(op: OpDef, x: Any, y: Any) -> Any:
    """Runs an op of two inputs: the same as ``run(op, x, y, **op.plain)``.

    Values of the CPU, and one with a number met before, are served within this frame.

    Args:
        op: the record of the op.
        x: its first input.
        y: its second input.
    """
    function = op.host_function
    state = _current()
    if function is None or switches.flags or not (state is None or state.plain):
        return run(op, x, y, **op.plain)
    if type(x) is Tensor:
        array, device = x._array, x._device
    elif type(x) in _NUMBERS:
        array = device = None
    elif isinstance(x, ArrayValue):
        array, device = x._located()
    else:
        return run(op, x, y, **op.plain)
    if type(y) is Tensor:
        other, where = y._array, y._device
    elif type(y) in _NUMBERS:
        if device is None:
            return run(op, x, y, **op.plain)
        other, where = _constants.get((array.dtype, type(y), y)), device
    elif isinstance(y, ArrayValue):
        other, where = y._located()
    else:
        return run(op, x, y, **op.plain)
    if device is None:
        array, device = _constants.get((other.dtype, type(x), x)), where
    if (
        where is not device
        or type(array) is not _ndarray
        or type(other) is not _ndarray
        or other.dtype is not array.dtype
        or array.dtype not in op.allowed
    ):
        return run(op, x, y, **op.plain)
    if state is not None and state.wanted is not None and state.wanted is not device:
        return run(op, x, y, **op.plain)
    if array.nbytes >= _LARGE or other.nbytes >= _LARGE:
        return run(op, x, y, **op.plain)
    try:
        if op.ufunc is not None:
            result = _quietly(function, array, other)
        else:
            token = _set_error_state(_QUIET)
            try:
                result = function(array, other)
            finally:
                _reset_error_state(token)
    except (ValueError, TypeError, MemoryError, RuntimeError):
        # Refused by NumPy, or because another thread is in such a call.
        return run(op, x, y, **op.plain)
    if type(result) is not _ndarray:
        result = as_array(result, device.backend)
    output = _new_tensor(Tensor)
    output._array = result
    output._device = device
    if state is not None and state.tapes:
        local: tuple[Any, ...] = (x, y)
        if type(x) is not Tensor or type(y) is not Tensor:
            local = tape_writing.as_tensors(local, (array, other), device, state)
        entry = (op, local, (output,), op.plain)
        for tape in state.tapes:
            tape.write(entry)
    return output


def _run_direct(
    op: OpDef,
    inputs: tuple[Any, ...],
    attributes: dict[str, Any],
    state: scope.ContextState | None,
) -> Any:
    """The result, or None if the full path has to look at the call."""
    arrays: list[Any] = []
    has_numbers = False
    all_tensors = True
    device: Any = None
    backend: Any = None
    array_type: Any = None
    for value in inputs:
        kind = type(value)
        if kind is Tensor:
            array = value._array
            where = value._device
        elif kind in _NUMBERS:
            has_numbers = True
            all_tensors = False
            arrays.append(value)
            continue
        elif isinstance(value, ArrayValue):
            all_tensors = False
            array, where = value._located()
        else:
            return None
        if where is not device:
            if device is not None:
                return None
            device = where
            backend = where.backend
            array_type = backend.array_type
        # Values without data have no array of the device.
        if type(array) is not array_type:
            return None
        arrays.append(array)
    wanted = None if state is None else state.wanted
    if device is None:
        if inputs:
            return None
        device = wanted or registry.default_device()
        backend = device.backend
        array_type = backend.array_type
    elif wanted is not None and wanted is not device:
        return None
    if has_numbers and not _convert_numbers(op, arrays, backend):
        return None
    if has_numbers and op.check_values is not None and device.is_gpu:
        # The full path checks them before they go there.
        return None
    if op.uniform:
        dtype = arrays[0].dtype
        if dtype not in op.allowed:
            return None
        for array in arrays:
            if array.dtype is not dtype:
                return None
    elif not operands.dtypes_agree(op, arrays):
        return None
    if not op.direct and not _rule_accepts(op, arrays, attributes, device):
        return None
    try:
        if array_type is np.ndarray:
            # What the backend's ``call`` does while no fault is armed.
            forward = op.forward
            if op.grain and (arrays[0].nbytes >= _LARGE or arrays[-1].nbytes >= _LARGE):
                forward = host_large.forward_of(op)
            token = _set_error_state(_QUIET)
            try:
                result = forward(np, *arrays, **attributes)
            finally:
                _reset_error_state(token)
        else:
            forward = op.forward if op.kernel is None else device_kernels.choose(op, backend)[0]
            result = backend.call(forward, backend.array_module, *arrays, **attributes)
    except (ValueError, TypeError, IndexError):
        if not op.direct:
            # The rule has accepted the inputs, so the full path would raise the same.
            raise
        # The full path checks the inputs by the op's rule and words the error.
        return None
    except MemoryError as error:
        if isinstance(error, errors.ResourceExhaustedError):
            raise
        # NumPy's own, which the backend words.
        return None
    if type(result) is array_type and not op.on_variable:
        output = _new_tensor(Tensor)
        output._array = result
        output._device = device
        results: Any = output
    else:
        results = _finish(op, inputs, result, device)
    if state is not None and state.tapes:
        local = inputs if all_tensors else tape_writing.as_tensors(inputs, arrays, device, state)
        outputs = results if type(results) is tuple else (results,)
        entry = (op, local, outputs, attributes)
        for tape in state.tapes:
            tape.write(entry)
    return results


def _finish(op: OpDef, inputs: tuple[Any, ...], result: Any, device: Device) -> Any:
    """The tensors of what the forward computation of an op gave."""
    backend = device.backend
    if type(result) is tuple:
        return tuple([wrap(as_array(array, backend), device) for array in result])
    array = as_array(result, backend)
    if op.on_variable and type(inputs[0]) is not Tensor:
        array = detached(array, backend)
    return wrap(array, device)


def _rule_accepts(op: OpDef, arrays: list[Any], attributes: dict[str, Any], device: Device) -> bool:
    """Whether the op's rule takes the inputs, and the device can hold the results."""
    try:
        expected = op.infer(*[ArraySpec(a.shape, a.dtype) for a in arrays], **attributes)
    except (errors.OpError, ValueError, TypeError):
        return False
    return not (device.is_gpu and _makes_text(expected))


def _makes_text(expected: Any) -> bool:
    """Whether a result is text, which no GPU holds."""
    specs = (expected,) if isinstance(expected, ArraySpec) else expected
    return any(spec.dtype.kind == 'O' for spec in specs)


def _convert_numbers(op: OpDef, arrays: list[Any], backend: Backend) -> bool:
    """Puts arrays where Python numbers are; says whether it could."""
    for position, value in enumerate(arrays):
        if type(value) not in _NUMBERS:
            continue
        dtype = _dtype_beside(op, arrays, position)
        if dtype is None:
            return False
        try:
            arrays[position] = _constant(value, dtype, op, backend)
        except errors.InvalidArgumentError:
            # The full path words the error.
            return False
    return True


def _dtype_beside(op: OpDef, arrays: list[Any], position: int) -> np.dtype[Any] | None:
    """The dtype of the first array that shares the letter of an input."""
    letter = op.letter(position)
    for other, array in enumerate(arrays):
        if type(array) not in _NUMBERS and op.letter(other) == letter:
            dtype: np.dtype[Any] = array.dtype
            return dtype
    return None


def _constant(value: Any, dtype: np.dtype[Any], op: OpDef, backend: Backend) -> Any:
    # An op of any number of inputs might hand its input on as its result.
    if op.variadic or backend.array_type is not np.ndarray:
        return backend.from_host(host_data.to_array(value, dtype, op.name))
    host = _constants.get((dtype, type(value), value))
    if host is not None:
        return host
    host = host_data.to_array(value, dtype, op.name)
    # 0.0 equals -0.0, so it cannot be found by its value.
    if value != 0 or type(value) is int:
        host.flags.writeable = False
        if len(_constants) >= _MOST_CONSTANTS:
            _constants.clear()
        _constants[dtype, type(value), value] = host
    return host


dispatch.run = run
dispatch.run_pair = run_pair
