"""Where the special functions of each array module are found."""

from typing import Any

from tensorvar import _optional
from tensorvar._backend import gpu_discovery


def special(xp: Any) -> Any:
    """A module with the functions of scipy.special for the arrays of ``xp``.

    Args:
        xp: NumPy, CuPy, or the array module of a simulated device.
    """
    name = getattr(xp, '__name__', None)
    if name == 'numpy':
        return _optional.load('scipy.special', 'tensorvar')
    if name == 'cupy':
        return _optional.load('cupyx.scipy.special', gpu_discovery.cupy_requirement())
    return xp.namespace(_optional.load('scipy.special', 'tensorvar'))
