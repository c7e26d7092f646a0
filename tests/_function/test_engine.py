"""Threads that call one function, and what functions keep alive."""

import gc
import weakref
from typing import Any

import numpy as np

import tensorvar as tv
from tests.support import threads


def test_threads_that_call_one_function_at_once() -> None:
    v = tv.Variable(np.zeros(64, np.float32))
    add = tv.function(lambda x: v.assign_add(x))
    square = tv.function(lambda x: tv.reduce_sum(tv.exp(x * 2.0 + 1.0) * x))
    failures: list[str] = []

    def work(number: int) -> None:
        x = tv.constant(np.full(64, number, np.float32) / 8)
        wanted = square.python_function(x).numpy()
        for _ in range(200):
            add(tv.ones([64]))
            if square(x).numpy() != wanted:
                failures.append('another thread overwrote a buffer')

    threads.each(work, range(4))
    assert not failures
    assert v.numpy().tolist() == [800.0] * 64
    assert square.experimental_get_tracing_count() == 1


def test_a_function_keeps_no_variable_and_no_object_alive() -> None:
    class Layer:
        def __init__(self) -> None:
            self.weight = tv.Variable(2.0)

        @tv.function
        def scaled(self, x: Any) -> Any:
            return self.weight * x

    layer = Layer()
    assert [float(layer.scaled(tv.constant(x))) for x in (1.0, 2.0, 3.0)] == [2.0, 4.0, 6.0]
    gone = weakref.ref(layer), weakref.ref(layer.weight)
    del layer
    gc.collect()
    assert [each() for each in gone] == [None, None]


def test_threads_that_find_new_branches_at_once() -> None:
    v = tv.Variable(0.0)

    @tv.function
    def step(n: Any) -> Any:
        v.assign_add(1.0)
        if n > 5:
            return tv.cast(n, tv.float32) * 10.0
        return tv.cast(n if n > 2 else -n, tv.float32)

    wanted = {n: 10.0 * n if n > 5 else float(n if n > 2 else -n) for n in range(8)}
    wrong: list[int] = []

    def work() -> None:
        for n in [*range(8), *range(7, -1, -1)] * 4:
            if float(step(tv.constant(n))) != wanted[n]:
                wrong.append(n)

    threads.several(work, 4)
    assert not wrong
    assert float(v) == 4 * 64


def test_values_without_data_do_not_meet_the_plan_of_their_shape() -> None:
    double = tv.function(lambda x: x * 2.0)
    outer = tv.function(lambda x: double(x) + 1.0)
    assert double(tv.constant([1.0])).numpy() == [2.0]
    concrete = outer.get_concrete_function(tv.TensorSpec([1]))
    assert concrete.structured_outputs == tv.TensorSpec([1])


def test_devices_configured_anew_get_a_plan_of_their_own() -> None:
    function = tv.function(lambda x: tv.exp(x) + x)
    for number, limit in enumerate(('1MiB', '2MiB')):
        tv.config.reset()
        tv.config.simulate_gpus(1, memory_limit=limit)
        with tv.device('GPU:0'):
            for _ in range(3):
                x = tv.zeros([1000])
                y = function(x)
        assert function.experimental_get_tracing_count() == number + 1
        del x, y
    tv.config.reset()


def test_a_function_without_arguments_learns_of_devices_configured_anew() -> None:
    function = tv.function(lambda: tv.ones([3]) * 2.0)
    for _ in range(3):
        function()
    tv.config.reset()
    (cpu,) = tv.config.list_physical_devices('CPU')
    limit = tv.config.LogicalDeviceConfiguration(memory_limit=1)
    tv.config.set_logical_device_configuration(cpu, [limit])
    y = function()
    # A device with a limit counts what it hands out.
    assert tv.config.get_memory_info('CPU:0')['current'] > 0
    del y, function
    tv.config.reset()


def test_a_function_that_is_dropped_gives_its_buffers_back_at_once() -> None:
    v = tv.Variable(np.ones(8, np.float32))
    function = tv.function(lambda x: v.assign_add(tv.exp(x) * 2.0 + x))
    for _ in range(4):
        function(tv.ones([8]))
    (plan,) = function._engine.plans.values()
    segment = weakref.ref(plan.root.program.run)
    dropped = weakref.ref(plan)
    gc.collect()
    gc.disable()
    try:
        del function, plan
        assert dropped() is None
        assert segment() is None
    finally:
        gc.enable()
