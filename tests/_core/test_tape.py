"""``GradientTape`` as in TensorFlow: what it records, and what it gives."""

import asyncio
import gc
import logging
import threading
import weakref
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


# Targets, sources, weights


def test_structures_of_targets_and_sources() -> None:
    x = tv.constant([1.0, 2.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y, z = x * x, x * 3.0
    found = tape.gradient({'a': y, 'b': (z,)}, {'q': x, 'r': [x]})
    assert found.keys() == {'q', 'r'}
    assert value(found['q']) == value(found['r'][0]) == [5.0, 7.0]


def test_tuples_stay_tuples() -> None:
    tape, x, y = square_on('CPU:0')
    assert isinstance(tape.gradient(y, (x,)), tuple)


def test_target_is_source() -> None:
    x = tv.constant([3.0, 4.0])
    v = tv.Variable(2.0)
    with tv.GradientTape(persistent=True) as tape:
        tape.watch([x, v])
    assert value(tape.gradient(x, x)) == [1.0, 1.0]
    assert value(tape.gradient(v, v)) == 1.0


def test_the_same_tensor_several_times() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert [value(g) for g in tape.gradient([y, x, y], [x, x])] == [13.0, 13.0]


def test_an_intermediate_value_as_source() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape() as tape:
        y = v * v
        z = y * v
    assert [value(g) for g in tape.gradient(z, [y, v])] == [3.0, 27.0]


def test_an_intermediate_target() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        y * x
    assert value(tape.gradient(y, x)) == 6.0


def test_nothing_asked() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape(persistent=True) as tape:
        y = v * v
    assert tape.gradient(y, []) == []
    assert tape.gradient([], v) is None


def test_values_that_have_no_gradient() -> None:
    with tv.GradientTape(persistent=True) as tape:
        pass
    x = tv.constant(1.0)
    with pytest.raises(AttributeError, match="1.0 of type float was given as a target.*'dtype'"):
        tape.gradient(1.0, x)
    with pytest.raises(AttributeError, match='as a source'):
        tape.gradient(x, np.float32(1.0))
    with pytest.raises(TypeError, match='None .* as a target'):
        tape.gradient([x, None], x)
    with pytest.raises(TypeError, match='None .* as a source'):
        tape.gradient(x, None)


def test_output_gradients_weigh_the_elements() -> None:
    tape, x, y = square_on('CPU:0')
    assert value(tape.gradient(y, x, output_gradients=tv.constant([10.0, 100.0]))) == [20.0, 400.0]


@pytest.mark.parametrize('weight', [2.0, 2, np.float32(2.0), [2.0], np.full((2,), 2.0)])
def test_output_gradients_may_be_host_data(device: str, weight: Any) -> None:
    tape, x, y = square_on(device)
    weights = np.asarray(weight) if isinstance(weight, list) else weight
    gradient = tape.gradient(y, x, output_gradients=weights)
    assert value(gradient) == [4.0, 8.0]
    assert gradient.device.endswith(device)


def test_output_gradients_for_several_targets() -> None:
    x = tv.constant([1.0, 2.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y, z = x * x, x * 3.0
    weights = {'y': None, 'z': tv.constant([10.0, 100.0])}
    assert value(tape.gradient({'y': y, 'z': z}, x, weights)) == [32.0, 304.0]


@pytest.mark.parametrize('shape', [(3,), (1, 2), (2, 2)])
def test_output_gradients_of_a_wrong_shape(shape: tuple[int, ...]) -> None:
    tape, x, y = square_on('CPU:0')
    with pytest.raises(errors.InvalidArgumentError, match=r'target of shape \[2\]; .*reshape'):
        tape.gradient(y, x, output_gradients=tv.ones(shape))


def test_output_gradients_of_a_wrong_number_or_dtype() -> None:
    x = tv.constant([1.0, 2.0])
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
    with pytest.raises(ValueError, match='2 output_gradients were given for 1 targets'):
        tape.gradient(y, x, output_gradients=[1.0, 2.0])
    with pytest.raises(ValueError, match='1 output_gradients were given for 2 targets'):
        tape.gradient([y, y], x, output_gradients=[tv.ones(2)])
    with pytest.raises(errors.InvalidArgumentError, match='float32'):
        tape.gradient(y, x, output_gradients=tv.constant([1, 2]))


# Unconnected


@pytest.mark.parametrize('mode', ['zero', tv.UnconnectedGradients.ZERO])
def test_unconnected_as_zeros(mode: Any) -> None:
    v, other, count = tv.Variable(3.0), tv.Variable([1.0, 2.0]), tv.constant([1, 2])
    with tv.GradientTape() as tape:
        y = v * v
    found = tape.gradient(y, [v, other, count], unconnected_gradients=mode)
    assert [value(gradient) for gradient in found] == [6.0, [0.0, 0.0], [0, 0]]
    assert [gradient.dtype for gradient in found] == [tv.float32, tv.float32, tv.int32]


@pytest.mark.parametrize('mode', ['none', tv.UnconnectedGradients.NONE])
def test_unconnected_as_none(mode: Any) -> None:
    v, other = tv.Variable(3.0), tv.Variable(1.0)
    with tv.GradientTape() as tape:
        y = v * v
    assert tape.gradient(y, [v, other], unconnected_gradients=mode)[1] is None


def test_unknown_mode_for_unconnected() -> None:
    for method in ('gradient', 'jacobian', 'batch_jacobian'):
        with tv.GradientTape() as tape:
            pass
        x = tv.constant([[1.0]])
        with pytest.raises(ValueError, match="Unknown value for unconnected_gradients: 'bad'"):
            getattr(tape, method)(x, x, unconnected_gradients='bad')


def test_what_ends_the_way() -> None:
    x = tv.constant([1.0, 2.0])
    computed_outside = x * 2.0
    with tv.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ways = [
            tv.cast(tv.cast(x, tv.int32), tv.float32),
            tv.argmax(x),
            tv.constant(np.sin(x.numpy())) * 2.0,
            tv.stop_gradient(x) * 2.0,
            tv.floor(x) * 0.0 + computed_outside,
        ]
    assert [tape.gradient(y, x) for y in ways[:-1]] == [None] * 4
    assert tape.gradient(computed_outside, x) is None


def test_stop_gradient_cuts_one_of_two_ways() -> None:
    x = tv.constant(2.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = tv.stop_gradient(x * x) * x
    assert value(tape.gradient(y, x)) == 4.0


# Assignments


def test_assign_after_the_read_leaves_the_gradient() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape() as tape:
        y = v * v
        v.assign(10.0)
    v.assign(20.0)
    assert value(tape.gradient(y, v)) == 6.0


def test_assign_between_reads() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape() as tape:
        y = v * v
        v.assign(10.0)
        z = v * v + y
    assert value(tape.gradient(z, v)) == 26.0


def test_assign_before_the_read() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape() as tape:
        v.assign(5.0)
        y = v * v
    assert value(tape.gradient(y, v)) == 10.0


def test_assignments_are_not_differentiable() -> None:
    v, w = tv.Variable(3.0), tv.Variable(2.0)
    with tv.GradientTape(persistent=True) as tape:
        w.assign(v * 2.0)
        y = w * w
    assert tape.gradient(y, v) is None
    assert value(tape.gradient(y, w)) == 12.0


def test_what_assign_returns_is_read_as_the_variable() -> None:
    v = tv.Variable(3.0)
    with tv.GradientTape() as tape:
        y = v.assign_add(2.0) * v.assign_add(1.0)
    # The first factor is read only when the product is: both are 6.
    assert value(tape.gradient(y, v)) == 12.0


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
    assert [value(g) for g in (first, second, third)] == [[32.0, 108.0], [48.0, 108.0], [48.0, 72.0]]


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
