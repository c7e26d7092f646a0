"""Special functions."""

from tensorvar import _left_out
from tensorvar._ops.bessel import bessel_j0 as bessel_j0
from tensorvar._ops.bessel import bessel_j1 as bessel_j1
from tensorvar._ops.bessel import bessel_y0 as bessel_y0
from tensorvar._ops.bessel import bessel_y1 as bessel_y1
from tensorvar._ops.bessel import expint as expint
from tensorvar._ops.modified_bessel import bessel_i0 as bessel_i0
from tensorvar._ops.modified_bessel import bessel_i0e as bessel_i0e
from tensorvar._ops.modified_bessel import bessel_i1 as bessel_i1
from tensorvar._ops.modified_bessel import bessel_i1e as bessel_i1e
from tensorvar._ops.modified_bessel import bessel_k0 as bessel_k0
from tensorvar._ops.modified_bessel import bessel_k0e as bessel_k0e
from tensorvar._ops.modified_bessel import bessel_k1 as bessel_k1
from tensorvar._ops.modified_bessel import bessel_k1e as bessel_k1e

__all__ = [
    'bessel_i0',
    'bessel_i0e',
    'bessel_i1',
    'bessel_i1e',
    'bessel_j0',
    'bessel_j1',
    'bessel_k0',
    'bessel_k0e',
    'bessel_k1',
    'bessel_k1e',
    'bessel_y0',
    'bessel_y1',
    'expint',
]

_left_out.install(__name__, __all__)
