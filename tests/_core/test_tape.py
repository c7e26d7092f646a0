"""``GradientTape`` as in TensorFlow: when it records, and what it watches."""

import logging
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors


def value(tensor: Any) -> Any:
    return tensor.numpy().tolist()


def square_on(device: str) -> tuple[Any, Any, Any]:
    """A tape with ``y = x * x`` on it, and both."""
    with tv.device(device):
        x = tv.constant([1.0, 2.0])
        with tv.GradientTape() as tape:
            tape.watch(x)
            y = x * x
    return tape, x, y


# Once, or many times


def test_gradient_of_a_watched_tensor(device: str) -> None:
    tape, x, y = square_on(device)
    gradient = tape.gradient(y, x)
    assert value(gradient) == [2.0, 4.0]
    assert gradient.device.endswith(device)


def test_a_tape_gives_one_set_of_gradients() -> None:
    tape, x, y = square_on('CPU:0')
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match='only be used to compute one set of gradients'):
        tape.gradient(y, x)


@pytest.mark.parametrize('persistent', [False, True])
@pytest.mark.parametrize('method', ['gradient', 'jacobian', 'batch_jacobian'])
def test_a_tape_that_never_recorded_has_no_gradients(method: str, persistent: bool) -> None:
    x = tv.constant([[1.0]])
    with pytest.raises(errors.FailedPreconditionError, match=rf'^\[{method}\].*has recorded'):
        getattr(tv.GradientTape(persistent=persistent), method)(x, x)


def test_a_wrong_argument_leaves_the_records() -> None:
    tape, x, y = square_on('CPU:0')
    with pytest.raises(ValueError, match='unconnected'):
        tape.gradient(y, x, unconnected_gradients='bad')
    with pytest.raises(AttributeError):
        tape.gradient(1.0, x)
    with pytest.raises(ValueError, match='output_gradients'):
        tape.gradient(y, x, output_gradients=[1.0, 2.0])
    assert value(tape.gradient(y, x)) == [2.0, 4.0]


def test_persistent_tape_gives_many() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    assert [value(tape.gradient(y, x)) for _ in range(2)] == [6.0, 6.0]
    assert value(tape.gradient(z, x)) == 108.0
    assert value(tape.gradient(z, y)) == 18.0


def test_gradient_inside_of_the_block_ends_the_recording() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        assert value(tape.gradient(y, x)) == 6.0
        z = x * x * x
    with pytest.raises(RuntimeError):
        tape.gradient(z, x)


def test_persistent_tape_differentiates_its_own_gradient() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        first = tape.gradient(x * x, x)
        y = first * x
    assert value(tape.gradient(y, x)) == 12.0
    assert value(tape.gradient(first, x)) == 2.0


# Entering


def test_entering_again_goes_on() -> None:
    x = tv.constant(2.0)
    for persistent in (False, True):
        tape = tv.GradientTape(persistent=persistent)
        with tape:
            tape.watch(x)
            y = x * x
        with tape:
            z = y * x
        assert value(tape.gradient(z, x)) == 12.0


def test_a_used_tape_starts_anew() -> None:
    tape, x, y = square_on('CPU:0')
    tape.gradient(y, x)
    with tape:
        tape.watch(x)
        z = x * 3.0
    assert tape.gradient(z + y, x) is None
    with tape:
        tape.watch(x)
        z = x * 3.0
    assert value(tape.gradient(z, x)) == [3.0, 3.0]


def test_a_tape_cannot_be_nested_in_itself() -> None:
    tape = tv.GradientTape()
    with tape:
        with pytest.raises(ValueError, match='Tape is still recording'):
            tape.__enter__()
        x = tv.Variable(2.0)
        y = x * x
    assert value(tape.gradient(y, x)) == 4.0


def test_an_error_in_the_block_ends_the_recording() -> None:
    tape = tv.GradientTape()
    v = tv.Variable(2.0)
    with pytest.raises(ZeroDivisionError), tape:
        y = v * v
        raise ZeroDivisionError
    v * v
    assert value(tape.gradient(y, v)) == 4.0


# Watching


@pytest.mark.parametrize('wrong', [1.0, None, 'a', np.ones(2)])
def test_only_values_of_ours_are_watched(wrong: Any) -> None:
    with tv.GradientTape() as tape:
        with pytest.raises(ValueError, match='Passed in object .* not a tensor or variable'):
            tape.watch(wrong)
        with pytest.raises(ValueError, match='Passed in object'):
            tape.watch([tv.constant(1.0), wrong])


def test_watching_an_integer_warns(caplog: pytest.LogCaptureFixture) -> None:
    x = tv.constant(3)
    with caplog.at_level(logging.WARNING, 'tensorvar'), tv.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert tape.gradient(y, x) is None
    [record] = caplog.records
    assert record.name == 'tensorvar'
    assert record.getMessage() == (
        'The dtype of the watched tensor must be floating (e.g. tv.float32), got int32'
    )


def test_complex_tensors_are_watched_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    x = tv.constant(2 + 1j)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    # TensorFlow's convention: the conjugate of the derivative.
    assert value(tape.gradient(y, x)) == 4 - 2j
    assert not caplog.records


def test_structures_are_watched() -> None:
    x, y, z = tv.constant(1.0), tv.constant(2.0), tv.constant(3.0)
    with tv.GradientTape() as tape:
        tape.watch({'x': x, 'rest': [y, (z,)]})
        product = x * y * z
    assert [value(g) for g in tape.gradient(product, [x, y, z])] == [6.0, 3.0, 2.0]


def test_watching_before_the_block_counts() -> None:
    x = tv.constant(3.0)
    tape = tv.GradientTape()
    tape.watch(x)
    with tape:
        y = x * x
    assert value(tape.gradient(y, x)) == 6.0


def test_what_ran_before_the_watch_does_not_count() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape() as tape:
        before = x * x
        tape.watch(x)
        after = before * x
    assert value(tape.gradient(after, x)) == 9.0


def test_trainable_variables_are_watched_when_read() -> None:
    v, fixed = tv.Variable(3.0), tv.Variable(2.0, trainable=False)
    counter = tv.Variable(1)
    with tv.GradientTape(persistent=True) as tape:
        y = v * fixed
        counter + 1
    assert value(tape.gradient(y, v)) == 2.0
    assert tape.gradient(y, fixed) is None
    assert tape.gradient(y, counter) is None
    assert tape.watched_variables() == (v, counter)


def test_watching_a_variable_that_is_not_trainable() -> None:
    fixed = tv.Variable(2.0, trainable=False)
    with tv.GradientTape() as tape:
        tape.watch(fixed)
        y = fixed * 3.0
    assert tape.watched_variables() == (fixed,)
    assert value(tape.gradient(y, fixed)) == 3.0


def test_only_what_is_watched_where_access_does_not_count() -> None:
    v, w = tv.Variable(3.0), tv.Variable(2.0)
    with tv.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(w)
        y = v * w
    assert tape.watched_variables() == (w,)
    assert tape.gradient(y, v) is None


def test_watched_variables_are_known_after_the_gradient() -> None:
    v, w = tv.Variable(3.0), tv.Variable(2.0)
    tape = tv.GradientTape()
    assert tape.watched_variables() == ()
    with tape:
        y = w * v * w
    tape.gradient(y, [v, w])
    assert tape.watched_variables() == (w, v)
    with tape:
        pass
    assert tape.watched_variables() == ()


READS = {
    'operator': lambda v: v * 1.0,
    'value': lambda v: v.value(),
    'read_value': lambda v: v.read_value(),
    'convert_to_tensor': tv.convert_to_tensor,
    'identity': tv.identity,
    'index': lambda v: v[:],
    'reduce_sum': tv.reduce_sum,
}


@pytest.mark.parametrize('read', READS.values(), ids=READS)
def test_every_way_of_reading_is_seen(device: str, read: Any) -> None:
    with tv.device(device):
        v = tv.Variable([1.0, 2.0])
    with tv.GradientTape() as tape:
        y = read(v) * 3.0
    assert value(tape.gradient(y, v)) == [3.0, 3.0]


# Pauses


def test_stop_recording() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape() as tape:
        x = v * v
        with tape.stop_recording():
            unseen = x * x
            with tape.stop_recording():
                tv.Variable(1.0) * 1.0
        y = x * unseen
    assert tape.watched_variables() == (v,)
    assert value(tape.gradient(y, v)) == 6.0 * 81.0


def test_stop_recording_pauses_one_tape() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape() as outer, tv.GradientTape() as inner, inner.stop_recording():
        y = v * v
    assert inner.gradient(y, v) is None
    assert value(outer.gradient(y, v)) == 6.0


def test_gradient_while_paused_is_not_recorded() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        with tape.stop_recording():
            first = tape.gradient(y, x)
        z = first * x
    assert value(tape.gradient(z, x)) == 6.0


def test_a_tape_that_does_not_record_cannot_stop_or_reset() -> None:
    tape = tv.GradientTape()
    with pytest.raises(RuntimeError, match='not recording'):
        tape.stop_recording()
    with pytest.raises(ValueError, match='Tape is not recording'):
        tape.reset()


def test_reset_forgets() -> None:
    x, v = tv.constant(3.0), tv.Variable(1.0)
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x * v
        tape.reset()
        assert tape.watched_variables() == ()
        z = y * x
        tape.watch(x)
        w = y * x
    assert tape.gradient(z, x) is None
    assert value(tape.gradient(w, x)) == 9.0


# Nesting


def test_third_order(device: str) -> None:
    with tv.device(device):
        x = tv.constant([2.0, 3.0])
    with tv.GradientTape() as outer:
        outer.watch(x)
        with tv.GradientTape() as middle:
            middle.watch(x)
            with tv.GradientTape() as inner:
                inner.watch(x)
                y = x * x * x * x
            first = inner.gradient(y, x)
        second = middle.gradient(first, x)
    third = outer.gradient(second, x)
    assert [value(g) for g in (first, second, third)] == [
        [32.0, 108.0],
        [48.0, 108.0],
        [48.0, 72.0],
    ]


def test_variables_in_nested_tapes() -> None:
    v = tv.Variable(2.0)
    with tv.GradientTape() as outer:
        with tv.GradientTape() as inner:
            y = v * v * v
        first = inner.gradient(y, v)
        penalty = first * first
    assert value(outer.gradient(penalty, v)) == 2 * 12.0 * 12.0


def test_the_outer_tape_sees_what_the_inner_one_saw() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape() as outer:
        outer.watch(x)
        with tv.GradientTape() as inner:
            inner.watch(x)
            y = x * x
        z = y * inner.gradient(y, x)
    assert value(outer.gradient(z, x)) == 54.0


def test_gradient_of_an_unwatched_tensor_of_an_inner_tape() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape() as outer:
        outer.watch(x)
        with tv.GradientTape() as inner:
            y = x * x
        assert inner.gradient(y, x) is None
    assert value(outer.gradient(y, x)) == 6.0
