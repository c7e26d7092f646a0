"""Fourier transforms, frames and windows."""

from tensorvar import _left_out
from tensorvar._ops.fourier import fft as fft
from tensorvar._ops.fourier import fft2d as fft2d
from tensorvar._ops.fourier import fft3d as fft3d
from tensorvar._ops.fourier import fftshift as fftshift
from tensorvar._ops.fourier import ifft as ifft
from tensorvar._ops.fourier import ifft2d as ifft2d
from tensorvar._ops.fourier import ifft3d as ifft3d
from tensorvar._ops.fourier import ifftshift as ifftshift
from tensorvar._ops.fourier import irfft as irfft
from tensorvar._ops.fourier import irfft2d as irfft2d
from tensorvar._ops.fourier import irfft3d as irfft3d
from tensorvar._ops.fourier import rfft as rfft
from tensorvar._ops.fourier import rfft2d as rfft2d
from tensorvar._ops.fourier import rfft3d as rfft3d
from tensorvar._ops.framing import frame as frame
from tensorvar._ops.framing import hamming_window as hamming_window
from tensorvar._ops.framing import hann_window as hann_window
from tensorvar._ops.framing import overlap_and_add as overlap_and_add
from tensorvar._ops.framing import vorbis_window as vorbis_window

__all__ = [
    'fft',
    'fft2d',
    'fft3d',
    'fftshift',
    'frame',
    'hamming_window',
    'hann_window',
    'ifft',
    'ifft2d',
    'ifft3d',
    'ifftshift',
    'irfft',
    'irfft2d',
    'irfft3d',
    'overlap_and_add',
    'rfft',
    'rfft2d',
    'rfft3d',
    'vorbis_window',
]

_left_out.install(__name__, __all__)
