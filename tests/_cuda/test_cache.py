"""Entries of the kernel cache: whole, the user's own, and built again where they are not."""

import os
import pathlib
import stat
import subprocess
import sys

import pytest

from tensorvar._cuda import cache

REPOSITORY = pathlib.Path(__file__).parents[2]
KEY = cache.key('a', b'b')


def never() -> bytes:
    raise AssertionError('it was in the cache')


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / 'home' / '.cache' / 'kernels'


def entry(folder: pathlib.Path) -> pathlib.Path:
    [path] = folder.iterdir()
    return path


def rebuilt(folder: pathlib.Path) -> bool:
    """Whether a new process would build the entry again; the entry is then in order."""
    found = cache.Cache(folder).get(KEY)
    assert cache.Cache(folder).get_or_build(KEY, lambda: b'kernel') == b'kernel'
    assert cache.Cache(folder).get_or_build(KEY, never) == b'kernel'
    return found is None


def test_an_entry_outlives_its_process(folder: pathlib.Path) -> None:
    first = cache.Cache(folder)
    assert first.why_memory_only == ''
    assert first.get(KEY) is None
    assert first.get_or_build(KEY, lambda: b'kernel') == b'kernel'
    assert first.get_or_build(KEY, never) == b'kernel'
    assert cache.Cache(folder).get_or_build(KEY, never) == b'kernel'
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry(folder).stat().st_mode) == 0o600


def test_keys_tell_lists_of_parts_apart() -> None:
    assert len({cache.key('ab', 'c'), cache.key('a', 'bc'), cache.key('abc'), KEY}) == 4
    assert cache.key('a', b'b') == KEY


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os.path, 'expanduser', lambda path: path)
    for name in (cache.FOLDER_VARIABLE, 'XDG_CACHE_HOME'):
        monkeypatch.delenv(name, raising=False)
    kernels = cache.Cache()
    assert 'has no home' in kernels.why_memory_only
    assert kernels.get_or_build(KEY, lambda: b'kernel') == kernels.get_or_build(KEY, never)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('position', [0, 60, -1])
def test_a_damaged_entry_is_rebuilt(folder: pathlib.Path, position: int) -> None:
    cache.Cache(folder).put(KEY, b'kernel')
    data = bytearray(entry(folder).read_bytes())
    data[position] ^= 1
    entry(folder).write_bytes(data)
    assert rebuilt(folder)


@pytest.mark.parametrize('kept', [0, 10, -3])
def test_a_truncated_entry_is_rebuilt(folder: pathlib.Path, kept: int) -> None:
    cache.Cache(folder).put(KEY, b'kernel')
    entry(folder).write_bytes(entry(folder).read_bytes()[:kept])
    assert rebuilt(folder)


def test_an_entry_under_another_name_is_rebuilt(folder: pathlib.Path) -> None:
    cache.Cache(folder).put(cache.key('other'), b'another kernel')
    entry(folder).rename(folder / f'{KEY}.kernel')
    assert rebuilt(folder)


def test_an_entry_that_others_may_write_is_rebuilt(folder: pathlib.Path) -> None:
    cache.Cache(folder).put(KEY, b'kernel')
    entry(folder).chmod(0o666)
    assert rebuilt(folder)


@pytest.mark.timeout(20)
def test_a_pipe_is_no_entry(folder: pathlib.Path) -> None:
    cache.Cache(folder)
    os.mkfifo(folder / f'{KEY}.kernel', 0o600)
    assert rebuilt(folder)


def test_a_folder_is_no_entry(folder: pathlib.Path) -> None:
    kept = cache.Cache(folder)
    (folder / f'{KEY}.kernel').mkdir()
    open_before = len(os.listdir('/proc/self/fd'))
    assert [kept.get(KEY) for _ in range(9)] == [None] * 9
    assert len(os.listdir('/proc/self/fd')) == open_before
    assert kept.get_or_build(KEY, lambda: b'kernel') == b'kernel'
    assert 'cannot be written' in kept.why_memory_only
    assert kept.get_or_build(KEY, never) == b'kernel'


def test_why_nothing_is_kept_is_told_once(
    folder: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    kept = cache.Cache(folder, told.append)
    assert told == []

    def full(*_: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    for key in (KEY, cache.key('other')):
        kept.put(key, b'kernel')
    [late] = told
    assert 'for this process alone' in late
    assert 'No space left' in late
    (tmp_path / 'file').write_text('')
    cache.Cache(tmp_path / 'file' / 'kernels', told.append)
    assert 'cannot be made' in told[1]


def test_a_program_that_goes_elsewhere_keeps_its_folder(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(cache.FOLDER_VARIABLE, 'mine')
    kept = cache.Cache()
    monkeypatch.chdir(tmp_path / 'elsewhere')
    assert kept.get_or_build(KEY, lambda: b'kernel') == b'kernel'
    assert cache.Cache(tmp_path / 'mine').get_or_build(KEY, never) == b'kernel'
    assert not list((tmp_path / 'elsewhere').iterdir())


def test_a_link_is_not_followed(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    cache.Cache(folder).put(KEY, b'kernel')
    entry(folder).rename(tmp_path / 'elsewhere')
    (folder / f'{KEY}.kernel').symlink_to(tmp_path / 'elsewhere')
    assert rebuilt(folder)


def test_an_entry_of_another_user_is_rebuilt(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.Cache(folder).put(KEY, b'kernel')
    other = cache.Cache(folder)
    owner = os.geteuid()
    monkeypatch.setattr(os, 'geteuid', lambda: owner + 1)
    assert other.get(KEY) is None


def test_a_folder_of_another_user_is_not_used(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.Cache(folder)
    owner = os.geteuid()
    monkeypatch.setattr(os, 'geteuid', lambda: owner + 1)
    kept = cache.Cache(folder)
    assert f'belongs to user {owner}' in kept.why_memory_only
    assert kept.get_or_build(KEY, lambda: b'kernel') == b'kernel'
    assert kept.get_or_build(KEY, never) == b'kernel'
    assert list(folder.iterdir()) == []


def test_a_folder_open_to_others_is_closed(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert cache.Cache(folder).why_memory_only == ''
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_link_instead_of_a_folder(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tmp_path)
    assert 'is a link or a file' in cache.Cache(folder).why_memory_only


def test_a_home_that_cannot_hold_a_folder(tmp_path: pathlib.Path) -> None:
    (tmp_path / 'file').write_text('')
    kept = cache.Cache(tmp_path / 'file' / 'kernels')
    assert 'cannot be made' in kept.why_memory_only
    assert kept.get_or_build(KEY, lambda: b'kernel') == b'kernel'
    assert kept.get_or_build(KEY, never) == b'kernel'


def test_a_folder_that_cannot_be_written(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, 'access', lambda *_: False)
    assert 'cannot be written' in cache.Cache(folder).why_memory_only


def test_a_disk_that_becomes_full_leaves_no_debris(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = cache.Cache(folder)

    def full(*_: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    assert kept.get_or_build(KEY, lambda: b'kernel') == b'kernel'
    assert 'No space left' in kept.why_memory_only
    assert kept.get_or_build(KEY, never) == b'kernel'
    assert list(folder.iterdir()) == []


def test_the_folder_is_the_users_choice_or_the_usual_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.delenv(cache.FOLDER_VARIABLE, raising=False)
    monkeypatch.delenv('XDG_CACHE_HOME', raising=False)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert cache.default_folder() == tmp_path / '.cache' / 'tensorvar' / 'kernels'
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'xdg'))
    assert cache.default_folder() == tmp_path / 'xdg' / 'tensorvar' / 'kernels'
    monkeypatch.setenv(cache.FOLDER_VARIABLE, '~/mine')
    assert cache.default_folder() == tmp_path / 'mine'
    assert cache.Cache().folder == tmp_path / 'mine'


WRITE_AND_READ = """
import pathlib, sys
from tensorvar._cuda import cache
folder = pathlib.Path(sys.argv[1])
for round_ in range(100):
    key = cache.key(str(round_))
    data = str(round_).encode() * 10_000
    assert cache.Cache(folder).get_or_build(key, lambda: data) == data
    assert cache.Cache(folder).get(key) == data, 'it was not whole'
"""


def test_several_processes_at_once(folder: pathlib.Path) -> None:
    command = [sys.executable, '-c', WRITE_AND_READ, str(folder)]
    workers = [subprocess.Popen(command, cwd=REPOSITORY) for _ in range(3)]
    assert [worker.wait() for worker in workers] == [0] * 3
    assert len(list(folder.iterdir())) == 100
