"""Where NVIDIA's libraries are looked for."""

import pathlib
from types import SimpleNamespace

import pytest

from tensorvar import errors
from tensorvar._cuda import libraries


def test_wheels_come_first_and_the_toolkit_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    wheel = tmp_path / 'site' / 'nvidia' / 'cu13' / 'lib' / 'libnvrtc.so.13'
    toolkit = tmp_path / 'cuda' / 'lib64' / 'libnvrtc.so.12'
    for path in (wheel, toolkit):
        path.parent.mkdir(parents=True)
        path.write_text('')

    class Spec:
        submodule_search_locations = (str(tmp_path / 'site' / 'nvidia'),)

    monkeypatch.setattr(libraries.importlib.util, 'find_spec', lambda name: Spec)
    monkeypatch.delenv('CUDA_HOME', raising=False)
    monkeypatch.setenv('CUDA_PATH', str(tmp_path / 'cuda'))
    assert list(libraries.paths('nvrtc', 'cuda_nvrtc')) == [
        str(wheel), str(toolkit), 'libnvrtc.so.13', 'libnvrtc.so.12',
    ]  # fmt: skip
    assert list(libraries.paths('nvrtc', 'cuda_nvrtc', 12))[1:] == [
        str(toolkit), 'libnvrtc.so.12', 'libnvrtc.so.13',
    ]  # fmt: skip


def test_what_is_not_found_is_said_with_all_places() -> None:
    places = iter(['libnowhere.so.13', 'libnowhere.so.12'])
    with pytest.raises(errors.NotFoundError, match=r'^\[x\] .*so\.13.*so\.12.*; install it$'):
        libraries.load(places, 'x', 'install it')


def test_a_library_that_lacks_a_function_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of CUDA 11, to which CUDA_PATH may lead."""
    old, new = SimpleNamespace(create=print), SimpleNamespace(create=print, multiply=print)
    loaded = {'lib.so.11': old, 'lib.so.13': new}
    monkeypatch.setattr(libraries.ctypes, 'CDLL', loaded.__getitem__)
    wanted = ('create', 'multiply')
    assert libraries.load(iter(loaded), 'x', 'install it', wanted) is new
    with pytest.raises(errors.NotFoundError, match=r'lib\.so\.11 has no multiply\); install it'):
        libraries.load(iter(['lib.so.11']), 'x', 'install it', wanted)
