"""Automatic differentiation."""

from tensorvar import _left_out
from tensorvar._core.tape import GradientTape as GradientTape

__all__ = ['GradientTape']

_left_out.install(__name__, __all__)
