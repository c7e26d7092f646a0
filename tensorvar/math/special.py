"""Special functions."""

from tensorvar import _left_out
from tensorvar._ops.bessel import bessel_j0, bessel_j1, bessel_y0, bessel_y1, expint
from tensorvar._ops.modified_bessel import (
    bessel_i0,
    bessel_i0e,
    bessel_i1,
    bessel_i1e,
    bessel_k0,
    bessel_k0e,
    bessel_k1,
    bessel_k1e,
)

__all__ = [
    'bessel_i0', 'bessel_i0e', 'bessel_i1', 'bessel_i1e', 'bessel_j0', 'bessel_j1', 'bessel_k0',
    'bessel_k0e', 'bessel_k1', 'bessel_k1e', 'bessel_y0', 'bessel_y1', 'expint',
]  # fmt: skip

_left_out.install(__name__, __all__)
