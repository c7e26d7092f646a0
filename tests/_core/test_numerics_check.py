"""``enable_check_numerics``: every op's float results are checked."""

from collections.abc import Iterator

import pytest

import tensorvar as tv
from tensorvar import debugging


@pytest.fixture(autouse=True)
def checked() -> Iterator[None]:
    debugging.enable_check_numerics()
    yield
    debugging.disable_check_numerics()


def test_an_op_that_makes_infinity_raises(device: str) -> None:
    with tv.device(device):
        x = tv.constant([1.0, 0.0, -1.0])
        with pytest.raises(tv.errors.InvalidArgumentError) as raised:
            tv.math.log(x)
    assert raised.value.op == 'Log'
    text = raised.value.message
    assert text.startswith('[Log] Detected Infinity or NaN in output 0: 1 NaN, 1 -Inf in float32')
    assert 'test_numerics_check.py:' in text


def test_gradients_are_checked() -> None:
    x = tv.constant(0.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = tv.sqrt(x)
    with pytest.raises(tv.errors.InvalidArgumentError, match='Detected Infinity or NaN'):
        tape.gradient(y, x)


def test_what_comes_from_outside_and_what_passes_on_is_not_checked(device: str) -> None:
    with tv.device(device):
        x = tv.constant([float('nan'), 1.0])
        assert tv.reshape(x, [1, 2]).shape == (1, 2)
        assert tv.Variable(x).shape == (2,)
        assert tv.math.is_nan(x).numpy().tolist() == [True, False]


def test_finite_results_pass() -> None:
    assert float(tv.constant(2.0) * 3.0) == 6.0


def test_it_ends() -> None:
    debugging.disable_check_numerics()
    assert float(tv.constant(1.0) / 0.0) == float('inf')
