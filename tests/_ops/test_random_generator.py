"""``tv.random.Generator``: construction, state, threads, errors."""

import numpy as np
import pytest

import tensorvar as tv
from tests.support import threads

Generator = tv.random.Generator


def state_of(generator) -> list[int]:
    return generator.state.numpy().tolist()


def test_the_state_is_a_variable_on_the_cpu(simulated_gpus) -> None:
    with tv.device('GPU:1'):
        generator = Generator.from_seed(3)
        drawn = generator.normal([2])
    assert isinstance(generator.state, tv.Variable)
    assert generator.state.device.endswith('CPU:0')
    assert drawn.device.endswith('GPU:1')
    assert generator.state.name.endswith('StateVar:0')
    assert not generator.state.trainable
    assert generator.algorithm == 1


def test_a_variable_is_used_itself() -> None:
    variable = tv.Variable([0, 0, 5], dtype=tv.int64)
    generator = Generator.from_state(variable, 'philox')
    assert generator.state is variable
    generator.normal([2])
    assert variable.numpy().tolist() == [512, 0, 5]
    variable.assign([0, 0, 5])
    assert generator.uniform([]).numpy() == Generator.from_state([0, 0, 5], 1).uniform([]).numpy()


def test_a_variable_on_a_gpu_is_used_there(simulated_gpus) -> None:
    with tv.device('GPU:0'):
        variable = tv.Variable([0, 0, 5], dtype=tv.int64)
    Generator.from_state(variable, 'philox').normal([2])
    assert variable.device.endswith('GPU:0')
    assert variable.numpy().tolist() == [512, 0, 5]


def test_copies_go_their_own_way() -> None:
    generator = Generator.from_seed(3)
    copy = Generator(copy_from=generator)
    assert copy.normal([2]).numpy().tolist() == generator.normal([2]).numpy().tolist()
    copy.normal([2])
    assert state_of(generator) == [3 + 512, 0, 0]
    assert state_of(copy) == [3 + 1024, 0, 0]


def test_non_deterministic_states_differ() -> None:
    states = [state_of(Generator.from_non_deterministic_state()) for _ in range(2)]
    assert states[0] != states[1]


def test_split_gives_independent_generators() -> None:
    generator = Generator.from_seed(3)
    before = state_of(generator)
    parts = generator.split(3)
    assert len({tuple(state_of(part)) for part in parts}) == 3
    assert all(state_of(part)[:2] == [0, 0] for part in parts)
    assert state_of(generator)[0] == before[0] + 3 * 256


def test_make_seeds_have_a_column_for_each_seed() -> None:
    seeds = Generator.from_seed(3).make_seeds(4)
    assert seeds.shape == (2, 4)
    assert seeds.dtype == tv.int64
    tv.random.stateless_normal([2], seeds[:, 0])


def test_binomial_draws_and_what_they_reserve_are_those_of_tensorflow() -> None:
    generator = Generator.from_seed(5)
    assert generator.binomial([4], 10.0, 0.3).numpy().tolist() == [3, 4, 3, 2]
    assert state_of(generator) == [5 + 89600, 0, 0]
    drawn = generator.binomial([2, 3], [10.0, 50.0, 3.0], [0.3, 0.5, 0.9], dtype=tv.float32)
    assert drawn.dtype == tv.float32
    assert drawn.numpy().tolist() == [[0, 20, 3], [4, 25, 3]]
    assert state_of(generator) == [5 + 281600, 0, 0]
    generator.binomial([0, 3], [40.0, 50.0, 30.0], 0.5)
    assert state_of(generator) == [5 + 396800, 0, 0]


def test_empty_draws_leave_the_state() -> None:
    generator = Generator.from_seed(3)
    before = state_of(generator)
    assert generator.normal([0]).shape == (0,)
    assert state_of(generator) == before


@pytest.mark.parametrize('dtype', ['uint32', 'uint64', 'int32', 'int64'])
def test_integers_with_bounds(dtype: str) -> None:
    drawn = Generator.from_seed(3).uniform([100], 2, 5, dtype)
    assert drawn.dtype.name == dtype
    assert set(drawn.numpy().tolist()) == {2, 3, 4}


def test_threads_share_a_generator_without_repeating_it() -> None:
    expected = Generator.from_seed(1)
    wanted = {expected.uniform([]).numpy().item() for _ in range(100)}
    generator = Generator.from_seed(1)
    found: list[float] = []

    def draw() -> None:
        found.extend([generator.uniform([]).numpy().item() for _ in range(25)])

    threads.several(draw, 4)
    assert set(found) == wanted


def test_the_global_generator_is_made_once_and_can_be_replaced() -> None:
    tv.random.set_global_generator(None)
    first = tv.random.get_global_generator()
    assert tv.random.get_global_generator() is first
    mine = Generator.from_seed(1)
    tv.random.set_global_generator(mine)
    assert tv.random.experimental.get_global_generator() is mine
    tv.random.set_global_generator(None)


def test_mean_and_stddev() -> None:
    drawn = Generator.from_seed(1).normal([2], [1.0, 100.0], 2.0).numpy()
    plain = Generator.from_seed(1).normal([2]).numpy()
    np.testing.assert_allclose(drawn, plain * np.float32(2) + np.float32([1, 100]))


@pytest.mark.parametrize(
    ('call', 'expected'),
    [
        (lambda: Generator(), ValueError),
        (lambda: Generator(state=[1, 2, 3]), ValueError),
        (lambda: Generator(copy_from=Generator.from_seed(1), alg=1), ValueError),
        (lambda: Generator.from_state([1, 2], 'philox'), ValueError),
        (lambda: Generator.from_state([1, 2, 3], 7), ValueError),
        (lambda: Generator.from_state(tv.Variable([1, 2], dtype=tv.int64), 1), ValueError),
        (lambda: Generator.from_seed(1, 'threefry'), NotImplementedError),
        (lambda: Generator.from_key_counter([3], [1, 2], 'philox'), ValueError),
        (lambda: Generator.from_key_counter(3, [1, 2, 3], 'philox'), ValueError),
        (lambda: Generator.from_seed(1).reset([1, 2]), ValueError),
        (lambda: Generator.from_seed(1).uniform([2], dtype=tv.int32), ValueError),
        (lambda: Generator.from_seed(1).uniform([2], 3, 3, tv.int32), ValueError),
        (lambda: Generator.from_seed(1).uniform_full_int([2], tv.float32), TypeError),
        (lambda: Generator.from_seed(1).uniform_full_int([2], tv.int8), TypeError),
        (lambda: Generator.from_seed(1).binomial([3], [10.0, 5.0], 0.5), ValueError),
        (lambda: Generator.from_seed(1).binomial([2], 10.0, 0.5, tv.uint8), TypeError),
        (lambda: Generator.from_seed(1).normal([2], dtype=tv.int32), TypeError),
        (lambda: Generator.from_seed(1.5), TypeError),
    ],
)
def test_errors(call, expected) -> None:
    with pytest.raises(expected, match=r'\['):
        call()
