"""Each rule of the placement table, by the record of an op that it decides."""

from typing import Any

import pytest

import tensorvar as tv
from tensorvar._device import placement, registry, scope
from tensorvar._device.device import Device

# CPU:0, GPU:0 and GPU:1.
pytestmark = pytest.mark.usefixtures('simulated_gpus')


def on(device: str | None, value: Any = (1.0, 2.0)) -> Any:
    with tv.device(device):
        return tv.constant(list(value))


def variable_on(device: str, value: Any = (1.0, 2.0)) -> Any:
    with tv.device(device):
        return tv.Variable(list(value), name='v')


def decided(function: Any) -> tuple[str, str]:
    """Device and reason of the last op that ``function`` runs."""
    with tv.debugging.record_placement() as log:
        function()
    record = log.records[-1]
    return record.device, record.reason


def get(name: str) -> Device:
    kind, index = name.split(':')
    found = registry.lookup(kind, int(index))
    assert found is not None
    return found


# variable

CHANGES = {
    'assign': lambda v: v.assign([3.0, 4.0]),
    'assign_add': lambda v: v.assign_add([3.0, 4.0]),
    'assign_sub': lambda v: v.assign_sub([3.0, 4.0]),
    'sliced assign': lambda v: v[0].assign(5.0),
    'scatter_add': lambda v: v.scatter_add(tv.IndexedSlices([1.0], [0], [2])),
    'scatter_nd_update': lambda v: v.scatter_nd_update([[0]], [1.0]),
}
PICKS = {
    'gather': lambda v: tv.gather(v, [0]),
    'gather_nd': lambda v: tv.gather_nd(v, [[0]]),
    'sparse_read': lambda v: v.sparse_read([0]),
    'index': lambda v: v[0],
    'slice': lambda v: v[:1],
}


@pytest.mark.parametrize('scope_device', ['CPU:0', 'GPU:0', 'GPU:1', None])
@pytest.mark.parametrize('change', CHANGES)
def test_changes_run_where_the_variable_lives(change: str, scope_device: str | None) -> None:
    v = variable_on('GPU:1')
    with tv.device(scope_device):
        assert decided(lambda: CHANGES[change](v)) == ('GPU:1', 'variable')
    assert v.device.endswith('GPU:1')


@pytest.mark.parametrize('scope_device', ['CPU:0', 'GPU:0', 'GPU:1', None])
@pytest.mark.parametrize('pick', PICKS)
def test_picks_run_where_the_variable_lives(pick: str, scope_device: str | None) -> None:
    v = variable_on('GPU:1')
    with tv.device(scope_device):
        assert decided(lambda: PICKS[pick](v)) == ('GPU:1', 'variable')
        # The result goes to the scope's device.
        assert PICKS[pick](v).device.endswith(scope_device or 'GPU:1')


def test_picks_of_a_tensor_follow_the_other_rules() -> None:
    x = on('GPU:1')
    assert decided(lambda: tv.gather(x, [0])) == ('GPU:1', 'inputs')
    with tv.device('GPU:0'):
        assert decided(lambda: tv.gather(x, [0])) == ('GPU:0', 'explicit')


def test_the_copy_of_a_picked_result_belongs_to_the_op() -> None:
    v = variable_on('CPU:0')
    with tv.device('GPU:0'), tv.debugging.record_placement() as log:
        tv.gather(v, [0])
    [copy] = log.copies
    assert (copy.source, copy.destination, copy.operand) == ('CPU:0', 'GPU:0', 'result')
    assert copy.nbytes == 4
    record = log.records[-1]
    assert record.copies == (copy,)
    assert copy.record_id == record.id
    assert record.end_ns >= copy.end_ns


# explicit


@pytest.mark.parametrize('wanted', ['CPU:0', 'GPU:0', 'GPU:1'])
@pytest.mark.parametrize('held', ['CPU:0', 'GPU:0', 'GPU:1'])
def test_a_scope_decides(wanted: str, held: str) -> None:
    x, v = on(held), variable_on(held)
    with tv.device(wanted):
        assert decided(lambda: x + x) == (wanted, 'explicit')
        assert decided(lambda: x + v) == (wanted, 'explicit')
        assert decided(v.read_value) == (wanted, 'explicit')
        assert decided(lambda: tv.zeros([2])) == (wanted, 'explicit')
        assert decided(lambda: tv.constant(1.0)) == (wanted, 'explicit')
        with tv.device(None):
            assert decided(lambda: x + x) == (held, 'inputs')


# gradient


def test_backward_ops_follow_their_forward_op() -> None:
    x = on('GPU:1')
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert decided(lambda: tape.gradient(y, x)) == ('GPU:1', 'gradient')


# inputs


@pytest.mark.parametrize('device', ['CPU:0', 'GPU:0', 'GPU:1'])
def test_inputs_on_one_device(device: str) -> None:
    x, v = on(device), variable_on(device)
    for function in (lambda: x + x, lambda: x + v, lambda: x + 1.0, lambda: x + [1.0, 2.0]):
        assert decided(function) == (device, 'inputs')


def test_a_gpu_before_the_cpu() -> None:
    many, few = on('CPU:0', range(100)), on('GPU:1', [1])
    assert decided(lambda: many + few) == ('GPU:1', 'inputs')
    assert decided(lambda: few + many) == ('GPU:1', 'inputs')


def test_most_bytes_among_gpus() -> None:
    many, few = on('GPU:1', range(100)), on('GPU:0', [1])
    assert decided(lambda: few + many) == ('GPU:1', 'inputs')
    # Three small ones hold more than a larger one.
    parts = [on('GPU:0', [1, 2, 3]), on('GPU:1', [4, 5, 6, 7]), on('GPU:0', [8, 9])]
    assert decided(lambda: tv.concat(parts, 0)) == ('GPU:0', 'inputs')


def test_the_lowest_index_of_equals() -> None:
    first, second = on('GPU:0'), on('GPU:1')
    assert decided(lambda: second + first) == ('GPU:0', 'inputs')


def test_host_data_has_no_say() -> None:
    x = on('GPU:1', [1.0])
    assert decided(lambda: [1.0] * 100 + x) == ('GPU:1', 'inputs')


# default


def test_without_inputs_on_the_default_device() -> None:
    for function in (lambda: tv.zeros([2]), lambda: tv.constant(1.0), lambda: tv.sin([1.0])):
        assert decided(function) == ('GPU:0', 'default')
    tv.config.set_default_device('GPU:1')
    try:
        assert decided(lambda: tv.zeros([2])) == ('GPU:1', 'default')
        assert tv.current_device().endswith('GPU:1')
    finally:
        tv.config.set_default_device(None)


# fallback


def test_an_absent_device() -> None:
    x = on('GPU:1')
    with tv.device('GPU:7', fallback='silent'), tv.debugging.record_placement() as log:
        y = x + x
    [record] = log.records
    assert (record.device, record.reason) == ('CPU:0', 'fallback')
    assert 'GPU:7' in record.note
    assert record.scope == 'GPU:7'
    assert y.device.endswith('CPU:0')


def test_an_absent_device_warns_or_raises() -> None:
    with pytest.warns(tv.PlacementWarning, match='GPU:7.*CPU:0 is used instead'):
        tv.device('GPU:7').__enter__().__exit__()
    with pytest.raises(tv.errors.InvalidArgumentError, match='GPU:1'), tv.device('GPU:7', 'error'):
        pass


def test_no_gpu_holds_text() -> None:
    with tv.device('GPU:0'), tv.debugging.record_placement() as log:
        text = tv.constant(['a', 'b'])
        same = tv.identity(text)
        tv.equal(text, 'a')
        tv.fill([2], 'x')
    assert text.device.endswith('CPU:0')
    assert same.device.endswith('CPU:0')
    assert {(record.device, record.reason) for record in log.records} == {('CPU:0', 'fallback')}
    assert {record.note for record in log.records} == {'strings cannot live on GPU:0'}
    assert decided(lambda: tv.constant('a')) == ('CPU:0', 'fallback')


# The function itself


def test_the_order_of_the_rules() -> None:
    gpu, cpu = get('GPU:1'), get('CPU:0')
    inputs = [(gpu, 8), (cpu, 800)]
    assert placement.choose(None, ()) == (get('GPU:0'), 'default', '')
    assert placement.choose(None, inputs) == (gpu, 'inputs', '')
    with tv.device('CPU:0'):
        state = scope.current()
    assert placement.choose(state, inputs) == (cpu, 'explicit', '')
    assert placement.choose(state, inputs, gpu) == (gpu, 'variable', '')
    backward = scope.ContextState()
    backward.gradient_device = cpu
    assert placement.choose(backward, inputs) == (cpu, 'gradient', '')
    assert placement.choose(backward, inputs, gpu) == (gpu, 'variable', '')
    assert placement.creation_device(backward) is cpu


def test_text_stays_where_it_may() -> None:
    decision = placement.Decision(get('CPU:0'), placement.EXPLICIT)
    assert placement.without_gpu(decision, 'strings') is decision
