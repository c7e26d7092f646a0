"""The context state: threads, tasks, generators, and scopes left out of order."""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tensorvar._device import scope
from tests.support import devices


class Named(scope.Scope):
    """Adds its name to the prefix, as name scopes do."""

    def __init__(self, name: str) -> None:
        self.name = name

    def apply(self, state: scope.ContextState) -> None:
        state.name_prefix += self.name + '/'


class Fails(scope.Scope):
    def apply(self, state: scope.ContextState) -> None:
        raise ValueError('no')


def prefix() -> str:
    state = scope.current()
    return '' if state is None else state.name_prefix


def in_thread(function: Callable[[], Any]) -> Any:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results.pop()


def test_nothing_is_open_at_first() -> None:
    assert scope.current() is None
    assert scope.EMPTY.plain
    assert scope.EMPTY.scopes == ()


def test_entering_derives_and_leaving_restores() -> None:
    with Named('a'):
        outer = scope.current()
        assert outer is not None
        with Named('b'):
            inner = scope.current()
            assert inner is not None
            assert inner.parent is outer
            assert prefix() == 'a/b/'
            assert len(inner.scopes) == 2
        assert scope.current() is outer
        assert outer.name_prefix == 'a/', 'a state that was current never changes'
    assert scope.current() is None


def test_a_scope_may_be_entered_while_it_is_open() -> None:
    a = Named('a')
    with a, a, Named('b'), a:
        assert prefix() == 'a/a/b/a/'
    assert scope.current() is None


def test_leaving_removes_the_innermost_entry() -> None:
    a, b = Named('a'), Named('b')
    a.__enter__()
    b.__enter__()
    a.__enter__()
    b.__exit__()
    assert prefix() == 'a/a/'
    a.__exit__()
    assert prefix() == 'a/'
    a.__exit__()
    assert scope.current() is None


def test_a_scope_left_out_of_order_removes_only_itself() -> None:
    a, b, c = Named('a'), Named('b'), Named('c')
    for each in (a, b, c):
        each.__enter__()
    b.__exit__()
    assert prefix() == 'a/c/'
    a.__exit__()
    assert prefix() == 'c/'
    c.__exit__()
    assert scope.current() is None


def test_leaving_twice_changes_nothing() -> None:
    a, b = Named('a'), Named('b')
    a.__exit__()
    assert scope.current() is None
    with b:
        a.__exit__()
        assert prefix() == 'b/'


def test_an_error_leaves_the_scope() -> None:
    with pytest.raises(ZeroDivisionError), Named('a'), Named('b'):
        raise ZeroDivisionError
    assert scope.current() is None


def test_a_scope_that_fails_to_apply_is_not_entered() -> None:
    with Named('a'):
        with pytest.raises(ValueError, match='no'):
            Fails().__enter__()
        assert prefix() == 'a/'
    with pytest.raises(NotImplementedError, match='Scope must implement apply'):
        scope.Scope().__enter__()


def test_a_pushed_state_is_current_for_its_block() -> None:
    with Named('a'):
        state = scope.current()
    with Named('b'):
        with scope.Pushed(state):
            assert prefix() == 'a/'
            with Named('c'):
                assert prefix() == 'a/c/'
        assert prefix() == 'b/'
        with scope.Pushed(None):
            assert scope.current() is None


# Threads


def test_threads_start_without_scopes() -> None:
    with Named('a'):
        assert in_thread(prefix) == ''


def test_propagate_carries_the_scopes() -> None:
    with Named('a'):
        carried = scope.propagate(prefix)
    assert carried.__name__ == 'prefix'
    assert in_thread(carried) == 'a/'
    assert carried() == 'a/'
    assert prefix() == ''


def test_propagate_carries_the_absence_of_scopes() -> None:
    carried = scope.propagate(prefix)
    with Named('a'):
        assert carried() == ''
        assert prefix() == 'a/'


def test_propagate_passes_arguments_results_and_errors() -> None:
    def work(first: int, *, second: int) -> float:
        return first / second

    with Named('a'):
        carried = scope.propagate(work)
    assert carried(1, second=2) == 0.5
    with pytest.raises(ZeroDivisionError):
        carried(1, second=0)
    assert scope.current() is None


def test_threads_of_a_pool_are_left_clean() -> None:
    with ThreadPoolExecutor(1) as pool:
        with Named('a'):
            assert pool.submit(scope.propagate(prefix)).result() == 'a/'
        assert pool.submit(prefix).result() == ''


def test_scopes_of_a_carried_call_stay_in_it() -> None:
    def nested() -> str:
        with Named('b'):
            return prefix()

    with Named('a'):
        assert in_thread(scope.propagate(nested)) == 'a/b/'
        assert prefix() == 'a/'


# Tasks


def test_tasks_do_not_see_each_other() -> None:
    seen: list[str] = []

    async def hold(name: str) -> None:
        with Named(name):
            await asyncio.sleep(0)
            seen.append(prefix())
            await asyncio.sleep(0)
            seen.append(prefix())

    async def main() -> None:
        with Named('main'):
            await asyncio.gather(hold('a'), hold('b'))
            seen.append(prefix())

    asyncio.run(main())
    assert seen == ['main/a/', 'main/b/', 'main/a/', 'main/b/', 'main/']


def test_a_task_starts_with_the_scopes_of_its_creator() -> None:
    async def child() -> str:
        await asyncio.sleep(0)
        return prefix()

    async def main() -> tuple[str, str]:
        with Named('a'):
            task = asyncio.create_task(child())
        return await task, prefix()

    assert asyncio.run(main()) == ('a/', '')


def test_a_scope_entered_by_a_coroutine_that_is_awaited_is_the_callers() -> None:
    async def enter(stack: contextlib.ExitStack) -> None:
        stack.enter_context(Named('a'))
        await asyncio.sleep(0)

    async def main() -> list[str]:
        with contextlib.ExitStack() as stack:
            await enter(stack)
            inside = prefix()
        return [inside, prefix()]

    assert asyncio.run(main()) == ['a/', '']


def test_work_in_another_thread_of_a_loop_carries_the_scopes() -> None:
    async def main() -> str:
        with Named('a'):
            return await asyncio.to_thread(prefix)

    assert asyncio.run(main()) == 'a/'


# Generators


def hold_open() -> Iterator[str]:
    with Named('g'):
        yield prefix()
        yield prefix()


def test_a_suspended_generator_leaks_its_scope_until_it_resumes() -> None:
    generator = hold_open()
    assert next(generator) == 'g/'
    assert prefix() == 'g/', 'as the docstring says'
    with Named('a'):
        assert prefix() == 'g/a/'
        assert list(generator) == ['g/a/']
        assert prefix() == 'a/', 'only its own scope is gone'
    assert scope.current() is None


def test_a_generator_that_is_dropped_leaves_its_scope() -> None:
    generator = hold_open()
    next(generator)
    generator.close()
    assert scope.current() is None


def test_a_generator_finished_in_another_context_leaves_that_one_alone() -> None:
    context = contextvars.copy_context()
    generator = hold_open()
    assert context.run(next, generator) == 'g/'
    with Named('a'):
        assert list(generator) == ['a/']
        assert prefix() == 'a/'
    assert context.run(prefix) == 'g/'


def test_the_suite_notices_a_scope_left_open() -> None:
    a = Named('a')
    a.__enter__()
    assert devices.leaks()
    a.__exit__()
    assert not devices.leaks()
