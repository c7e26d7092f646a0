"""Products of matrices: matmul and what is made of it.

A matrix enters in one of four forms: as it is ('none'), transposed ('transpose'),
transposed and conjugated ('adjoint'), or conjugated ('conjugate').
"""

from typing import Any

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._core import executor, op_registry
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._device import precision as _precision
from tensorvar._device.precision import Precision
from tensorvar._ops import (
    _arguments,
    _define,
    _gradient_helpers,
    _matmul_arrays,
    array_shape,
)
from tensorvar._ops._gradient_helpers import Gradients

_ADJOINT_OF = {
    'none': 'adjoint',
    'transpose': 'conjugate',
    'adjoint': 'none',
    'conjugate': 'transpose',
}
_TRANSPOSE_OF = {
    'none': 'transpose',
    'transpose': 'none',
    'adjoint': 'conjugate',
    'conjugate': 'adjoint',
}
_CONJUGATE_OF = {
    'none': 'conjugate',
    'transpose': 'adjoint',
    'adjoint': 'transpose',
    'conjugate': 'none',
}

_IEEE: Precision = _precision.IEEE
_FLOAT32 = dtypes.float32.numpy

# Exact wider results that may be asked for.
_WIDER = {
    dtypes.int8: (dtypes.int32,),
    dtypes.float16: (dtypes.float32,),
    dtypes.bfloat16: (dtypes.float32,),
}


def _form_shape(shape: _shapes.PartialShape, form: str) -> _shapes.PartialShape:
    if form in ('transpose', 'adjoint'):
        return (*shape[:-2], shape[-1], shape[-2])
    return shape


def _matrix_shape(
    op: str, a: ArraySpec, b: ArraySpec, form_a: str, form_b: str
) -> _shapes.PartialShape:
    """The rows and columns of the product."""
    for position, spec in enumerate((a, b)):
        if len(spec.shape) < 2:
            raise errors.InvalidArgumentError(
                f'[{op}] In[{position}] ndims must be >= 2, but shapes {list(a.shape)} and '
                f'{list(b.shape)} were given; use tv.linalg.matvec for vectors or reshape',
                op,
            )
    left, right = _form_shape(a.shape, form_a), _form_shape(b.shape, form_b)
    if not _arguments.same_dim(left[-1], right[-2]):
        raise errors.InvalidArgumentError(
            f'[{op}] Matrix size-incompatible: In[0]: {list(a.shape)} ({form_a}), In[1]: '
            f'{list(b.shape)} ({form_b}); the columns of the first, {left[-1]}, must be as many '
            f'as the rows of the second, {right[-2]}; transpose or reshape one of them',
            op,
        )
    return left[-2], right[-1]


def _infer_matmul(
    a: ArraySpec,
    b: ArraySpec,
    *,
    form_a: str,
    form_b: str,
    output_type: np.dtype[Any] | None,
    precision: Precision = _IEEE,
) -> ArraySpec:
    if len(a.shape) > 2 or len(b.shape) > 2:
        raise errors.InvalidArgumentError(
            f'[MatMul] shapes {list(a.shape)} and {list(b.shape)} were given; both must be of '
            f'rank 2; use tv.matmul, which takes batches too',
            'MatMul',
        )
    _matmul_arrays.check_precision('MatMul', a.dtype, precision)
    shape = _matrix_shape('MatMul', a, b, form_a, form_b)
    return ArraySpec(shape, output_type or a.dtype)


def _infer_batch(
    a: ArraySpec,
    b: ArraySpec,
    *,
    form_a: str,
    form_b: str,
    output_type: np.dtype[Any] | None,
    precision: Precision = _IEEE,
) -> ArraySpec:
    _matmul_arrays.check_precision('BatchMatMulV2', a.dtype, precision)
    matrix = _matrix_shape('BatchMatMulV2', a, b, form_a, form_b)
    batches = [ArraySpec(spec.shape[:-2], spec.dtype) for spec in (a, b)]
    batch = _define.broadcast('BatchMatMulV2', *batches)
    return ArraySpec((*batch, *matrix), output_type or a.dtype)


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    """With C = A' B', A' gets G B'^H and B' gets A'^H G; then the form of each is undone."""
    a, b = context.inputs
    form_a, form_b = context.attributes['form_a'], context.attributes['form_b']
    precision = context.attributes['precision']
    if gradient._array.dtype is not a._array.dtype:
        gradient = executor.run(op_registry.OPS['Cast'], gradient, dtype=a.dtype.numpy)
    for_a = _for_left(gradient, b, form_a, form_b, precision) if context.needs[0] else None
    for_b = _for_right(gradient, a, form_a, form_b, precision) if context.needs[1] else None
    return (
        None if for_a is None else _gradient_helpers.sum_to_shape(for_a, a._shape),
        None if for_b is None else _gradient_helpers.sum_to_shape(for_b, b._shape),
    )


def _for_left(
    gradient: Tensor, b: Tensor, form_a: str, form_b: str, precision: Precision
) -> Tensor:
    if form_a == 'transpose':
        return multiply(b, gradient, _CONJUGATE_OF[form_b], 'transpose', precision=precision)
    if form_a == 'adjoint':
        return multiply(b, gradient, form_b, 'adjoint', precision=precision)
    if form_a == 'conjugate':
        return multiply(gradient, b, 'conjugate', _TRANSPOSE_OF[form_b], precision=precision)
    return multiply(gradient, b, 'none', _ADJOINT_OF[form_b], precision=precision)


def _for_right(
    gradient: Tensor, a: Tensor, form_a: str, form_b: str, precision: Precision
) -> Tensor:
    if form_b == 'transpose':
        return multiply(gradient, a, 'transpose', _CONJUGATE_OF[form_a], precision=precision)
    if form_b == 'adjoint':
        return multiply(gradient, a, 'adjoint', form_a, precision=precision)
    if form_b == 'conjugate':
        return multiply(a, gradient, _TRANSPOSE_OF[form_a], 'conjugate', precision=precision)
    return multiply(a, gradient, _ADJOINT_OF[form_a], 'none', precision=precision)


_PLAIN = {'form_a': 'none', 'form_b': 'none', 'output_type': None, 'precision': _IEEE}

MATMUL = op_registry.register(
    OpDef(
        'MatMul',
        _infer_matmul,
        _matmul_arrays.multiply,
        _gradient,
        inputs='T T',
        dtypes={'T': dtypes.NUMERIC},
        kernel=_matmul_arrays.kernel,
        direct=True,
        wide=True,
        host_function=_matmul_arrays.multiply_plain,
        plain=_PLAIN,
    )
)
BATCH_MATMUL = op_registry.register(
    OpDef(
        'BatchMatMulV2',
        _infer_batch,
        _matmul_arrays.multiply,
        _gradient,
        inputs='T T',
        dtypes={'T': dtypes.NUMERIC},
        kernel=_matmul_arrays.kernel,
        direct=True,
        wide=True,
    )
)


def multiply(
    a: Any,
    b: Any,
    form_a: str,
    form_b: str,
    output_type: np.dtype[Any] | None = None,
    precision: Precision = _IEEE,
) -> Tensor:
    """The product of two matrices, or of batches of them, each in its form."""
    flat = _arguments.rank_of(a) == 2 == _arguments.rank_of(b)
    if flat and form_a == form_b == 'none' and output_type is None and precision == _IEEE:
        product: Tensor = executor.run_pair(MATMUL, a, b)
        return product
    result: Tensor = executor.run(
        MATMUL if flat else BATCH_MATMUL,
        a,
        b,
        form_a=form_a,
        form_b=form_b,
        output_type=output_type,
        precision=precision,
    )
    return result


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
    precision: Precision | None = None,
) -> Tensor:
    """The product of matrices, or of batches of matrices, which broadcast.

    16-bit floats are multiplied in float32 and rounded once.

    Differs from TensorFlow: float32 is multiplied in float32 on a GPU, too, unless
    ``precision`` or ``tv.config.experimental.enable_tensor_float_32_execution`` says
    otherwise.

    Args:
        a: numbers of rank 2 or more; the last two axes are rows and columns.
        b: likewise, of the dtype of ``a``.
        transpose_a: whether ``a`` is transposed first.
        transpose_b: whether ``b`` is transposed first.
        adjoint_a: whether ``a`` is transposed and conjugated first.
        adjoint_b: whether ``b`` is transposed and conjugated first.
        a_is_sparse: accepted for TensorFlow's sake; a hint that changes nothing.
        b_is_sparse: likewise.
        output_type: None for the dtype of ``a``; int32 for int8, float32 for float16 and
            bfloat16 (TensorFlow's CPU has the first alone).
        grad_a: accepted for TensorFlow's sake.
        grad_b: likewise.
        name: likewise.
        precision: ``'ieee'`` multiplies float32 as it is. ``'tf32'``, for float32 alone, lets
            a GPU round the factors to 10 bits of mantissa, which is faster on its tensor
            cores; the CPU computes as with ``'ieee'``. Gradients are computed alike. None is
            ``'ieee'``, unless TensorFloat-32 has been enabled for all.

    Returns:
        The product, of shape ``(*batch, rows of a, columns of b)``.

    Raises:
        InvalidArgumentError: a rank below 2, sizes that do not fit, different dtypes, an
            unknown precision, or ``'tf32'`` for matrices that are not float32.
        ValueError: one matrix is to be both transposed and adjoint.
    """
    form_a = _form('a', transpose_a, adjoint_a) if transpose_a or adjoint_a else 'none'
    form_b = _form('b', transpose_b, adjoint_b) if transpose_b or adjoint_b else 'none'
    wanted = None if output_type is None else _checked_output(a, output_type)
    if precision is None:
        if _precision.default == _IEEE or not _is_float32(a, b):
            return multiply(a, b, form_a, form_b, wanted)
        precision = _precision.default
    return multiply(a, b, form_a, form_b, wanted, precision)


def _is_float32(a: Any, b: Any) -> bool:
    """Whether matrices are multiplied as float32: what a list becomes, a tensor decides."""
    first = b if isinstance(b, ArrayValue) and not isinstance(a, ArrayValue) else a
    return _arguments.spec_of(first).dtype == _FLOAT32


def _form(which: str, transpose: bool, adjoint: bool) -> str:
    if transpose and adjoint:
        raise errors.InvalidArgumentError(
            f'[MatMul] Only one of `transpose_{which}` and `adjoint_{which}` can be True; '
            f'give one of them',
            'MatMul',
        )
    return 'adjoint' if adjoint else 'transpose'


def _checked_output(a: Any, output_type: Any) -> np.dtype[Any] | None:
    wanted = dtypes.as_dtype(output_type)
    given = dtypes.from_numpy(_arguments.spec_of(a).dtype)
    if wanted is given:
        return None
    if wanted not in _WIDER.get(given, ()):
        raise errors.InvalidTypeError(
            f'[MatMul] output_type {wanted.name} was given for {given.name} matrices; allowed '
            f'are the same, int32 for int8, float32 for 16-bit floats; tv.cast the result',
            'MatMul',
        )
    return wanted.numpy


def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The product of matrices and vectors; see ``matmul``.

    Args:
        a: numbers of rank 2 or more.
        b: vectors along the last axis.
        transpose_a: whether ``a`` is transposed first.
        adjoint_a: whether ``a`` is transposed and conjugated first.
        a_is_sparse: accepted for TensorFlow's sake.
        b_is_sparse: likewise.
        name: likewise.

    Returns:
        The product, of shape ``(*batch, rows of a)``.

    Raises:
        InvalidArgumentError: ranks or sizes that do not fit, different dtypes.
    """
    column = array_shape.expand_dims(b, -1)
    product = matmul(a, column, transpose_a=transpose_a, adjoint_a=adjoint_a)
    return array_shape.squeeze(product, -1)


op_registry.provide('matmul', matmul)
