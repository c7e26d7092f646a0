"""A run that begins with what a replay has done is an eager run."""

from typing import Any

import pytest

import tensorvar as tv


def on(device: str, value: Any) -> Any:
    with tv.device(device):
        return tv.constant(value)


def test_a_replay_that_fills_a_device_goes_on_as_an_eager_run(simulated_gpus: Any) -> None:
    tv.config.set_memory_limit('GPU:0', '1MiB')
    with tv.device('GPU:0'):
        v = tv.Variable(0.0)

    @tv.function
    def steps(x: Any) -> Any:
        v.assign_add(1.0)
        for _ in range(8):
            # Of these an eager run holds two at once.
            x = x * 2.0
        if x[0] > 0.0:
            v.assign_add(1.0)
        return tv.reduce_sum(x)

    size = 16 << 10
    x = on('GPU:0', [1.0] * size)
    for _ in range(2):
        assert float(steps(x)) == 256.0 * size
    with tv.device('GPU:0'):
        hog = tv.zeros([size * 12])
    for _ in range(2):
        assert float(steps(x)) == 256.0 * size
    assert float(v) == 8.0
    del hog


def test_an_op_that_refuses_host_values_before_they_are_copied(simulated_gpus: Any) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable(0.0)
    x = on('GPU:0', [1.0, 2.0, 3.0])

    def pick(x: Any, index: Any) -> Any:
        v.assign_add(1.0)
        with tv.device('GPU:0'):
            try:
                y = tv.gather(x * 2.0, index)
            except tv.errors.InvalidArgumentError:
                y = x[:1]
        v.assign_add(1.0)
        return y

    function = tv.function(pick)
    for index in (1, 0, 7, 2, 7, 1):
        place = on('CPU:0', [index])
        wanted = pick(x, place)
        given = function(x, place)
        assert given.numpy().tolist() == wanted.numpy().tolist()
        assert given.device == wanted.device
    assert float(v) == 24.0


REFUSED = {
    'gather_nd': lambda x, i: tv.gather_nd(x, i[:, None]),
    'scatter_nd': lambda x, i: tv.scatter_nd(i[:, None], x[:1], [3]),
    'tensor_scatter_nd_update': lambda x, i: tv.tensor_scatter_nd_update(x, i[:, None], x[:1]),
    'unsorted_segment_sum': lambda x, i: tv.math.unsorted_segment_sum(x[:1], i, 3),
    'unsorted_segment_max': lambda x, i: tv.math.unsorted_segment_max(x[:1], i, 3),
    'segment_sum': lambda x, i: tv.math.segment_sum(x, tv.concat([i, [5, 5]], 0)),
    'dynamic_partition': lambda x, i: tv.dynamic_partition(x[:1], i, 3)[1],
    'reverse_sequence': lambda x, i: tv.reverse_sequence(x[None], i, 1),
    'unravel_index': lambda x, i: tv.cast(tv.unravel_index(i, [3]), tv.float32),
    'gather': tv.gather,
}


@pytest.mark.parametrize('device', ['CPU:0', 'GPU:0'])
@pytest.mark.parametrize('name', REFUSED)
@pytest.mark.filterwarnings('ignore:tv.function')
def test_a_refusal_in_the_first_run_that_the_function_catches(
    name: str, device: str, simulated_gpus: Any
) -> None:
    x = on(device, [1.0, 2.0, 3.0])

    def body(x: Any, index: Any) -> Any:
        try:
            return REFUSED[name](x, index)
        except tv.errors.InvalidArgumentError:
            return x[:2] * 10.0

    function = tv.function(body)
    for index in (7, 1, 0, 7):
        place = on('CPU:0', [index])
        assert function(x, place).numpy().tolist() == body(x, place).numpy().tolist()
