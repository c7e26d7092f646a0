"""Fourier transforms over the last one, two or three axes.

NumPy and cuFFT compute complex64 in single precision, as TensorFlow does.
"""

import math
from typing import Any

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, array_join, array_layout, padding
from tensorvar._ops._gradient_helpers import Gradients

Ints = tuple[int, ...]

_COMPLEX_OF = {
    dtypes.float32.numpy: dtypes.complex64.numpy,
    dtypes.float64.numpy: dtypes.complex128.numpy,
}
_REAL_OF = {own: real for real, own in _COMPLEX_OF.items()}
_AXES = {1: (-1,), 2: (-2, -1), 3: (-3, -2, -1)}


def _name(kind: str, rank: int) -> str:
    """TensorFlow's name of the op."""
    return kind if rank == 1 else f'{kind}{rank}D'


def _check_rank(op: str, shape: Any, rank: int) -> None:
    if len(shape) < rank:
        raise errors.InvalidArgumentError(
            f'[{op}] Input must have rank of at least {rank} but got: {list(shape)}; reshape it',
            op,
        )


def _lengths(context: Any, rank: int) -> Ints:
    return context.inputs[0]._shape[-rank:]  # type: ignore[no-any-return]


# FFT and IFFT


def _complex_op(rank: int, inverse: bool) -> OpDef:
    name = _name('IFFT' if inverse else 'FFT', rank)

    def infer(input: ArraySpec) -> ArraySpec:
        _check_rank(name, input.shape, rank)
        return input

    def forward(xp: Any, array: Array) -> Array:
        if not array.size:
            return array
        transform = xp.fft.ifftn if inverse else xp.fft.fftn
        return transform(array, axes=_AXES[rank]).astype(array.dtype, copy=False)

    def gradient(context: Any, gradient: Tensor) -> Gradients:
        count = math.prod(_lengths(context, rank))
        if inverse:
            return (executor.run(FFTS[rank], gradient) / max(count, 1),)
        return (executor.run(IFFTS[rank], gradient) * count,)

    return op_registry.register(OpDef(name, infer, forward, gradient, dtypes={'T': dtypes.COMPLEX}))


FFTS = {rank: _complex_op(rank, inverse=False) for rank in (1, 2, 3)}
IFFTS = {rank: _complex_op(rank, inverse=True) for rank in (1, 2, 3)}


def fft(input: Any, name: str | None = None) -> Tensor:
    """The discrete Fourier transform over the last axis.

    Args:
        input: complex numbers of rank 1 or more.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``input``.

    Raises:
        InvalidArgumentError: the rank is too small, or the dtype is not complex.
    """
    result: Tensor = executor.run(FFTS[1], input)
    return result


def ifft(input: Any, name: str | None = None) -> Tensor:
    """The inverse of ``fft``; see ``fft``."""
    result: Tensor = executor.run(IFFTS[1], input)
    return result


def fft2d(input: Any, name: str | None = None) -> Tensor:
    """The discrete Fourier transform over the last two axes; see ``fft``."""
    result: Tensor = executor.run(FFTS[2], input)
    return result


def ifft2d(input: Any, name: str | None = None) -> Tensor:
    """The inverse of ``fft2d``; see ``fft``."""
    result: Tensor = executor.run(IFFTS[2], input)
    return result


def fft3d(input: Any, name: str | None = None) -> Tensor:
    """The discrete Fourier transform over the last three axes; see ``fft``."""
    result: Tensor = executor.run(FFTS[3], input)
    return result


def ifft3d(input: Any, name: str | None = None) -> Tensor:
    """The inverse of ``fft3d``; see ``fft``."""
    result: Tensor = executor.run(IFFTS[3], input)
    return result


# RFFT and IRFFT


def _bins(length: int) -> int:
    """How many frequencies of a real signal are kept."""
    return length // 2 + 1 if length else 0


def _real_op(rank: int, inverse: bool) -> OpDef:
    name = _name('IRFFT' if inverse else 'RFFT', rank)

    def infer(input: ArraySpec, *, fft_length: Ints) -> ArraySpec:
        _check_rank(name, input.shape, rank)
        if len(fft_length) != rank or min(fft_length) < 0:
            raise errors.InvalidArgumentError(
                f'[{name}] fft_length {list(fft_length)} was given; fft_length must have shape '
                f'[{rank}] and no negative number; give {rank} lengths',
                name,
            )
        last = fft_length[-1] if inverse else _bins(fft_length[-1])
        target = _REAL_OF if inverse else _COMPLEX_OF
        return ArraySpec((*input.shape[:-rank], *fft_length[:-1], last), target[input.dtype])

    def forward(xp: Any, array: Array, *, fft_length: Ints) -> Array:
        spec = infer(ArraySpec(array.shape, array.dtype), fft_length=fft_length)
        if 0 in spec.shape or not array.size:
            return xp.zeros(spec.shape, spec.dtype)
        transform = xp.fft.irfftn if inverse else xp.fft.rfftn
        return transform(array, s=fft_length, axes=_AXES[rank]).astype(spec.dtype, copy=False)

    def gradient(context: Any, gradient: Tensor) -> Gradients:
        lengths = context.attributes['fft_length']
        count = math.prod(lengths)
        if inverse:
            result = executor.run(RFFTS[rank], gradient, fft_length=lengths)
            result = _inner_bins_scaled(result, lengths[-1], 2.0) / max(count, 1)
        else:
            halved = _inner_bins_scaled(gradient, lengths[-1], 0.5)
            result = executor.run(IRFFTS[rank], halved, fft_length=lengths) * count
        return (_fitted(result, _lengths(context, rank)),)

    allowed = dtypes.COMPLEX if inverse else frozenset(_COMPLEX_OF)
    return op_registry.register(OpDef(name, infer, forward, gradient, dtypes={'T': allowed}))


def _inner_bins_scaled(values: Tensor, length: int, factor: float) -> Tensor:
    """Scales the frequencies that stand for two: all but 0 and half of an even length."""
    stop = length // 2 + length % 2
    if stop <= 1:
        return values
    parts = [values[..., :1], values[..., 1:stop] * factor, values[..., stop:]]
    return array_join.concat(parts, axis=-1)


def _fitted(values: Tensor, lengths: Ints) -> Tensor:
    """Cuts the last axes, or fills them up with zeros, to these lengths."""
    cut: Tensor = values[(..., *(slice(length) for length in lengths))]
    missing = [
        (0, wanted - there)
        for wanted, there in zip(lengths, cut._shape[-len(lengths) :], strict=True)
    ]
    if not any(after for _, after in missing):
        return cut
    return padding.pad(cut, [(0, 0)] * (len(cut._shape) - len(lengths)) + missing)


RFFTS = {rank: _real_op(rank, inverse=False) for rank in (1, 2, 3)}
IRFFTS = {rank: _real_op(rank, inverse=True) for rank in (1, 2, 3)}


def _run_real(input_tensor: Any, fft_length: Any, rank: int, *, inverse: bool) -> Tensor:
    op = (IRFFTS if inverse else RFFTS)[rank]
    hint = dtypes.complex64 if inverse else dtypes.float32
    tensor = conversion.convert_to_tensor(input_tensor, dtype_hint=hint)
    shape = tensor._spec().shape
    _check_rank(op.name, shape, rank)
    if fft_length is not None:
        lengths = _arguments.vector(op.name, 'fft_length', fft_length)
    else:
        lengths = tensor._shape[-rank:]
        if None in lengths:
            raise errors.InvalidArgumentError(
                f'[{op.name}] a signal of shape {list(shape)} was given; the lengths of the axes '
                f'must be known; give fft_length',
                op.name,
            )
        if inverse:
            lengths = (*lengths[:-1], max(0, 2 * (lengths[-1] - 1)))
    result: Tensor = executor.run(op, tensor, fft_length=lengths)
    return result


def rfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The Fourier transform of real signals over the last axis.

    Args:
        input_tensor: float32 or float64 of rank 1 or more; NumPy arrays count as float32.
        fft_length: a list of lengths, one for each axis of the transform, to which the input
            is cut or filled up with zeros; None for its own.
        name: accepted for TensorFlow's sake.

    Returns:
        The first ``fft_length // 2 + 1`` frequencies, complex64 or complex128. There are
        gradients of every order; TensorFlow has none in three dimensions.

    Raises:
        InvalidArgumentError: the rank is too small, the dtype is wrong, or ``fft_length`` has
            another number of elements.
    """
    return _run_real(input_tensor, fft_length, 1, inverse=False)


def irfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The inverse of ``rfft``.

    Args:
        input_tensor: complex64 or complex128 of rank 1 or more: the first frequencies of a
            real signal. Of what no real signal has, nothing is read.
        fft_length: a list of lengths of the result, one for each axis of the transform; None
            for the even length ``2 * (frequencies - 1)`` in the last axis.
        name: accepted for TensorFlow's sake.

    Returns:
        The signals, float32 or float64.

    Raises:
        InvalidArgumentError: the rank is too small, the dtype is wrong, or ``fft_length`` has
            another number of elements.
    """
    return _run_real(input_tensor, fft_length, 1, inverse=True)


def rfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The Fourier transform of real signals over the last two axes; see ``rfft``."""
    return _run_real(input_tensor, fft_length, 2, inverse=False)


def irfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The inverse of ``rfft2d``; see ``irfft``."""
    return _run_real(input_tensor, fft_length, 2, inverse=True)


def rfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The Fourier transform of real signals over the last three axes; see ``rfft``."""
    return _run_real(input_tensor, fft_length, 3, inverse=False)


def irfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The inverse of ``rfft3d``; see ``irfft``."""
    return _run_real(input_tensor, fft_length, 3, inverse=True)


# Shifts


def _shifted(op: str, x: Any, axes: Any, sign: int) -> Tensor:
    tensor = conversion.convert_to_tensor(x)
    shape = tensor._spec().shape
    rank = len(shape)
    given = tuple(range(rank)) if axes is None else _arguments.vector(op, 'axes', axes)
    for axis in given:
        if not -rank <= axis < rank:
            raise errors.InvalidArgumentError(
                f'[{op}] axis {axis} of shape {list(shape)} was given; it is out of bounds; '
                f'allowed are {-rank} to {rank - 1}',
                op,
            )
    shift = [sign * ((shape[axis] or 0) // 2) for axis in given]
    return array_layout.roll(tensor, shift, list(given)) if given else tensor


def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Moves the frequency 0 to the middle.

    Args:
        x: values of any dtype.
        axes: an axis or a list of them; None for all.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: an axis is out of range.
    """
    return _shifted('fftshift', x, axes, 1)


def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Undoes ``fftshift``, also for odd lengths; see ``fftshift``."""
    return _shifted('ifftshift', x, axes, -1)
