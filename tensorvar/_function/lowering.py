"""NumPy calls that stand for the forward of an op, with a place for the result.

Each gives the same bits as the op's ``forward``; a test compares every one. An op that
is not here runs through its ``forward``.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorvar import dtypes
from tensorvar._backend import host_extremes, host_memory, host_products, host_sums
from tensorvar._backend.base import Array
from tensorvar._function.events import Op

Spec = tuple[tuple[int, ...], Any]
Names = Sequence[str]

_PLAIN = frozenset(
    dtype.numpy for dtype in (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64)
)
REAL = frozenset({dtypes.float32.numpy, dtypes.float64.numpy})


class Call(NamedTuple):
    """A NumPy call that takes ``out``.

    Attributes:
        function: the function.
        arguments: its arguments as source text.
        keywords: source text of its keywords, each with a comma before it.
        in_place: whether the result may go into an argument of its shape.
        last: a constant that is the last argument, or None.
        scratch: shapes and dtypes of arrays that it needs for itself, after the arguments;
            without them it makes its own.
    """

    function: Callable[..., Any]
    arguments: str
    keywords: str = ''
    in_place: bool = True
    last: Array | None = None
    scratch: tuple[Spec, ...] = ()


Lowering = Callable[[Op, Names, Sequence[Spec], Spec], Call | None]


def _ufunc(function: Any, allowed: frozenset[Any] = _PLAIN) -> Lowering:
    def lower(event: Op, names: Names, inputs: Sequence[Spec], result: Spec) -> Call | None:
        if any(dtype not in allowed for _, dtype in inputs):
            return None
        return Call(function, ', '.join(names))

    return lower


# Up to so many elements a kept array of zeros is cheaper to compare with than one zero.
FEW = host_extremes.FEW


def _extreme(function: Any, beside_a_number: Any) -> Lowering:
    def lower(event: Op, names: Names, inputs: Sequence[Spec], result: Spec) -> Call | None:
        if result[1] not in _PLAIN:
            return None
        has_number = not inputs[1][0] and math.prod(result[0]) > FEW
        return Call(beside_a_number if has_number else function, ', '.join(names))

    return lower


def _relu(event: Op, names: Names, inputs: Sequence[Spec], result: Spec) -> Call | None:
    shape, dtype = result
    if dtype not in _PLAIN:
        return None
    if math.prod(shape) <= FEW:
        return Call(np.maximum, names[0], last=host_memory.aligned(shape, dtype))
    return Call(host_extremes.maximum, names[0], last=np.zeros((), dtype))


_SUFFIX = {'none': '', 'transpose': '.swapaxes(-1, -2)', 'adjoint': '.swapaxes(-1, -2)'}
# ``np.dot`` would look for overloads first.
_DOT = np.ndarray.dot
_SUFFIX_OF_TWO = {'none': '', 'transpose': '.T', 'adjoint': '.T'}


def _matmul(event: Op, names: Names, inputs: Sequence[Spec], result: Spec) -> Call | None:
    forms = event.attributes['form_a'], event.attributes['form_b']
    if result[1] not in REAL or inputs[0][1] is not result[1]:
        return None
    if any(form not in _SUFFIX for form in forms):
        return None
    # For two matrices they are the same, but the method ``dot`` takes less time to begin.
    has_two = all(len(shape) == 2 for shape, _ in inputs)
    suffixes = _SUFFIX_OF_TWO if has_two else _SUFFIX
    first, second = (name + suffixes[form] for name, form in zip(names, forms, strict=True))
    return Call(_DOT if has_two else np.matmul, f'{first}, {second}', in_place=False)


# Longer sums are added in blocks, see ``_ops/_summation.py``.
_SHORT = 64


def _sum(event: Op, names: Names, inputs: Sequence[Spec], result: Spec) -> Call | None:
    shape, dtype = inputs[0]
    axis, keepdims = event.attributes['axis'], event.attributes['keepdims']
    ones = host_sums.ones_for(shape, dtype, axis)
    if ones is not None:
        if keepdims:
            return None
        name = f'{names[0]}.T' if host_sums.is_turned(axis) else names[0]
        return Call(_DOT, name, in_place=False, last=ones)
    if dtype not in REAL or not shape or math.prod(shape[:-1]) > _SHORT:
        return None
    return Call(np.add.reduce, names[0], f', axis={axis!r}, keepdims={keepdims!r}', in_place=False)


def _relu_grad(event: Op, names: Names, inputs: Sequence[Spec], result: Spec) -> Call | None:
    shape, dtype = result
    if dtype not in REAL or inputs[0] != inputs[1]:
        return None
    scratch = ((shape, _BOOL), result)
    return Call(relu_gradient, f'{names[0]}, {names[1]}', last=_ZERO[dtype], scratch=scratch)


_BOOL = np.dtype(np.bool_)
# An array is compared faster than a Python number.
_ZERO: dict[Any, Array] = {dtype: np.zeros((), dtype) for dtype in REAL}


def relu_gradient(
    gradient: Array,
    features: Array,
    zero: Array,
    positive: Array | None = None,
    factor: Array | None = None,
    out: Array | None = None,
) -> Array:
    """``gradient * (features > 0)``; numbers are multiplied faster than truth values."""
    positive = np.greater(features, zero, out=positive)
    if factor is None:
        return np.multiply(gradient, positive, out=out)
    np.copyto(factor, positive)
    return np.multiply(gradient, factor, out=out)


def _mean(event: Op, names: Names, inputs: Sequence[Spec], result: Spec) -> Call | None:
    shape, dtype = inputs[0]
    if dtype not in REAL or len(shape) != 1 or shape[0] == 0:
        return None
    if event.attributes['axis'] not in (None, (0,)) or event.attributes['keepdims']:
        return None
    ones = host_sums.ones_for(shape, dtype, None)
    total = np.add.reduce if ones is None else ones.dot
    function = functools.partial(mean, total, dtype.type(shape[0]))
    return Call(function, names[0], in_place=False)


def mean(total: Callable[[Array], Any], count: Any, array: Array, out: Array | None = None) -> Any:
    """The mean of a vector; ``total`` gives its sum."""
    # NumPy divides two of its numbers in a fifth of the time that arrays take.
    return total(array) / count if out is None else np.true_divide(total(array), count, out=out)


LOWERINGS: dict[str, Lowering] = {
    'AddV2': _ufunc(np.add),
    'Sub': _ufunc(np.subtract),
    'Mul': _ufunc(np.multiply),
    'RealDiv': _ufunc(np.true_divide, REAL),
    'Maximum': _extreme(np.maximum, host_extremes.maximum),
    'Minimum': _extreme(np.minimum, host_extremes.minimum),
    'MulNoNan': _ufunc(host_products.multiply_no_nan, REAL),
    'Neg': _ufunc(np.negative),
    'Pow': _ufunc(host_products.power, REAL),
    'Square': _ufunc(np.square, REAL),
    'Sqrt': _ufunc(np.sqrt, REAL),
    'Exp': _ufunc(np.exp, REAL),
    'Log': _ufunc(np.log, REAL),
    'Tanh': _ufunc(np.tanh, REAL),
    'Relu': _relu,
    'ReluGrad': _relu_grad,
    'MatMul': _matmul,
    'BatchMatMulV2': _matmul,
    'Sum': _sum,
    'Mean': _mean,
}


class InlineWrite(NamedTuple):
    """The source of a write that cannot fail.

    Attributes:
        in_place: writes into ``array``.
        fresh: a new value, made of ``array``.
        piece: the function that writes into a part of a large array.
    """

    in_place: str
    fresh: str
    piece: str


WRITES = {
    'AssignAddVariableOp': InlineWrite(
        'add(array, {value}, array)', 'add(array, {value})', 'add_into'
    ),
    'AssignSubVariableOp': InlineWrite(
        'subtract(array, {value}, array)', 'subtract(array, {value})', 'subtract_from'
    ),
    'AssignVariableOp': InlineWrite('copyto(array, {value})', '{value}.copy()', 'copy_into'),
}

NEVER_FAIL = frozenset({
    'Abs', 'BiasAdd', 'BroadcastTo', 'ConcatV2', 'Equal', 'ExpandDims', 'Fill', 'Greater',
    'GreaterEqual', 'Identity', 'Less', 'LessEqual', 'LogSoftmax', 'LogicalAnd', 'LogicalNot',
    'LogicalOr', 'Max', 'Min', 'NotEqual', 'OnesLike', 'Pack', 'ReadVariableOp',
    'Reshape', 'SelectV2', 'Sigmoid', 'Softmax', 'SparseSoftmaxCrossEntropyBackprop',
    'SquaredDifference', 'Squeeze', 'StopGradient', 'Transpose', 'ZerosLike',
})  # fmt: skip
"""Ops without a call here whose forward refuses no value of the right shape and dtype."""

SPREADING = frozenset({'AddV2', 'Sub', 'Mul', 'RealDiv', 'Maximum', 'Minimum'})
"""Ops for which a constant may be spread to the shape of the result beforehand."""

SAME_VALUE = frozenset({'Identity', 'ReadVariableOp', 'StopGradient', 'Copy'})
"""Ops of one input that give it as it is."""

SHAPE_ONLY = frozenset({'OnesLike', 'ZerosLike'})
"""Ops that only ask for the shape of their input, so that a signature decides them."""
