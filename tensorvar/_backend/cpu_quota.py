"""How much of the processors' time the control groups of Linux grant this process.

A container that may use two processors is often held to that by a quota alone: it sees all
processors of the machine, and is stopped for the rest of each period once it has used it up.
"""

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_MEMBERSHIP = Path('/proc/self/cgroup')
_MOUNT = Path('/sys/fs/cgroup')


def granted(membership: Path = _MEMBERSHIP, mount: Path = _MOUNT) -> float:
    """How many processors' time this process may use; infinite where nothing limits it.

    Args:
        membership: the file that says in which groups the process is.
        mount: the folder of the control groups.
    """
    return min(_shares(membership, mount), default=math.inf)


def _shares(membership: Path, mount: Path) -> Iterator[float]:
    """The quotas of all groups that the process is in."""
    for line in _lines(membership):
        _, controllers, name = line.split(':', 2)
        group = PurePosixPath(name)
        # A container may see its own group as the topmost, under a name that it has outside.
        for each in (group, *group.parents):
            if not controllers:
                folder = mount / each.relative_to('/')
                yield _share(' '.join(_lines(folder / 'cpu.max')))
            elif 'cpu' in controllers.split(','):
                folder = mount / 'cpu' / each.relative_to('/')
                files = (folder / 'cpu.cfs_quota_us', folder / 'cpu.cfs_period_us')
                yield _share(' '.join(line for file in files for line in _lines(file)))


def _share(text: str) -> float:
    """A quota and its period in microseconds, as a number of processors."""
    words = text.split()
    # 'max' and -1 stand for no limit, and so does a file that is not there.
    if len(words) != 2 or not all(word.isdecimal() and int(word) for word in words):
        return math.inf
    return int(words[0]) / int(words[1])


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
