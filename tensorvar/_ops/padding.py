"""Values around the edges: pad, with a constant or mirrored."""

from typing import Any

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, array_layout, slicing
from tensorvar._ops._gradient_helpers import Gradients

Paddings = tuple[tuple[int, int], ...]

_MODES = ('CONSTANT', 'REFLECT', 'SYMMETRIC')


def _padded(op: str, tensor: ArraySpec, paddings: Paddings) -> ArraySpec:
    if len(paddings) != len(tensor.shape) or any(count < 0 for pair in paddings for count in pair):
        raise errors.InvalidArgumentError(
            f'[{op}] paddings {[list(pair) for pair in paddings]} were given for shape '
            f'{list(tensor.shape)}; allowed is a pair [before, after] of counts >= 0 per '
            f'dimension; give {len(tensor.shape)} pairs',
            op,
        )
    dims = zip(tensor.shape, paddings, strict=True)
    shape = tuple(None if dim is None else before + dim + after for dim, (before, after) in dims)
    return ArraySpec(shape, tensor.dtype)


def _inner(shape: tuple[int, ...], paddings: Paddings) -> tuple[slice, ...]:
    pairs = zip(shape, paddings, strict=True)
    return tuple(slice(before, before + dim) for dim, (before, _) in pairs)


# PadV2: a constant around


def _infer_pad(tensor: ArraySpec, constant_values: ArraySpec, *, paddings: Paddings) -> ArraySpec:
    if constant_values.shape:
        raise errors.InvalidArgumentError(
            f'[PadV2] constant_values of shape {list(constant_values.shape)} were given; '
            f'allowed is one value; give a scalar',
            'PadV2',
        )
    return _padded('PadV2', tensor, paddings)


def _pad(xp: Any, array: Array, value: Array, *, paddings: Paddings) -> Array:
    pairs = zip(array.shape, paddings, strict=True)
    shape = tuple(before + dim + after for dim, (before, after) in pairs)
    result = xp.empty(shape, array.dtype)
    result[...] = value
    result[_inner(array.shape, paddings)] = array
    return result


def _pad_gradient(context: Any, gradient: Tensor) -> Gradients:
    begin = [before for before, _ in context.attributes['paddings']]
    return slicing.slice(gradient, begin, context.inputs[0]._shape), None


PAD = op_registry.register(OpDef('PadV2', _infer_pad, _pad, _pad_gradient, inputs='T T'))


# MirrorPad: the edge's own elements, reversed, around


def _infer_mirror(tensor: ArraySpec, *, paddings: Paddings, mode: str) -> ArraySpec:
    result = _padded('MirrorPad', tensor, paddings)
    spare = 1 if mode == 'REFLECT' else 0
    for dim, pair in zip(tensor.shape, paddings, strict=True):
        if dim is not None and max(pair) > max(dim - spare, 0):
            raise errors.InvalidArgumentError(
                f'[MirrorPad] paddings {list(pair)} were given for a dimension of {dim}; with '
                f'{mode} at most {max(dim - spare, 0)} elements can be mirrored; pad less',
                'MirrorPad',
            )
    return result


def _mirror(xp: Any, array: Array, *, paddings: Paddings, mode: str) -> Array:
    spare = 1 if mode == 'REFLECT' else 0
    for axis, (before, after) in enumerate(paddings):
        if before or after:
            array = _mirror_axis(xp, array, axis, before, after, spare)
    return array


def _mirror_axis(xp: Any, array: Array, axis: int, before: int, after: int, spare: int) -> Array:
    lead = (slice(None),) * axis
    dim = array.shape[axis]
    front = array[(*lead, slice(spare, spare + before))]
    back = array[(*lead, slice(dim - spare - after, dim - spare))]
    return xp.concatenate((xp.flip(front, axis), array, xp.flip(back, axis)), axis=axis)


def _mirror_gradient(context: Any, gradient: Tensor) -> Gradients:
    """Folds the mirrored edges back onto the elements they came from."""
    spare = 1 if context.attributes['mode'] == 'REFLECT' else 0
    shape = context.inputs[0]._shape
    pairs = list(enumerate(context.attributes['paddings']))
    # The last axis was mirrored last, so that it is folded first.
    for axis, (before, after) in reversed(pairs):
        dim = shape[axis]
        front = _part(gradient, axis, 0, before)
        back = _part(gradient, axis, before + dim, after)
        gradient = (
            _part(gradient, axis, before, dim)
            + _placed(front, axis, spare, dim - before - spare)
            + _placed(back, axis, dim - after - spare, spare)
        )
    return (gradient,)


def _part(values: Tensor, axis: int, begin: int, length: int) -> Tensor:
    begins, sizes = [0] * values.ndim, [-1] * values.ndim
    begins[axis], sizes[axis] = begin, length
    return slicing.slice(values, begins, sizes)


def _placed(edge: Tensor, axis: int, before: int, after: int) -> Tensor:
    """An edge, turned round, among zeros at the place it was copied from."""
    paddings = [[0, 0]] * edge.ndim
    if edge._shape[axis] == 0:
        before, after = before + after, 0
    paddings[axis] = [before, after]
    return pad(array_layout.reverse(edge, [axis]), paddings)


MIRROR_PAD = op_registry.register(OpDef('MirrorPad', _infer_mirror, _mirror, _mirror_gradient))


def pad(
    tensor: Any,
    paddings: Any,
    mode: str = 'CONSTANT',
    constant_values: Any = 0,
    name: str | None = None,
) -> Tensor:
    """Adds elements before and after each axis.

    Args:
        tensor: values of any dtype.
        paddings: a pair ``[before, after]`` of counts per axis.
        mode: 'CONSTANT', 'REFLECT' (mirrors, leaving the edge element out) or 'SYMMETRIC'
            (mirrors with it); case does not matter.
        constant_values: the one value that 'CONSTANT' puts around; around text it is ''.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the rank of ``tensor``.

    Raises:
        InvalidArgumentError: an unknown mode, a count below 0, not one pair per axis, or
            more elements to mirror than there are.
    """
    chosen = mode.upper()
    pairs = _read_paddings(paddings)
    if chosen not in _MODES:
        raise errors.InvalidArgumentError(
            f'[pad] mode {mode!r} was given; allowed are "CONSTANT", "REFLECT", "SYMMETRIC"; '
            f'give one of them',
            'pad',
        )
    if chosen != 'CONSTANT':
        mirrored: Tensor = executor.run(MIRROR_PAD, tensor, paddings=pairs, mode=chosen)
        return mirrored
    values = conversion.unwrap(tensor)
    if _arguments.spec_of(values).dtype.kind == 'O' and constant_values == 0:
        # The default pads text with empty text.
        constant_values = ''
    result: Tensor = executor.run(PAD, values, constant_values, paddings=pairs)
    return result


def _read_paddings(paddings: Any) -> Paddings:
    read = conversion.host_integers(paddings, 'pad', 'paddings')
    if not isinstance(read, tuple) or not all(
        isinstance(pair, tuple) and len(pair) == 2 for pair in read
    ):
        raise errors.InvalidArgumentError(
            f'[pad] paddings {paddings!r:.80} were given; paddings must be a matrix with 2 '
            f'columns; give [[before, after], ...]',
            'pad',
        )
    return read
