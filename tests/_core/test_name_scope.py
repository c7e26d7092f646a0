"""Name scopes."""

import asyncio
import threading
from typing import Any

import pytest

import tensorvar as tv


def name() -> str:
    return tv.Variable(1.0, name='w').name


def test_scopes_nest() -> None:
    with tv.name_scope('outer') as outer:
        assert outer == 'outer/'
        with tv.name_scope('inner') as inner:
            assert inner == 'outer/inner/'
            assert name() == 'outer/inner/w:0'
        assert name() == 'outer/w:0'
        with tv.name_scope('inner') as again:
            assert again == 'outer/inner/', 'names are not made unique'
    assert name() == 'w:0'


def test_a_slash_at_the_end_is_absolute() -> None:
    with tv.name_scope('outer'):
        with tv.name_scope('other/') as prefix:
            assert prefix == 'other/'
            assert name() == 'other/w:0'
        with tv.name_scope(''):
            assert name() == 'w:0'
        assert tv.Variable(1.0, name='other/').name == 'other:0'
        assert tv.Variable(1.0, name='').name == ':0'
        assert tv.Variable(1.0).name == 'outer/Variable:0'


def test_the_scope_that_was_yielded_can_be_entered_again() -> None:
    with tv.name_scope('a'), tv.name_scope('b') as saved:
        pass
    with tv.name_scope('c'), tv.name_scope(saved):
        assert name() == 'a/b/w:0'


def test_one_object_may_be_entered_twice() -> None:
    scope = tv.name_scope('a')
    with scope, scope:
        assert name() == 'a/a/w:0'
    assert scope.name == 'a'
    assert name() == 'w:0'


def test_an_exception_leaves_the_scope() -> None:
    with pytest.raises(ArithmeticError), tv.name_scope('a'):
        raise ArithmeticError
    assert name() == 'w:0'


@pytest.mark.parametrize('given', [None, 1, b'a'])
def test_a_name_is_a_string(given: Any) -> None:
    with pytest.raises(ValueError, match='name for name_scope must be a string'):
        tv.name_scope(given)


def test_no_decorator() -> None:
    with pytest.raises(TypeError, match='not callable'):
        tv.name_scope('a')(name)


def test_threads_and_tasks_have_their_own() -> None:
    found = []

    async def inside(scope: str) -> str:
        with tv.name_scope(scope):
            await asyncio.sleep(0)
            return name()

    async def together() -> list[str]:
        return await asyncio.gather(inside('a'), inside('b'))

    with tv.name_scope('outer'):
        thread = threading.Thread(target=lambda: found.append(name()))
        thread.start()
        thread.join()
        found += asyncio.run(together())
        assert name() == 'outer/w:0'
    assert found == ['w:0', 'outer/a/w:0', 'outer/b/w:0']
