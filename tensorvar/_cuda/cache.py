"""Compiled kernels on disk, addressed by what they were made of.

An entry is one file: a line that names its contents by checksum, then the contents. It
appears by ``os.replace``, so a reader sees all of it or none, and several processes may
build the same entry at once. The folder and the entries belong to the user alone;
anything else there is not trusted, because it would be run.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import stat
import tempfile
from collections.abc import Callable
from typing import Any

FOLDER_VARIABLE = 'TENSORVAR_KERNEL_CACHE'
_VERSION = 1
_SUFFIX = '.kernel'


def default_folder() -> pathlib.Path:
    """The folder that the environment names, or the usual one of this user."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return pathlib.Path(os.path.expanduser(chosen))
    base = os.environ.get('XDG_CACHE_HOME') or os.path.join(os.path.expanduser('~'), '.cache')
    return pathlib.Path(base, 'tensorvar', 'kernels')


def _say_nothing(_: str) -> None:
    return None


def key(*parts: str | bytes) -> str:
    """The name of what is made of these parts; no two lists of parts share one."""
    digest = hashlib.sha256()
    for part in (str(_VERSION), *parts):
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, 'little'))
        digest.update(data)
    return digest.hexdigest()


class Cache:
    """Keeps compiled kernels in memory, and in a folder where that can be trusted.

    Args:
        folder: where entries are kept; the default is ``default_folder``.
        tell: is told, in words and at most once, why nothing is kept on disk.

    Attributes:
        folder: where entries are kept.
        why_memory_only: why nothing is kept on disk; empty where it is.
    """

    def __init__(
        self, folder: pathlib.Path | None = None, tell: Callable[[str], None] = _say_nothing
    ) -> None:
        self.folder = default_folder() if folder is None else folder
        self.why_memory_only = _prepare(self.folder)
        # The program may go to another folder.
        self.folder = self.folder.absolute()
        self._tell = tell
        self._memory: dict[str, bytes] = {}
        if self.why_memory_only:
            self._tell_why()

    def get_or_build(self, key: str, build: Callable[[], bytes]) -> bytes:
        """The entry of a key; ``build`` makes it where there is none to trust."""
        data = self.get(key)
        if data is None:
            data = build()
            self.put(key, data)
        return data

    def get(self, key: str) -> bytes | None:
        """The entry of a key, or None."""
        data = self._memory.get(key)
        if data is None and not self.why_memory_only:
            data = _read(self._path(key))
            if data is not None:
                self._memory[key] = data
        return data

    def put(self, key: str, data: bytes) -> None:
        """Keeps an entry; a disk that takes no more leaves it in memory."""
        self._memory[key] = data
        if self.why_memory_only:
            return
        try:
            _write(self._path(key), data)
        except OSError as error:
            self.why_memory_only = f'{self.folder} cannot be written: {error}'
            self._tell_why()

    def _tell_why(self) -> None:
        self._tell(
            f'compiled kernels are kept for this process alone, and compiled again by the next: '
            f'{self.why_memory_only}'
        )

    def _path(self, key: str) -> pathlib.Path:
        return self.folder / f'{key}{_SUFFIX}'


def _prepare(folder: pathlib.Path) -> str:
    """Makes the folder; gives the reason why it cannot be used, or an empty text."""
    if folder.parts[:1] == ('~',):
        # The user has no home, as in a container whose user is a mere number. It would be
        # a folder of this name wherever the program is started.
        return f'{folder} has no home; set HOME or {FOLDER_VARIABLE}'
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = os.lstat(folder)
    except OSError as error:
        return f'{folder} cannot be made: {error}'
    if not stat.S_ISDIR(found.st_mode):
        return f'{folder} is a link or a file; a folder of your own is needed'
    if found.st_uid != os.geteuid():
        return f'{folder} belongs to user {found.st_uid}, not to {os.geteuid()}'
    if stat.S_IMODE(found.st_mode) & 0o077:
        # Ours, but open to others: whoever could write there before is shut out, and the
        # checksum and owner of each entry are looked at in any case.
        try:
            os.chmod(folder, 0o700)
        except OSError as error:
            return f'{folder} is open to other users: {error}'
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return f'{folder} cannot be written'
    return ''


def _read(path: pathlib.Path) -> bytes | None:
    try:
        # A pipe would keep whoever opens it waiting.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        theirs = found.st_uid != os.geteuid() or found.st_mode & 0o022
        if theirs or not stat.S_ISREG(found.st_mode):
            return None
        with open(descriptor, 'rb', closefd=False) as file:
            head = file.readline()
            data = file.read()
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return data if _heading(path, data) == head else None


def _write(path: pathlib.Path, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix='.new-', dir=path.parent)
    try:
        with open(descriptor, 'wb') as file:
            file.write(_heading(path, data))
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _heading(path: pathlib.Path, data: bytes) -> bytes:
    # The key is part of it: an entry that was renamed is not taken for another.
    facts: dict[str, Any] = {
        'version': _VERSION,
        'key': path.name.removesuffix(_SUFFIX),
        'bytes': len(data),
        'sha256': hashlib.sha256(data).hexdigest(),
    }
    return json.dumps(facts).encode() + b'\n'
