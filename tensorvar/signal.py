"""Fourier transforms, frames and windows."""

from tensorvar import _left_out
from tensorvar._ops.fourier import (
    fft,
    fft2d,
    fft3d,
    fftshift,
    ifft,
    ifft2d,
    ifft3d,
    ifftshift,
    irfft,
    irfft2d,
    irfft3d,
    rfft,
    rfft2d,
    rfft3d,
)
from tensorvar._ops.framing import (
    frame,
    hamming_window,
    hann_window,
    overlap_and_add,
    vorbis_window,
)

__all__ = [
    'fft', 'fft2d', 'fft3d', 'fftshift', 'frame', 'hamming_window', 'hann_window', 'ifft',
    'ifft2d', 'ifft3d', 'ifftshift', 'irfft', 'irfft2d', 'irfft3d', 'overlap_and_add', 'rfft',
    'rfft2d', 'rfft3d', 'vorbis_window',
]  # fmt: skip

_left_out.install(__name__, __all__)
