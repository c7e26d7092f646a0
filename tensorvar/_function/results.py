"""What a function returns, as tensors, and how a plan gives it back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tensorvar import _shapes, errors
from tensorvar._backend.base import Array
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._core import conversion
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.indexed_slices import IndexedSlices
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._device import scope
from tensorvar._device.device import Device
from tensorvar._function import signature, taped
from tensorvar._function.taped import Links
from tensorvar._function.trace import Trace
from tensorvar._function.tree import Output, Outputs

State = scope.ContextState | None

_STAYS = (type(None), IndexedSlices)
_VALUES = (
    _shapes.TensorShape,
    ArrayValue,
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    np.ndarray,
    np.generic,
)


def as_tensors(result: Any) -> Any:
    """A result with tensors for its leaves, as ``tf.function`` gives it.

    None stays.

    Raises:
        InvalidTypeError: a leaf is no value: a replay could not give it back.
    """
    if type(result) is Tensor or isinstance(result, _STAYS):
        return result
    if isinstance(result, _VALUES):
        return conversion.convert_to_tensor(result)
    if isinstance(result, Mapping):
        items = {key: as_tensors(item) for key, item in result.items()}
        return items if type(result) is dict else signature.rebuilt(result, items)
    if isinstance(result, list | tuple):
        parts = [as_tensors(item) for item in result]
        return type(result)(*parts) if hasattr(result, '_fields') else type(result)(parts)
    raise errors.InvalidTypeError(
        f'[function] the function returned {result!r:.80} of type {type(result).__name__}; '
        f'allowed are tensors, variables, numbers, arrays, text, None, and lists, tuples and '
        f'dicts of them; return such values'
    )


def _placeholders() -> Iterator[Tensor]:
    """Stand-ins for the tensors of a result, which hold no arrays."""
    device: Any = None
    while True:
        yield wrap(ShapeOnlyArray((), np.dtype(np.float32)), device)


def describe(result: Any, trace: Trace, arguments: Sequence[Tensor] = ()) -> Outputs:
    """Where a trace has the tensors of a result.

    Args:
        result: what the function returned.
        trace: its trace.
        arguments: the tensors that the function was given.
    """
    tensors: list[Tensor] = []
    signature.key_of([result], [], tensors)
    outputs = tuple(Output(trace.slot_of(tensor), tensor._device) for tensor in tensors)
    structure = signature.with_tensors(result, _placeholders())
    is_one = type(result) is Tensor
    if trace.scribe is None:
        return Outputs(structure, outputs, is_one)
    notes = taped.notes(trace.scribe.entries, tensors, arguments, trace.slot_of, trace.constants)
    return Outputs(structure, outputs, is_one, notes)


def giver(outputs: Outputs) -> Callable[[tuple[Any, ...]], Any]:
    """``rebuild`` for known outputs; a tensor, or a list of them, takes less time."""
    devices = {output.device for output in outputs.tensors}
    if len(devices) == 1:
        device = devices.pop()
        if outputs.is_one:
            return lambda arrays: wrap(arrays[0], device)
        structure = outputs.structure
        if type(structure) is list and all(type(leaf) is Tensor for leaf in structure):
            return lambda arrays: [wrap(array, device) for array in arrays]
    return lambda arrays: rebuild(arrays, outputs)


def rebuild(arrays: tuple[Any, ...], outputs: Outputs) -> Any:
    """The result of a replay."""
    if outputs.is_one:
        return wrap(arrays[0], outputs.tensors[0].device)
    devices: list[Device] = [output.device for output in outputs.tensors]
    return with_tensors(outputs, map(wrap, arrays, devices))


def with_tensors(outputs: Outputs, tensors: Iterator[Tensor]) -> Any:
    """The result that holds given tensors."""
    if outputs.is_one:
        return next(tensors)
    return signature.with_tensors(outputs.structure, tensors)


def tell_tapes(
    values: Sequence[Array], outputs: Outputs, arguments: Sequence[Tensor], state: State
) -> Any:
    """The result of a replay that has kept all values; the tapes of the caller note it.

    Args:
        values: by slot.
        outputs: where the results go.
        arguments: the tensors that the function was given.
        state: the current scopes.
    """
    if state is None or not state.tapes:
        return rebuild(tuple(values[output.slot] for output in outputs.tensors), outputs)
    assert outputs.notes is not None
    entries, tensors = outputs.notes.make(values, arguments)
    for tape in state.tapes:
        for entry in entries:
            tape.write(entry)
    return with_tensors(outputs, iter(tensors))


def as_given(result: Any, trace: Trace, links: Links) -> Any:
    """The result of a trace, connected to what the caller gave as an eager run does it."""
    scribe = trace.scribe
    if scribe is None or not scribe.is_whole or not links.undo(scribe.entries):
        return result
    tensors: list[Tensor] = []
    signature.key_of([result], [], tensors)
    return signature.with_tensors(result, map(links.given, tensors))
