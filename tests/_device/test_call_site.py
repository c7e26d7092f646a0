import _thread
import contextlib
import queue
import sys
import types
from typing import Any

import pytest

from tensorvar import _sizes
from tensorvar._device import call_site


def here() -> int:
    return sys._getframe(1).f_lineno


def test_the_line_of_the_caller() -> None:
    found, line = call_site.user_call_site(), here()
    assert found == (__file__, line)
    assert found.short == f'test_call_site.py:{line}'
    assert str(found) == f'{__file__}:{line}'


def run_as_ours(source: str) -> dict[str, Any]:
    """Runs code whose frames look like the library's: the file name is what counts."""
    names: dict[str, Any] = {'call': call_site.user_call_site}
    exec(compile(source, _sizes.__file__, 'exec'), names)
    return names


def test_frames_of_the_package_are_left_out() -> None:
    names = run_as_ours('def probe(): return call()')
    found, line = names['probe'](), here()
    assert found == (__file__, line)


def test_a_neighbour_of_the_package_is_user_code() -> None:
    path = _sizes.__file__.replace('/tensorvar/', '/tensorvar_extras/')
    names: dict[str, Any] = {'call': call_site.user_call_site}
    exec(compile('\nfound = call()', path, 'exec'), names)
    assert names['found'] == (path, 2)


def test_frames_of_keras_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = types.ModuleType('keras')
    keras.__file__ = '/site-packages/keras/__init__.py'
    monkeypatch.setitem(sys.modules, 'keras', keras)
    names: dict[str, Any] = {'call': call_site.user_call_site}
    exec(compile('found = call()', '/site-packages/keras/src/layers.py', 'exec'), names)
    assert names['found'].path == __file__
    exec(compile('found = call()', '/site-packages/keras_hub/src/layers.py', 'exec'), names)
    assert names['found'].path == '/site-packages/keras_hub/src/layers.py'


def test_frames_of_contextlib_are_left_out() -> None:
    source = """
class Probe:
    def __enter__(self):
        self.found = call()
    def __exit__(self, *exception):
        pass
"""
    names = run_as_ours(source)
    probe = names['Probe']()
    with contextlib.ExitStack() as stack:
        stack.enter_context(probe)
        line = here() - 1
    assert probe.found == (__file__, line)


def test_no_user_frame_at_all() -> None:
    names = run_as_ours('def probe(): out.put(call())')
    names['out'] = queue.Queue()
    _thread.start_new_thread(names['probe'], ())
    assert names['out'].get(timeout=10) == call_site.UNKNOWN
    assert call_site.UNKNOWN.short == '<unknown>:0'


def test_code_that_replays_a_line_stands_for_it() -> None:
    names: dict[str, Any] = {'call': call_site.user_call_site}
    exec(compile('def probe(): return call()', '<replay>', 'exec'), names)
    site: call_site.CallSite | None = call_site.CallSite('train.py', 12)
    call_site.replays('<replay>', lambda frame: site)
    assert names['probe']() == ('train.py', 12)
    site = None
    found, line = names['probe'](), here()
    assert found == (__file__, line)
