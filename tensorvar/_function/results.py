"""What a function returns, as tensors, and how a plan gives it back."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._core import conversion
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.indexed_slices import IndexedSlices
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._device.device import Device
from tensorvar._function import signature
from tensorvar._function.trace import Trace
from tensorvar._function.tree import Output, Outputs

_VALUES = (ArrayValue, bool, int, float, complex, str, bytes, np.ndarray, np.generic)


def as_tensors(result: Any) -> Any:
    """A result with tensors for its leaves, as ``tf.function`` gives it; None stays.

    Raises:
        InvalidTypeError: a leaf is no value: a replay could not give it back.
    """
    if result is None or type(result) is Tensor or isinstance(result, IndexedSlices):
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


def describe(result: Any, trace: Trace) -> Outputs:
    """Where a trace has the tensors of a result."""
    tensors: list[Tensor] = []
    signature.key_of([result], [], tensors)
    outputs = tuple(Output(trace.slot_of(tensor), tensor._device) for tensor in tensors)
    return Outputs(signature.with_tensors(result, _placeholders()), outputs)


def rebuild(arrays: tuple[Any, ...], outputs: Outputs) -> Any:
    """The result of a replay."""
    devices: list[Device] = [output.device for output in outputs.tensors]
    tensors = map(wrap, arrays, devices)
    if type(outputs.structure) is Tensor:
        return next(tensors)
    return signature.with_tensors(outputs.structure, tensors)
