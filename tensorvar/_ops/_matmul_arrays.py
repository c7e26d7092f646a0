"""The computation of products of matrices, as array code and on a card.

On a card our kernels or cuBLAS multiply, see ``_core.matrix_products``; the array code
there is for a card that has neither.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._device import precision as _precision

if TYPE_CHECKING:
    from tensorvar._core.kernels import Kernels
    from tensorvar._cuda.matmul_problem import Activation

_IEEE: _precision.Precision = _precision.IEEE
_TF32: _precision.Precision = _precision.TF32
_FLOAT32 = dtypes.float32.numpy
Spec = tuple[tuple[int, ...], np.dtype[Any]]
_TURNED = ('transpose', 'adjoint')
_CONJUGATED = ('conjugate', 'adjoint')


def check_precision(op: str, dtype: np.dtype[Any], precision: Any) -> None:
    """Raises unless matrices of a dtype can be multiplied with a precision.

    Raises:
        InvalidArgumentError: there is no such precision.
        InvalidTypeError: it is not one of this dtype.
    """
    if precision not in (_IEEE, _TF32):
        raise errors.InvalidArgumentError(
            f"[{op}] precision {precision!r} was given; allowed are 'ieee' and 'tf32'; leave it "
            f'out for what tv.config.experimental.enable_tensor_float_32_execution says',
            op,
        )
    if precision == _TF32 and dtype != _FLOAT32:
        raise errors.InvalidTypeError(
            f"[{op}] precision 'tf32' was given for {dtypes.from_numpy(dtype).name} matrices; it "
            f'is a way to multiply float32; leave it out or tv.cast the matrices',
            op,
        )


def multiply(
    xp: Any,
    a: Array,
    b: Array,
    *,
    form_a: str,
    form_b: str,
    output_type: np.dtype[Any] | None,
    precision: _precision.Precision = _IEEE,
) -> Array:
    """The product of two matrices, or of batches of them, each in its form."""
    _refuse(a, b, precision)
    result = a.dtype if output_type is None else output_type
    if form_a != 'none':
        a = _in_form(xp, a, form_a)
    if form_b != 'none':
        b = _in_form(xp, b, form_b)
    wide = result
    if a.dtype in dtypes.HALF_PRECISION and not _adds_up_wide(xp, a, b, result):
        wide = _FLOAT32
    if wide is not a.dtype:
        a, b = a.astype(wide), b.astype(wide)
    # For two matrices they are the same, but ``dot`` takes a third of the time to begin.
    product = a.dot(b) if a.ndim == 2 and b.ndim == 2 else xp.matmul(a, b)
    return product if result is wide else product.astype(result)


def multiply_plain(a: Array, b: Array) -> Array:
    """The product of two matrices of NumPy; ValueError for what ``multiply`` has to do."""
    if a.ndim != 2 or b.ndim != 2 or a.dtype.itemsize == 2:
        raise ValueError('the forward computation takes these')
    return a.dot(b)


def kernel(
    kernels: 'Kernels',
    a: Array,
    b: Array,
    *,
    form_a: str,
    form_b: str,
    output_type: np.dtype[Any] | None,
    precision: _precision.Precision = _IEEE,
    bias: Array | None = None,
    activation: 'Activation' = 'none',
) -> Any:
    """The same product by kernels of ours or by cuBLAS, or NotImplemented.

    With a bias or an activation, see ``matrix_products``, it is that of real matrices.
    """
    _refuse(a, b, precision)
    if a.dtype.kind == 'c':
        a = kernels.xp.conj(a) if form_a in _CONJUGATED else a
        b = kernels.xp.conj(b) if form_b in _CONJUGATED else b
    return kernels.products.multiply(
        a,
        b,
        a.dtype if output_type is None else output_type,
        transpose_a=form_a in _TURNED,
        transpose_b=form_b in _TURNED,
        precision=precision,
        bias=bias,
        activation=activation,
    )


def is_ours(
    kernels: 'Kernels',
    a: Spec,
    b: Spec,
    dtype: np.dtype[Any],
    *,
    form_a: str,
    form_b: str,
    precision: _precision.Precision,
    activation: 'Activation',
) -> bool:
    """Whether a kernel of ours does a product of real matrices in C order.

    Args:
        kernels: of the device.
        a: shape and dtype of the first factor.
        b: shape and dtype of the second factor.
        dtype: of the product.
        form_a: of the first factor.
        form_b: of the second factor.
        precision: of float32.
        activation: applied to the sums.
    """
    return kernels.products.is_ours(
        a,
        b,
        dtype,
        transpose_a=form_a in _TURNED,
        transpose_b=form_b in _TURNED,
        precision=precision,
        activation=activation,
    )


def _refuse(a: Array, b: Array, precision: _precision.Precision) -> None:
    """Raises for what array modules would take; the op's rule words it."""
    if a.ndim < 2 or b.ndim < 2:
        raise ValueError('matmul of array modules would take vectors too')
    if precision != _IEEE:
        check_precision('MatMul', a.dtype, precision)


def _in_form(xp: Any, array: Array, form: str) -> Array:
    if form in _CONJUGATED and array.dtype.kind == 'c':
        array = xp.conj(array)
    return array.swapaxes(-1, -2) if form in _TURNED else array


def _adds_up_wide(xp: Any, a: Array, b: Array, result: np.dtype[Any]) -> bool:
    """Whether a product of 16-bit floats is added up in float32 and rounded once as it is.

    CuPy's ``dot`` has cuBLAS do so, but for a product that is a single element.
    """
    if not hasattr(xp, 'cuda') or result is not a.dtype or a.ndim > 2 or b.ndim > 2:
        return False
    return bool(a.shape[0] > 1 or b.shape[1] > 1)
