"""The one loader of heavy or optional packages.

Importing tensorvar must stay cheap and must work on a machine without a GPU, so
packages such as CuPy, SciPy and rich are loaded on first use, through ``load``.
A test lists the places that call it.
"""

import importlib
import importlib.util
from types import ModuleType


def load(name: str, extra: str) -> ModuleType:
    """Imports a package on first use.

    Args:
        name: module name, such as ``'scipy.special'``.
        extra: the requirement that brings it, such as ``'tensorvar[cuda13]'``.

    Returns:
        The imported module.

    Raises:
        ImportError: the package is missing; the message says what to install.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f'[import] {name} could not be imported ({error}); it is needed here; '
            f'install it with: pip install "{extra}"'
        ) from error


def is_installed(name: str) -> bool:
    """Whether a top-level package can be found, without importing it."""
    return importlib.util.find_spec(name) is not None
