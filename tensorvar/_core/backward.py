"""The reverse walk over a tape's entries.

A sweep forward finds what is watched and what leads to the sources; the walk back then
runs the gradient of each entry that lies between sources and targets, on the device of
its forward op. Entries are dropped as they are passed, so buffers go early.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tensorvar import dtypes, errors
from tensorvar._core import conversion, dispatch, indexed_slices
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.indexed_slices import IndexedSlices
from tensorvar._core.op_registry import (
    FUNCTIONS,
    NOT_DIFFERENTIABLE,
    OPS,
    OpDef,
)
from tensorvar._core.tape_entries import COPY, READ, WATCH, Entry
from tensorvar._core.tensor import Tensor
from tensorvar._core.variable import Variable
from tensorvar._device import scope
from tensorvar._device.device import Device

Gradient = Tensor | IndexedSlices | None
_DIFFERENTIABLE = dtypes.INEXACT
_new_context = tuple.__new__


class GradientContext(NamedTuple):
    """What a gradient function may know of its forward op.

    Attributes:
        op: the record of the op.
        inputs: its inputs, on the device where it ran.
        outputs: its results.
        attributes: its attributes.
        needs: per input, whether its gradient is wanted.
    """

    op: OpDef
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    attributes: dict[str, Any]
    needs: tuple[bool, ...]


def check_values(values: Sequence[Any], role: str) -> None:
    """Refuses whatever is neither a tensor nor a variable.

    Args:
        values: the flat targets or sources.
        role: ``'target'`` or ``'source'``, for the error text.

    Raises:
        TypeError: None was given.
        AttributeError: something else without a dtype was given, as in TensorFlow.
    """
    for value in values:
        if isinstance(value, ArrayValue):
            continue
        text = (
            f'[gradient] {value!r:.80} of type {type(value).__name__} was given as a {role}; '
            f'allowed are tensors, variables and nested structures of them'
        )
        if value is None:
            raise errors.InvalidTypeError(f'{text}; leave it out')
        raise AttributeError(f"{text}, which have the attribute 'dtype'; use tv.constant first")


def leads_from(entries: Sequence[Entry], sources: Sequence[Any], watch_accessed: bool) -> set[int]:
    """Ids of the watched values that depend on a source, the sources included.

    A source counts from where it is watched, or is the result of watched values.

    Args:
        entries: what the tape recorded.
        sources: tensors or variables.
        watch_accessed: whether reads of trainable variables count as watched.
    """
    source_ids = {id(source) for source in sources}
    watched: set[int] = set()
    leading: set[int] = set()
    for op, inputs, outputs, _ in entries:
        if op is READ or op is WATCH:
            value = inputs[0]
            is_watched = op is WATCH or (watch_accessed and _is_trainable(value))
            if is_watched and is_differentiable(value):
                watched.add(id(value))
                if id(value) in source_ids:
                    leading.add(id(value))
        if op.gradient is NOT_DIFFERENTIABLE:
            continue
        depends = leads = False
        for value in inputs:
            if id(value) in watched:
                depends = True
                if id(value) in leading:
                    leads = True
                    break
        if not depends:
            continue
        for out in outputs:
            if out._array.dtype in _DIFFERENTIABLE:
                key = id(out)
                watched.add(key)
                if leads or key in source_ids:
                    leading.add(key)
    return leading


def _is_trainable(value: Any) -> bool:
    return isinstance(value, Variable) and value._trainable


def is_differentiable(value: Any) -> bool:
    """Whether a value's dtype has derivatives: floats and complex numbers."""
    return value._spec().dtype in _DIFFERENTIABLE


def gradients(
    entries: list[Entry],
    leading: set[int],
    targets: Sequence[Any],
    sources: Sequence[Any],
    weights: Sequence[Any],
) -> list[Gradient]:
    """The gradients of the sum of the targets by each source.

    Args:
        entries: the tape's entries, emptied by this call.
        leading: what ``leads_from`` gives for the entries and the sources.
        targets: tensors or variables.
        sources: tensors or variables.
        weights: per target the weights of its elements, or None for ones.

    Returns:
        Per source a tensor, ``IndexedSlices``, or None. A source that is a target has
        the gradient of that, even where it is not watched or has no derivatives.
    """
    source_ids = {id(source) for source in sources}
    found: dict[int, Gradient] = {}
    for target, weight in zip(targets, weights, strict=True):
        if id(target) in leading or (
            id(target) in source_ids and target.dtype is not dtypes.string
        ):
            with on_device(target):
                _accumulate(found, target, _seed(target, weight))
    _walk_back(entries, leading, found, source_ids)
    return [found.get(id(source)) for source in sources]


def _seed(target: Any, weight: Any) -> Gradient:
    """The gradient of the target by itself: its weights, or ones."""
    if weight is None:
        return dispatch.run(OPS['OnesLike'], target)  # type: ignore[no-any-return]
    tensor = conversion.convert_to_tensor(weight, dtype=target.dtype)
    shape, given = target._spec().shape, tensor._spec().shape
    if given == shape:
        return tensor
    try:
        return dispatch.run(OPS['BroadcastTo'], tensor, shape=shape)  # type: ignore[no-any-return]
    except errors.InvalidArgumentError as error:
        raise errors.InvalidArgumentError(
            f'[gradient] output_gradients of shape {list(given)} were given for a target of '
            f'shape {list(shape)}; allowed is what broadcasts to it; reshape them'
        ) from error


def _walk_back(
    entries: list[Entry], leading: set[int], found: dict[int, Gradient], kept: set[int]
) -> None:
    """Runs the gradients from the last entry to the first.

    A gradient is dropped once its op has used it, unless its id is in ``kept``.
    """
    while entries:
        outputs = entries[-1][2]
        if outputs:
            device = outputs[0]._device
            with on_device(outputs[0]):
                _walk_back_on(device, entries, leading, found, kept)
        else:
            entries.pop()


def _walk_back_on(
    device: Device,
    entries: list[Entry],
    leading: set[int],
    found: dict[int, Gradient],
    kept: set[int],
) -> None:
    """Walks back until an op of another device comes; its own scope is worth several ops."""
    while entries:
        op, inputs, outputs, attributes = entries[-1]
        if outputs and outputs[0]._device is not device:
            return
        entries.pop()
        for out in outputs:
            if id(out) in found:
                break
        else:
            continue
        needs = tuple([id(value) in leading for value in inputs])
        if True not in needs:
            continue
        arriving = [_arriving(op, out, found, kept) for out in outputs]
        if op is READ:
            leaving: Sequence[Any] = arriving
        else:
            context = _new_context(GradientContext, (op, inputs, outputs, attributes, needs))
            leaving = op.gradient(context, *arriving)  # type: ignore[operator]
            if len(leaving) != len(inputs):
                raise _wrong_count(op, leaving, inputs)
        for position, needed in enumerate(needs):
            gradient = leaving[position]
            if needed and gradient is not None:
                _accumulate(found, inputs[position], gradient)


def _wrong_count(op: OpDef, leaving: Sequence[Any], inputs: Sequence[Any]) -> errors.InternalError:
    return errors.InternalError(
        f'[{op.name}] the gradient gave {len(leaving)} values for {len(inputs)} inputs; '
        f'one per input is needed',
        op.name,
    )


def _with_gradient_device(base: scope.ContextState | None, device: Device) -> scope.ContextState:
    return (base or scope.EMPTY).derive(_GradientDevice(device), base)


def on_device(value: Any) -> scope.Pushed:
    """A scope whose ops are backward ops of what made ``value``."""
    return on(value._device)


def on(device: Device) -> scope.Pushed:
    """A scope whose ops are backward ops of one that ran on ``device``."""
    return scope.Pushed(_with_gradient_device(scope.current(), device))


class _GradientDevice(scope.Scope):
    """Runs backward ops on the device of their forward op."""

    __slots__ = ('_device',)

    def __init__(self, device: Device) -> None:
        self._device = device

    def apply(self, state: scope.ContextState) -> None:
        state.gradient_device = self._device


def _arriving(op: OpDef, output: Any, found: dict[int, Gradient], kept: set[int]) -> Any:
    """The gradient that reached an output; if none did, zeros, or None as the op wants."""
    key = id(output)
    gradient = found.get(key) if key in kept else found.pop(key, None)
    if type(gradient) is Tensor:
        if gradient._device is output._device or op is READ or op is COPY:
            return gradient
    elif gradient is None:
        if op.none_arrives or not is_differentiable(output):
            return None
        return FUNCTIONS['zeros_like'](output)
    elif op is READ or op is COPY:
        return gradient
    else:
        gradient = densified(gradient)
        if gradient._device is output._device:
            return gradient
    # One copy here saves one for each op of the gradient that takes it.
    return dispatch.run(COPY, gradient)


def _accumulate(found: dict[int, Gradient], value: Any, gradient: Gradient) -> None:
    key = id(value)
    found[key] = _sum(found[key], gradient) if key in found else gradient


def _sum(first: Any, second: Any) -> Any:
    if type(first) is Tensor and type(second) is Tensor:
        return dispatch.run_pair(OPS['AddV2'], first, second)
    if isinstance(first, IndexedSlices) and isinstance(second, IndexedSlices):
        return indexed_slices.add(first, second)
    return dispatch.run(OPS['AddV2'], densified(first), densified(second))


def densified(gradient: Any) -> Any:
    """A tensor; ``IndexedSlices`` are spread out."""
    return gradient.to_tensor() if isinstance(gradient, IndexedSlices) else gradient
