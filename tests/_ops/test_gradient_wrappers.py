"""``recompute_grad`` and ``grad_pass_through``."""

import tensorvar as tv
from tensorvar._ops.gradient_wrappers import grad_pass_through, recompute_grad


def test_recomputed_gradients(device: str) -> None:
    with tv.device(device):
        x, weight = tv.constant(3.0), tv.Variable(2.0)
        calls = []

        def function(a, scale=1.0):
            calls.append(a)
            return [a * a * weight * scale, a]

        with tv.GradientTape() as tape:
            tape.watch(x)
            y = recompute_grad(function)(x, scale=1.0)
        assert [float(each) for each in y] == [18.0, 3.0]
        gradients = tape.gradient(y, [x, weight])
    assert [float(each) for each in gradients] == [13.0, 9.0]
    assert len(calls) == 2


def test_recomputed_gradients_of_second_order() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape() as outer:
        outer.watch(x)
        with tv.GradientTape() as inner:
            inner.watch(x)
            y = recompute_grad(lambda a: a * a * a)(x)
        slope = inner.gradient(y, x)
    assert float(slope) == 27.0
    assert float(outer.gradient(slope, x)) == 18.0


def test_passed_through(device: str) -> None:
    with tv.device(device):
        x, weight = tv.constant([3.4, 4.6]), tv.Variable(2.0)
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = grad_pass_through(lambda a: tv.round(a) * weight)(x)
        assert y.numpy().tolist() == [6.0, 10.0]
        gradient, of_weight = tape.gradient(y, [x, weight])
    assert gradient.numpy().tolist() == [1.0, 1.0]
    assert of_weight is None


def test_wrappers_look_like_the_function() -> None:
    def named(a):
        """What it does."""
        return a

    for wrap in (recompute_grad, grad_pass_through):
        wrapped = wrap(named)
        assert wrapped.__name__ == 'named'
        assert wrapped.__doc__ == 'What it does.'
        assert wrapped.__wrapped__ is named
