"""Help for tests: faults on demand, and assertions about placement.

The pytest fixtures ``simulated_gpus`` and ``every_device`` are in
``tensorvar.pytest_fixtures``; a ``conftest.py`` loads them with
``pytest_plugins = ['tensorvar.pytest_fixtures']``.
"""

from contextlib import AbstractContextManager
from typing import Any

from tensorvar._backend import faults
from tensorvar._device import registry
from tensorvar._device._log.recording import assert_lives_on as assert_placed

__all__ = ['assert_placed', 'fail']


def fail(device: Any, kind: str, after: int = 0) -> AbstractContextManager[None]:
    """Makes a device fail inside of a ``with`` block, on every thread.

    The first ``after`` uses succeed, and every later one fails until the block ends.

    Args:
        device: the device, in any spelling.
        kind: ``'allocate'``: no memory can be had (``ResourceExhaustedError``);
            ``'copy'``: copies to and from the device fail (``InternalError``);
            ``'lost'``: every use of the device fails (``UnavailableError``).
        after: how many uses of that kind succeed first.

    Returns:
        A context manager.

    Raises:
        InvalidArgumentError: there is no such device or kind.

    Example:
        >>> import tensorvar as tv
        >>> v = tv.Variable([1.0, 2.0])
        >>> with tv.testing.fail('CPU:0', 'allocate'):
        ...     try:
        ...         v + 1.0
        ...     except tv.errors.ResourceExhaustedError:
        ...         print('full')
        full
    """
    return faults.fail(registry.require('fail', device).short, kind, after)
