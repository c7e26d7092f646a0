"""Plans that grow while other threads replay them, and how they are given back."""

import gc
import threading
import time
import weakref
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._function.plan import Plan


def test_a_replay_under_way_takes_the_locks_of_a_path_that_is_new() -> None:
    v, w = tv.Variable(0.0), tv.Variable(0.0)

    @tv.function
    def step(x: Any) -> Any:
        v.assign_add(1.0)
        if x > 0.0:
            w.assign_add(1.0)
        return v * 1.0

    step(tv.constant(-1.0))
    done = threading.Event()

    def work() -> None:
        step(tv.constant(1.0))
        done.set()

    thread = threading.Thread(target=work)
    with v._lock:
        thread.start()
        # It waits for the one lock that the plan needs so far.
        time.sleep(0.1)
        step(tv.constant(1.0))
        w._lock.acquire()
    try:
        assert not done.wait(0.1)
        assert float(w.value()) == 1.0
    finally:
        w._lock.release()
        thread.join()
    assert (float(v), float(w)) == (3.0, 2.0)


def test_a_new_path_that_tapes_cannot_be_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    @tv.custom_gradient
    def same(x: Any) -> Any:
        return x, lambda slope: slope * 100.0

    v = tv.Variable(2.0)

    @tv.function
    def step(x: Any) -> Any:
        return same(x * v) if x > 0.0 else x * v

    for number in (1.0, -1.0):
        step(tv.constant(number))
    # As if another thread added the path just after this one had asked.
    monkeypatch.setattr(Plan, 'tapeable', True)
    for number, slope in ((3.0, 300.0), (-3.0, -3.0), (3.0, 300.0)):
        with tv.GradientTape() as tape:
            y = step(tv.constant(number))
        assert float(tape.gradient(y, v)) == slope


def test_a_function_with_branches_that_is_dropped_goes_at_once() -> None:
    kept = tv.constant(np.ones(100, np.float32))

    def body(x: Any) -> Any:
        if x[0] > 0.0:
            return x + kept
        return x * kept

    function = tv.function(body)
    for number in (1.0, -1.0, 1.0):
        function(tv.constant(number) + tv.zeros([100]))
    (plan,) = function._engine.plans.values()
    root = weakref.ref(plan.root)
    gc.collect()
    gc.disable()
    try:
        del function, plan
        assert root() is None
    finally:
        gc.enable()
