"""Who sees a tape, and what it keeps alive: threads, tasks, memory."""

import asyncio
import gc
import threading
import weakref
from typing import Any

import tensorvar as tv


def value(tensor: Any) -> Any:
    return tensor.numpy().tolist()


# Threads and tasks


def test_another_thread_is_not_recorded() -> None:
    v = tv.Variable(3.0)
    results: list[Any] = []
    with tv.GradientTape() as tape:
        thread = threading.Thread(target=lambda: results.append(v * v))
        thread.start()
        thread.join()
    assert tape.gradient(results.pop(), v) is None


def test_a_thread_that_carries_the_scopes_is_recorded() -> None:
    v = tv.Variable(3.0)
    results: list[Any] = []
    with tv.GradientTape() as tape:
        carried = tv.propagate(lambda: results.append(v * v))
        thread = threading.Thread(target=carried)
        thread.start()
        thread.join()
    assert value(tape.gradient(results.pop(), v)) == 6.0


def test_tapes_of_tasks_do_not_mix() -> None:
    async def train(start: float) -> tuple[float, int]:
        v = tv.Variable(start)
        with tv.GradientTape() as tape:
            y = v * v
            await asyncio.sleep(0)
            y = y * v
        return value(tape.gradient(y, v)), len(tape.watched_variables())

    async def both() -> Any:
        return await asyncio.gather(train(2.0), train(3.0))

    assert asyncio.run(both()) == [(12.0, 1), (27.0, 1)]


# Memory


def address(variable: Any) -> int:
    return int(variable._array.ctypes.data)


def test_a_training_step_writes_in_place() -> None:
    with tv.device('CPU:0'):
        w, b = tv.Variable(tv.ones((3, 2))), tv.Variable([0.5, 0.5])
        x = tv.constant([[1.0, 2.0, 3.0]])
    before = address(w), address(b)
    for _ in range(3):
        with tv.GradientTape() as tape:
            loss = tv.reduce_sum(tv.matmul(x, w) + b)
        for variable, gradient in zip((w, b), tape.gradient(loss, [w, b]), strict=True):
            variable.assign_sub(gradient * 0.1)
    assert (address(w), address(b)) == before


def test_a_tape_keeps_the_value_it_read() -> None:
    with tv.device('CPU:0'):
        v = tv.Variable([1.0, 2.0])
    before = address(v)
    with tv.GradientTape(persistent=True) as tape:
        y = v * v
    v.assign([5.0, 6.0])
    assert address(v) != before
    assert value(tape.gradient(y, v)) == [2.0, 4.0]


def test_gradient_drops_the_records() -> None:
    x = tv.constant([1.0, 2.0])
    gc.disable()
    try:
        with tv.GradientTape() as tape:
            tape.watch(x)
            hidden = x * x
            seen = weakref.ref(hidden)
            y = tv.reduce_sum(hidden * 2.0)
            del hidden
        assert seen() is not None
        tape.gradient(y, x)
        assert seen() is None
    finally:
        gc.enable()


def test_a_dropped_tape_frees_at_once() -> None:
    gc.disable()
    try:
        v = tv.Variable([1.0, 2.0])
        with tv.GradientTape(persistent=True) as tape:
            seen = weakref.ref(v * v)
        assert seen() is not None
        del tape
        assert seen() is None
    finally:
        gc.enable()


def test_buffers_are_freed_during_the_walk(simulated_gpus: list[str]) -> None:
    """A chain of n ops holds n buffers forward; backward must not double that."""
    nbytes, length = 64 << 10, 8
    with tv.device('GPU:0'):
        x = tv.ones(nbytes // 4)
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(length):
                y = tv.sin(y)
            y = tv.reduce_sum(y)
    held = tv.config.get_memory_info('GPU:0')['current']
    assert held > length * nbytes
    tv.config.reset_memory_stats('GPU:0')
    gradient = tape.gradient(y, x)
    assert tv.config.get_memory_info('GPU:0')['peak'] <= held + 3 * nbytes
    del gradient, y
    assert tv.config.get_memory_info('GPU:0')['current'] == nbytes
