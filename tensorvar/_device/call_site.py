"""The line of user code that is being executed.

Every record, warning and late-setting error names it: the innermost frame that lies
outside of this package, of Keras and of ``contextlib``.
"""

import contextlib
import functools
import os
import sys
import types
from collections.abc import Callable
from typing import NamedTuple

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
# What stands for a file where ``tv.function`` has generated the code, such as a plan.
_GENERATED = ' of tv.function>'
_CONTEXTLIB = contextlib.ExitStack.__init__.__code__.co_filename
LineOf = Callable[[types.FrameType], 'CallSite | None']

# Whether a file is library code, by the file name of its code objects; of code that
# replays lines of the user, what tells which. Computing this once per file leaves one
# dictionary look-up per frame.
_is_library: dict[str, bool | LineOf] = {}


class CallSite(NamedTuple):
    """A line of a file; as text ``path/train.py:12``."""

    path: str
    line: int

    @property
    def short(self) -> str:
        """``'train.py:12'``: the line without its folder."""
        return f'{os.path.basename(self.path)}:{self.line}'

    def __str__(self) -> str:
        return f'{self.path}:{self.line}'


# A third of what the class's own constructor takes.
_new_site: Callable[..., CallSite] = functools.partial(tuple.__new__, CallSite)
UNKNOWN = CallSite('<unknown>', 0)


def user_call_site() -> CallSite:
    """The innermost line of user code that led to this call.

    While a plan is replayed that is the line which was traced.

    Returns:
        Path and line; ``UNKNOWN`` where every frame is library code.
    """
    frame = sys._getframe(1)
    while True:
        path = frame.f_code.co_filename
        library = _is_library.get(path)
        if library is None:
            library = _is_library[path] = _classify(path)
        if library is False:
            return _new_site((path, frame.f_lineno))
        if library is not True:
            site = library(frame)
            if site is not None:
                return site
        if frame.f_back is None:
            return UNKNOWN
        frame = frame.f_back


def replays(path: str, line_of: LineOf) -> None:
    """Says that code of the library does again what lines of user code have done.

    Args:
        path: the file name of its code objects.
        line_of: tells of which line a frame of it does the work; None for none.
    """
    _is_library[path] = line_of


def _classify(path: str) -> bool:
    if path.startswith(_PACKAGE) or path == _CONTEXTLIB or path.endswith(_GENERATED):
        return True
    # A frame of Keras exists only once Keras is being imported, so asking for the
    # module costs nothing and imports nothing.
    keras = sys.modules.get('keras')
    keras_file = getattr(keras, '__file__', None)
    return keras_file is not None and path.startswith(os.path.dirname(keras_file) + os.sep)
