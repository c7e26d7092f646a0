"""The living variables: who is listed, in which order, and for how long."""

import gc

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._core import live


def names() -> list[str]:
    return [row.name for row in tv.debugging.live_variables()]


def test_variables_are_listed_in_order_of_creation(fresh_devices: None) -> None:
    kept = [tv.Variable(1.0, name=name) for name in ('b', 'a', 'c')]
    assert names() == ['b:0', 'a:0', 'c:0']
    del kept[1]
    assert names() == ['b:0', 'c:0']


def test_a_row_says_what_a_variable_costs(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:1'):
        v = tv.Variable(np.zeros((2, 3)), name='w')
    [row] = tv.debugging.live_variables()
    assert row[:5] == ('w:0', '(2, 3)', 'float64', 48, 'GPU:1')
    path, _, line = row.created.rpartition(':')
    assert path == __file__
    assert line.isdigit()
    v.to_device('CPU:0')
    [row] = tv.debugging.live_variables()
    assert row.device == 'CPU:0'


def test_the_list_keeps_nothing_alive(fresh_devices: None) -> None:
    gc.disable()
    try:
        v = tv.Variable(1.0)
        rows = tv.debugging.live_variables()
        trainable = tv.trainable_variables()
        assert len(rows) == len(trainable) == 1
        del trainable
        del v
        assert names() == []
        assert live._variables == {}
    finally:
        gc.enable()


def test_trainable_variables_are_those(fresh_devices: None) -> None:
    kept = [tv.Variable(1.0, name=str(number), trainable=number % 2 == 0) for number in range(4)]
    assert [v.name for v in tv.trainable_variables()] == ['0:0', '2:0']
    del kept


def test_a_variable_that_was_not_made_is_not_listed(simulated_gpus: list[str]) -> None:
    with tv.testing.fail('GPU:0', 'copy'), pytest.raises(tv.errors.InternalError):
        tv.Variable([1.0, 2.0])
    with pytest.raises(tv.errors.InvalidArgumentError):
        tv.Variable([[1.0], [2.0, 3.0]])
    assert live._variables == {}


def test_reset_refuses_while_variables_live(simulated_gpus: list[str]) -> None:
    v = tv.Variable([1.0, 2.0], name='w')
    with pytest.raises(tv.errors.FailedPreconditionError, match=r'w:0 \(2,\) float32 8 B on GPU:0'):
        tv.config.reset()
    assert v.numpy().tolist() == [1.0, 2.0]


def test_holders_are_variables_and_replicas(simulated_gpus: list[str]) -> None:
    with tv.device('CPU:0'):
        w = tv.Variable(np.zeros(1000, np.float32), name='w')
    with tv.device('GPU:0'):
        b = tv.Variable([1.0], name='b')
        w.read_value()
    found = {holder.name: holder.nbytes for holder in live._holders('GPU:0')}
    assert found == {'w:0 (replica)': 4000, 'b:0': 4}
    assert {holder.name for holder in live._holders('CPU:0')} == {'w:0'}
    del b
