"""Fourier transforms and shifts."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import fourier
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

COMPLEX = [
    (fourier.fft, np.fft.fftn, 1),
    (fourier.ifft, np.fft.ifftn, 1),
    (fourier.fft2d, np.fft.fftn, 2),
    (fourier.ifft2d, np.fft.ifftn, 2),
    (fourier.fft3d, np.fft.fftn, 3),
    (fourier.ifft3d, np.fft.ifftn, 3),
]
REAL = [(fourier.rfft, 1), (fourier.rfft2d, 2), (fourier.rfft3d, 3)]
INVERSE = [(fourier.irfft, 1), (fourier.irfft2d, 2), (fourier.irfft3d, 3)]
LENGTHS = [None, 4, 3, 7, 2, 1]


def axes(rank: int) -> tuple[int, ...]:
    return tuple(range(-rank, 0))


@pytest.mark.parametrize('dtype', rules.COMPLEX, ids=rules.name_of)
@pytest.mark.parametrize(('function', 'reference', 'rank'), COMPLEX, ids=rules.name_of)
def test_complex(device: str, function: Any, reference: Any, rank: int, dtype: Any) -> None:
    rules.check(
        device,
        function,
        lambda x: reference(x, axes=axes(rank)),
        device_parity.sample(dtype, (2, 3, 4)),
        looser=10,
    )


@pytest.mark.parametrize('length', LENGTHS)
@pytest.mark.parametrize('last', [4, 5])
@pytest.mark.parametrize('dtype', [np.float32, np.float64], ids=rules.name_of)
@pytest.mark.parametrize(('function', 'rank'), REAL, ids=rules.name_of)
def test_real(
    device: str, function: Any, rank: int, dtype: Any, last: int, length: int | None
) -> None:
    lengths = None if length is None else [length] * rank
    rules.check(
        device,
        lambda x: function(x, fft_length=lengths),
        lambda x: np.fft.rfftn(x, lengths, axes(rank)),
        device_parity.sample(dtype, (2, 3, last)),
        dtype=np.result_type(dtype, np.complex64),
        looser=10,
    )


@pytest.mark.parametrize('length', LENGTHS)
@pytest.mark.parametrize('dtype', rules.COMPLEX, ids=rules.name_of)
@pytest.mark.parametrize(('function', 'rank'), INVERSE, ids=rules.name_of)
def test_inverse(device: str, function: Any, rank: int, dtype: Any, length: int | None) -> None:
    lengths = None if length is None else [length] * rank
    array = device_parity.sample(dtype, (2, 3, 4))
    rules.check(
        device,
        lambda x: function(x, fft_length=lengths),
        lambda x: np.fft.irfftn(x, lengths, axes(rank)),
        array,
        dtype=array.real.dtype,
        looser=10,
    )


def test_numpy_arrays_count_as_single_precision() -> None:
    assert fourier.rfft(np.ones(4)).dtype is tv.complex64
    assert fourier.irfft(np.ones(3)).dtype is tv.float32
    assert fourier.rfft(tv.ones([4], tv.float64)).dtype is tv.complex128


def test_empty(device: str) -> None:
    with tv.device(device):
        assert fourier.fft(tv.zeros([2, 0], tv.complex64)).shape == (2, 0)
        assert fourier.ifft2d(tv.zeros([0, 2, 2], tv.complex64)).shape == (0, 2, 2)
        assert fourier.rfft(tv.zeros([2, 0])).shape == (2, 0)
        assert fourier.rfft(tv.zeros([0, 4])).shape == (0, 3)
        assert fourier.rfft2d(tv.zeros([2, 0])).shape == (2, 0)
        assert fourier.irfft(tv.zeros([2, 0], tv.complex64)).shape == (2, 0)
        assert fourier.irfft(tv.zeros([2, 1], tv.complex64)).shape == (2, 0)


@pytest.mark.parametrize(('function', 'reference', 'rank'), COMPLEX, ids=rules.name_of)
def test_bad_complex(function: Any, reference: Any, rank: int) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=f'rank of at least {rank}'):
        function(tv.zeros([2] * (rank - 1), tv.complex64))
    with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
        function(tv.zeros([2, 2, 2]))


@pytest.mark.parametrize(('function', 'rank'), [*REAL, *INVERSE], ids=rules.name_of)
def test_bad_real(function: Any, rank: int) -> None:
    dtype = tv.float32 if (function, rank) in REAL else tv.complex64
    other = tv.complex64 if dtype is tv.float32 else tv.float32
    with pytest.raises(ValueError, match=f'rank of at least {rank}'):
        function(tv.zeros([2] * (rank - 1), dtype))
    with pytest.raises(ValueError, match='allowed'):
        function(tv.zeros([2, 2, 2], other))
    for lengths in ([2] * (rank + 1), [-1] * rank):
        with pytest.raises(tv.errors.InvalidArgumentError, match='fft_length must have shape'):
            function(tv.zeros([2, 2, 2], dtype), fft_length=lengths)
    with pytest.raises(TypeError):
        function(tv.zeros([2, 2, 2], dtype), fft_length=[3.0] * rank)


@pytest.mark.parametrize('wanted', [None, 0, -1, (0, 1), [-1, 0]], ids=str)
def test_shifts(device: str, wanted: Any) -> None:
    rules.check(
        device,
        lambda x: [fourier.fftshift(x, wanted), fourier.ifftshift(x, wanted)],
        lambda x: [np.fft.fftshift(x, wanted), np.fft.ifftshift(x, wanted)],
        device_parity.sample(np.float32, (5, 4)),
    )


def test_bad_shifts() -> None:
    for function in (fourier.fftshift, fourier.ifftshift):
        with pytest.raises(tv.errors.InvalidArgumentError, match='out of bounds'):
            function([1, 2], axes=5)
    assert fourier.fftshift(1).numpy() == 1


@pytest.mark.parametrize(('function', 'reference', 'rank'), COMPLEX, ids=rules.name_of)
def test_gradient_of_complex(function: Any, reference: Any, rank: int) -> None:
    numeric_gradient.check(lambda x: function(x) ** 2, samples.complex128(2, 1, 3))


@pytest.mark.parametrize('length', LENGTHS)
@pytest.mark.parametrize(('function', 'rank'), REAL, ids=rules.name_of)
def test_gradient_of_real(function: Any, rank: int, length: int | None) -> None:
    lengths = None if length is None else [length] * rank
    for last in (3, 4):
        numeric_gradient.check(
            lambda x: function(x, fft_length=lengths) ** 2, samples.float64(1, 2, last)
        )


@pytest.mark.parametrize('length', LENGTHS)
@pytest.mark.parametrize(('function', 'rank'), INVERSE, ids=rules.name_of)
def test_gradient_of_inverse(function: Any, rank: int, length: int | None) -> None:
    lengths = None if length is None else [length] * rank
    numeric_gradient.check(
        lambda x: function(x, fft_length=lengths) ** 2, samples.complex128(1, 2, 3)
    )


def test_gradient_of_shifts() -> None:
    numeric_gradient.check(lambda x: fourier.fftshift(x) ** 2, samples.float64(2, 3))
    numeric_gradient.check(lambda x: fourier.ifftshift(x) ** 2, samples.float64(2, 3))
