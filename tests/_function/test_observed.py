"""Recorders, logs and guards of the caller see a replay as they see an eager run."""

import logging
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import tensorvar as tv

FRESH = {'id', 'start_ns', 'end_ns', 'memory_after', 'record_id'}


def told(log: Any) -> list[Any]:
    """The records, without what differs between any two runs, and without constants."""
    records = []
    for record in log.records:
        values = record.to_dict()
        if values['type'] == 'event' or values.get('op') == 'Const':
            continue
        copies = [_without_fresh(copy) for copy in values.pop('copies', ())]
        records.append((_without_fresh(values), copies))
    return records


def _without_fresh(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in FRESH}


def recorded(body: Callable[..., Any], *arguments: Any) -> list[Any]:
    with tv.debugging.record_placement() as log:
        body(*arguments)
    return told(log)


def test_a_replay_tells_what_an_eager_run_tells(simulated_gpus: Any) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable([1.0, 2.0], name='v')
        w = tv.Variable([1.0, 1.0], name='w')
        inputs = [tv.constant([float(n), 2.0]) for n in range(6)]

    def body(x: Any) -> Any:
        with tv.device('GPU:0'):
            y = x * v + v
        with tv.device('GPU:1'):
            z = tv.exp(y - 1.0)
        w.assign_sub(x * 0.5)
        if y[0] > 2.0:
            return tv.gather(v, [1, 0]) * z, w
        return z + w, tv.random.uniform([3], seed=4)

    function = tv.function(body)
    function(inputs[0])
    for x in inputs:
        wanted = recorded(body, x)
        given = recorded(function, x)
        assert given == wanted
    assert function.experimental_get_tracing_count() == 2
    assert {record['device'] for record, _ in given if 'device' in record} == {
        'CPU:0', 'GPU:0', 'GPU:1',
    }  # fmt: skip


def test_records_have_fresh_numbers_and_times() -> None:
    function = tv.function(lambda x: tv.exp(x) * 2.0)
    function(tv.constant(1.0))
    logs = []
    for _ in range(2):
        with tv.debugging.record_placement() as log:
            function(tv.constant(1.0))
        logs.append([record for record in log.records if record.op != 'Const'])
    for first, second in zip(*logs, strict=True):
        assert first.op == second.op
        assert first.id < second.id
        assert first.start_ns <= first.end_ns <= second.start_ns


def test_a_new_branch_is_told_once() -> None:
    v = tv.Variable(1.0)

    def body(x: Any) -> Any:
        v.assign_add(x)
        y = x * 2.0
        return y + 1.0 if y > 0 else y - 1.0

    function = tv.function(body)
    function(tv.constant(1.0))
    given = recorded(function, tv.constant(-1.0))
    assert [record['op'] for record, _ in given] == [
        'AssignAddVariableOp', 'Mul', 'Greater', 'Sub',
    ]  # fmt: skip
    assert function.experimental_get_tracing_count() == 2


def test_the_first_run_under_a_recorder_is_kept() -> None:
    function = tv.function(lambda x: x * 2.0)
    with tv.debugging.record_placement() as log:
        for n in range(3):
            function(tv.constant(float(n)))
    assert [record.op for record in log.records if record.op != 'Const'] == ['Mul'] * 3
    assert function.experimental_get_tracing_count() == 1


def test_a_write_that_kept_its_buffer_says_so() -> None:
    v = tv.Variable([1.0, 2.0])

    def body(x: Any) -> Any:
        v.assign_sub(v * x)

    function = tv.function(body)
    x = tv.constant([0.5, 0.5])
    function(x)
    assert recorded(function, x) == recorded(body, x)
    held = v.value()
    note = recorded(function, x)[-1][0]['note']
    assert 'fresh buffer' in note
    assert held.numpy().tolist() != v.numpy().tolist()


def test_a_recorder_and_a_tape_at_once() -> None:
    v = tv.Variable(3.0)
    function = tv.function(lambda x: tv.square(x * v))
    for n in (1.0, 2.0, 3.0):
        with tv.debugging.record_placement() as log, tv.GradientTape() as tape:
            y = function(tv.constant(n))
        assert float(tape.gradient(y, v)) == 2 * n * n * 3.0
        assert [record.op for record in log.records if record.op != 'Const'] == ['Mul', 'Square']


def test_the_placement_log(caplog: pytest.LogCaptureFixture) -> None:
    function = tv.function(lambda x: tv.tanh(x) * 2.0)
    function(tv.constant(1.0))
    tv.debugging.set_log_device_placement(True)
    try:
        with caplog.at_level(logging.INFO, 'tensorvar.placement'):
            function(tv.constant(2.0))
    finally:
        tv.debugging.set_log_device_placement(False)
    assert 'Tanh' in caplog.text
    assert function.experimental_get_tracing_count() == 1


def test_a_guard_sees_the_copies_of_a_replay(simulated_gpus: Any) -> None:
    with tv.device('CPU:0'):
        x = tv.constant([1.0, 2.0])

    @tv.function
    def on_gpu(x: Any) -> Any:
        with tv.device('GPU:0'):
            return x * 2.0

    for _ in range(2):
        with tv.transfer_guard('allow', budget='1KiB') as guard:
            on_gpu(x)
        assert guard.used == 8
    for _ in range(2):
        with tv.transfer_guard('disallow'), pytest.raises(tv.errors.TransferError):
            on_gpu(x)
    with tv.transfer_guard('allow', budget='12B'):
        on_gpu(x)
        with pytest.raises(tv.errors.TransferError):
            on_gpu(x)
    assert on_gpu(x).numpy().tolist() == [2.0, 4.0]


def test_a_moved_variable_under_a_recorder(simulated_gpus: Any) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable([1.0])
    double = tv.function(lambda: v * 2.0)
    for device in ('CPU:0', 'GPU:0', 'CPU:0'):
        v.to_device(device)
        with tv.debugging.record_placement() as log:
            assert double().device.endswith(device)
            assert double().device.endswith(device)
        assert [record.device for record in log.records if record.op == 'Mul'] == [device] * 2


def test_what_is_picked_out_of_a_variable_goes_to_the_scope(simulated_gpus: Any) -> None:
    with tv.device('GPU:0'):
        v = tv.Variable([1.0, 2.0, 3.0])

    def body(x: Any) -> Any:
        with tv.device('GPU:1'):
            return tv.gather(v, [2, 0]) * x, v[1] + x

    def from_gpu(each: Any) -> list[Any]:
        # Host data that the function makes were copied once and for all.
        return [
            (record.get('op'), [copy for copy in copies if copy['source'] == 'GPU:0'])
            for record, copies in recorded(each, x)
            if record.get('source') != 'CPU:0'
        ]

    function = tv.function(body)
    with tv.device('GPU:1'):
        x = tv.constant(2.0)
    function(x)
    given = from_gpu(function)
    assert given == from_gpu(body)
    assert [op for op, copies in given if copies] == ['GatherV2', 'StridedSlice']


def test_a_guard_warns_once_for_each_line_of_a_replay(simulated_gpus: Any) -> None:
    with tv.device('CPU:0'):
        x, y = tv.constant([1.0]), tv.constant([2.0])

    def body(x: Any, y: Any) -> Any:
        with tv.device('GPU:0'):
            z = tv.exp(x)
            return z + tv.exp(y)

    function = tv.function(body)
    function(x, y)
    lines = []
    for each in (function, body):
        with warnings.catch_warnings(record=True) as told, tv.transfer_guard('warn'):
            warnings.simplefilter('always')
            each(x, y)
        lines.append([warning.lineno for warning in told])
    assert lines[0] == lines[1]
    assert len(set(lines[0])) == 2


REFUSED: dict[str, Callable[[Any, Any, Any], Any]] = {
    'gather': lambda v, x, i: tv.gather(x, i),
    'gather from a variable': lambda v, x, i: tv.gather(v, i),
    'gather_nd': lambda v, x, i: tv.gather_nd(x, i[:, None]),
    'scatter_update': lambda v, x, i: v.scatter_update(tv.IndexedSlices(x[:2], i)),
    'scatter_nd_add': lambda v, x, i: v.scatter_nd_add(i[:, None], x[:2]),
    'tensor_scatter_nd_update': lambda v, x, i: tv.tensor_scatter_nd_update(x, i[:, None], x[:2]),
    'unsorted_segment_sum': lambda v, x, i: tv.math.unsorted_segment_sum(x[:2], i, 3),
}


@pytest.mark.parametrize('indices', ['a tensor', 'a variable'])
@pytest.mark.parametrize('home', ['CPU:0', 'GPU:0'])
@pytest.mark.parametrize('scope', [None, 'CPU:0', 'GPU:0', 'GPU:1'])
@pytest.mark.parametrize('name', REFUSED)
def test_indices_of_the_host_are_refused_before_anything_is_copied(
    name: str, scope: str | None, home: str, indices: str, simulated_gpus: Any
) -> None:
    with tv.device(home):
        v = tv.Variable([1.0, 2.0, 3.0])
        x = tv.constant([1.0, 2.0, 3.0])
    with tv.device('CPU:0'):
        place = tv.Variable([1, 0])
        good, bad = tv.constant([1, 0]), tv.constant([0, 7])

    def body(x: Any, i: Any) -> Any:
        with tv.device(scope):
            return REFUSED[name](v, x * 2.0, i)

    def copies(each: Any, given: Any) -> tuple[Any, ...]:
        place.assign(given)
        with tv.debugging.record_placement() as log, tv.transfer_guard('allow', budget='1KiB') as g:
            try:
                each(x, place if indices == 'a variable' else given)
            except tv.errors.InvalidArgumentError as error:
                outcome = str(error)
            else:
                outcome = ''
        return outcome, g.used, [_without_fresh(copy.to_dict()) for copy in log.copies]

    function = tv.function(body)
    for given in (good, good, bad, good):
        wanted = copies(body, given)
        assert copies(function, given) == wanted
        assert bool(wanted[0]) == (given is bad)


def test_a_scope_of_an_absent_device_in_records(simulated_gpus: Any) -> None:
    def body(x: Any) -> Any:
        return tv.exp(x)

    function = tv.function(body)
    with tv.device('CPU:0'):
        x = tv.constant(1.0)
    for name in ('CPU:0', 'GPU:7', 'CPU:0', 'GPU:8'):
        with tv.device(name, fallback='silent'):
            assert recorded(function, x) == recorded(body, x)


@pytest.mark.parametrize('outside', [None, 'CPU:0', 'GPU:1'])
@pytest.mark.parametrize('inside', ['CPU:0', 'GPU:0', None])
def test_the_scope_in_which_the_state_of_a_generator_changes(
    inside: str | None, outside: str | None, simulated_gpus: Any
) -> None:
    generator = tv.random.Generator.from_seed(1)

    def body() -> Any:
        with tv.device(inside):
            first = generator.normal([2])
        return first, generator.uniform([2])

    function = tv.function(body)
    with tv.device(outside):
        for _ in range(3):
            wanted = recorded(body)
            assert recorded(function) == wanted
    assert [record['op'] for record, _ in wanted].count('AssignVariableOp') == 2


def test_the_state_of_a_generator_in_records() -> None:
    def body(generator: Any) -> Any:
        return generator.normal([2])

    generator = tv.random.Generator.from_seed(1)
    function = tv.function(lambda: body(generator))
    wanted = recorded(body, generator)
    assert wanted[0][0]['op'] == 'AssignVariableOp'
    for _ in range(3):
        assert recorded(function) == wanted
