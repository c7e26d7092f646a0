"""The check of one value for NaN and infinity."""

import pytest

import tensorvar as tv
from tensorvar import debugging

NAN, INF = float('nan'), float('inf')


@pytest.mark.parametrize('dtype', [tv.float16, tv.bfloat16, tv.float32, tv.float64])
def test_finite_values_pass(device: str, dtype) -> None:
    with tv.device(device):
        x = tv.constant([1.0, 2.0], dtype)
        assert debugging.check_numerics(x, 'm').numpy().tolist() == [1.0, 2.0]
        assert debugging.assert_all_finite(tv.Variable(x), 'm').dtype is dtype


@pytest.mark.parametrize(
    ('values', 'what'),
    [([1.0, NAN], 'NaN'), ([INF], 'Inf'), ([-INF], 'Inf'), ([NAN, INF], 'Inf and NaN')],
)
def test_others_raise(device: str, values, what: str) -> None:
    with tv.device(device):
        x = tv.constant(values)
        with pytest.raises(
            tv.errors.InvalidArgumentError, match=rf'\] mm : Tensor had {what} values'
        ):
            debugging.check_numerics(x, 'mm')


def test_nothing_passes() -> None:
    assert debugging.check_numerics(tv.zeros([0]), 'm').shape == (0,)


def test_gradients_are_checked_too() -> None:
    x = tv.constant(2.0)
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = debugging.check_numerics(x * 3.0, 'mm')
    assert float(tape.gradient(y, x)) == 3.0
    with pytest.raises(tv.errors.InvalidArgumentError, match='detected in gradient. mm :'):
        tape.gradient(y, x, output_gradients=tv.constant(NAN))


@pytest.mark.parametrize('value', [1, 1j, True], ids=repr)
def test_only_floats(value) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'^\[CheckNumerics\]'):
        debugging.check_numerics(tv.constant(value), 'm')


def test_the_message_is_text() -> None:
    with pytest.raises(TypeError, match="Expected string for argument 'message' not 3"):
        debugging.check_numerics(1.0, 3)
