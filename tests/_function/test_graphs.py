"""Plans of one card as CUDA graphs, on a pretended card whose streams run late."""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import errors
from tensorvar._backend import cupy_backend, memory_ledger
from tensorvar._core import device_kernels, index_reports, kernels
from tensorvar._cuda import cache, host_emulation, matmul_table
from tensorvar._device import registry
from tensorvar._function import graphs
from tests.support import fake_card, fake_cupy, threads

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
W = np.linspace(0.5, 2, 9, dtype=np.float32).reshape(3, 3)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake_cupy.FakeCuda]:
    """A computer with one card, and without a compiler for kernels."""
    with fake_card.installed(monkeypatch) as made:
        yield made


def launches(cuda: fake_cupy.FakeCuda) -> int:
    return sum(graph.launched for graph in cuda.graphs)


def step(w: Any, x: Any) -> Any:
    """Reads, computes, writes, and reads again."""
    y = tv.tanh(tv.matmul(x, w))
    before = w * 2.0
    w.assign_sub(tv.matmul(y, y, transpose_a=True) * 0.1)
    return y, before, w - before


def compare(
    cuda: fake_cupy.FakeCuda, function: Callable[..., Any], turns: int = 6
) -> tuple[Any, Any]:
    """Runs a step eagerly and as a plan, side by side; gives plan and variable."""
    eager, planned = tv.Variable(W), tv.Variable(W)
    plan = tv.function(lambda x: function(planned, x))
    kept = []
    for turn in range(turns):
        x = tv.constant(X + turn)
        expected, results = function(eager, x), plan(x)
        kept.append((expected, results))
        assert planned.version == eager.version
    for expected, results in kept:
        for wanted, found in zip(expected, results, strict=True):
            np.testing.assert_array_equal(found.numpy(), wanted.numpy())
    np.testing.assert_array_equal(planned.numpy(), eager.numpy())
    return plan, planned


def test_a_plan_becomes_a_graph_after_two_replays(cuda: fake_cupy.FakeCuda) -> None:
    plan, _ = compare(cuda, step, turns=7)
    assert '# a CUDA graph\n' in plan.pretty_printed_plan()
    # One trace, two plain replays, then the graph.
    assert len(cuda.graphs) == 1
    assert launches(cuda) == 4


def test_results_are_never_written_again(cuda: fake_cupy.FakeCuda) -> None:
    plan, _ = compare(cuda, step)
    first = plan(tv.constant(X))
    values = [each.numpy() for each in first]
    plan(tv.constant(X * 5))
    for value, tensor in zip(values, first, strict=True):
        np.testing.assert_array_equal(tensor.numpy(), value)


def test_a_value_from_before_the_write_is_returned(cuda: fake_cupy.FakeCuda) -> None:
    def swap(w: Any, x: Any) -> Any:
        old = w.value()
        w.assign(tv.matmul(old, old) * 0.1 + tv.abs(old))
        return old, w.value(), x

    eager, planned = tv.Variable(W), tv.Variable(W)
    plan = tv.function(lambda x: swap(planned, x))
    for turn in range(6):
        x = tv.constant(X + turn)
        # Plain replays give the buffers themselves: they must not be held.
        expected = [each.numpy() for each in swap(eager, x)]
        found = [each.numpy() for each in plan(x)]
        for wanted, value in zip(expected, found, strict=True):
            np.testing.assert_array_equal(value, wanted)
    assert launches(cuda) == 3


def test_results_that_are_held_keep_the_graph_away(cuda: fake_cupy.FakeCuda) -> None:
    def grow(w: Any, x: Any) -> Any:
        w.assign(tv.matmul(w, w) * 0.1 + tv.abs(w))
        return [w.value()]

    compare(cuda, grow)
    assert not cuda.graphs


def test_versions_rise_and_the_buffer_stays(cuda: fake_cupy.FakeCuda) -> None:
    plan, variable = compare(cuda, step)
    address, version = variable._array.data.ptr, variable.version
    plan(tv.constant(X))
    assert variable.version == version + 1
    assert variable._array.data.ptr == address


def test_a_value_that_is_held_is_not_overwritten(cuda: fake_cupy.FakeCuda) -> None:
    plan, variable = compare(cuda, step)
    held = variable.value()
    before = held.numpy()
    launched = launches(cuda)
    plan(tv.constant(X))
    assert launches(cuda) == launched
    np.testing.assert_array_equal(held.numpy(), before)
    assert not np.array_equal(variable.numpy(), before)


def test_a_variable_that_has_moved_is_captured_anew(cuda: fake_cupy.FakeCuda) -> None:
    plan, variable = compare(cuda, step)
    eager = tv.Variable(variable.numpy())
    held = variable.value()
    variable.assign(W * 3)
    eager.assign(W * 3)
    del held
    for turn in range(3):
        expected, results = step(eager, tv.constant(X + turn)), plan(tv.constant(X + turn))
        for wanted, found in zip(expected, results, strict=True):
            np.testing.assert_array_equal(found.numpy(), wanted.numpy())
    assert len(cuda.graphs) == 2


def test_a_variable_that_moves_each_time_is_left_to_plain_replays(
    cuda: fake_cupy.FakeCuda,
) -> None:
    plan, variable = compare(cuda, step)
    kept = []
    for _ in range(3 * graphs.MOST_CAPTURES):
        kept.append(variable.value())
        variable.assign(W)
        plan(tv.constant(X))
    assert len(cuda.graphs) <= graphs.MOST_CAPTURES + 1


def test_what_runs_beside_is_no_part_of_the_graph(cuda: fake_cupy.FakeCuda) -> None:
    variable = tv.Variable(W)
    plan = tv.function(lambda x: step(variable, x))
    for _ in range(3):
        plan(tv.constant(X))
    beside = tv.constant(W)
    original = fake_cupy.Stream.begin_capture
    sums = []

    def begin(stream: fake_cupy.Stream) -> None:
        original(stream)

        def work() -> None:
            cuda.begin_thread()
            sums.append(beside + 1.0)

        other = threading.Thread(target=work)
        other.start()
        other.join()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fake_cupy.Stream, 'begin_capture', begin)
        plan(tv.constant(X))
    assert len(cuda.graphs) == 1
    np.testing.assert_array_equal(sums[0].numpy(), W + 1)


def test_a_plan_that_copies_is_none(cuda: fake_cupy.FakeCuda) -> None:
    def mixed(w: Any, x: Any) -> Any:
        with tv.device('CPU:0'):
            y = x * 2.0 + 1.0
        return step(w, y)

    compare(cuda, mixed)
    assert not cuda.graphs


def test_few_ops_are_no_graph(cuda: fake_cupy.FakeCuda) -> None:
    compare(cuda, lambda w, x: [tv.matmul(x, w) * 2.0])
    assert not cuda.graphs


def test_a_capture_that_fails_leaves_plain_replays(
    cuda: fake_cupy.FakeCuda, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, 'tensorvar.kernels')

    def refuse(graph: fake_cupy.Graph, stream: fake_cupy.Stream) -> None:
        raise fake_cupy.CUDARuntimeError(1, 'cudaErrorInvalidValue: no graph')

    monkeypatch.setattr(fake_cupy.Graph, 'upload', refuse)
    compare(cuda, step)
    assert len(cuda.graphs) == 1
    assert 'stays without a graph: cudaErrorInvalidValue' in caplog.text


def test_a_copy_from_the_host_breaks_the_capture_off(cuda: fake_cupy.FakeCuda) -> None:
    tv.constant(X)
    backend = registry.lookup('GPU', 0).backend
    array = backend.from_host(X)
    for refused in (lambda: backend.from_host(X), lambda: backend.to_host(array)):
        with pytest.raises(errors.InternalError, match='only work of the GPU itself'):
            backend.capture(refused)
        assert not backend.is_capturing()
        np.testing.assert_array_equal(backend.to_host(array), X)


def test_memory_of_a_graph_is_given_back(cuda: fake_cupy.FakeCuda) -> None:
    plan, _ = compare(cuda, step)
    device = registry.lookup('GPU', 0)
    before = device.backend.memory_info().current
    assert graphs._release('GPU:0', 1) > 0
    assert graphs._release('GPU:1', 1) == 0
    assert device.backend.memory_info().current < before
    plan(tv.constant(X))
    assert len(cuda.graphs) == 2


def test_there_are_so_many_graphs_at_most(
    cuda: fake_cupy.FakeCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, 'MOST_GRAPHS', 2)
    monkeypatch.setattr(graphs, '_used_lately', type(graphs._used_lately)())
    known = set(graphs.runs())
    kept = [compare(cuda, step) for _ in range(4)]
    runs = set(graphs.runs()) - known
    assert len(runs) == len(kept)
    assert sum(run._captured is not None for run in runs) == 2


def test_without_memory_for_the_results_the_plan_is_plain(cuda: fake_cupy.FakeCuda) -> None:
    plan, variable = compare(cuda, step)
    x, before, launched = tv.constant(X), variable.numpy(), launches(cuda)
    session = registry.lookup('GPU', 0).backend._session
    allocate = session.memory._pool.malloc

    def full(nbytes: int) -> Any:
        raise fake_cupy.OutOfMemoryError

    session.memory._pool.malloc = full
    with pytest.raises(tv.errors.ResourceExhaustedError):
        plan(x)
    session.memory._pool.malloc = allocate
    assert launches(cuda) == launched
    np.testing.assert_array_equal(variable.numpy(), before)


def test_faults_reach_each_op(cuda: fake_cupy.FakeCuda) -> None:
    plan, variable = compare(cuda, step)
    x, before, launched = tv.constant(X), variable.numpy(), launches(cuda)
    with tv.testing.fail('GPU:0', 'lost'), pytest.raises(tv.errors.UnavailableError):
        plan(x)
    assert launches(cuda) == launched
    np.testing.assert_array_equal(variable.numpy(), before)


def test_a_switch_keeps_the_graph_away(cuda: fake_cupy.FakeCuda) -> None:
    plan, _ = compare(cuda, step)
    launched = launches(cuda)
    tv.debugging.set_synchronous(True)
    try:
        plan(tv.constant(X))
    finally:
        tv.debugging.set_synchronous(False)
    assert launches(cuda) == launched


def test_a_plan_may_be_told_to_stay_plain(cuda: fake_cupy.FakeCuda) -> None:
    plan, _ = compare(cuda, step)
    launched = launches(cuda)
    for run in graphs.runs():
        run.stay_plain()
    plan(tv.constant(X))
    assert launches(cuda) == launched
    assert '# no CUDA graph:' in plan.pretty_printed_plan()


def test_recorders_see_each_op(cuda: fake_cupy.FakeCuda) -> None:
    plan, _ = compare(cuda, step)
    launched = launches(cuda)
    with tv.debugging.record_placement() as log:
        plan(tv.constant(X))
    assert [record.op for record in log.records].count('Tanh') == 1
    assert launches(cuda) == launched


def test_threads_share_a_graph_or_go_without(cuda: fake_cupy.FakeCuda) -> None:
    plan = tv.function(lambda x: [tv.tanh(x * 2.0) + tv.abs(x - 1.0)])
    for _ in range(4):
        plan(tv.constant(X))
    found: dict[int, Any] = {}

    def work(number: int) -> None:
        cuda.begin_thread()
        found[number] = [plan(tv.constant(X + number)) for _ in range(5)]

    threads.each(work, range(4))
    for number, results in found.items():
        x = tv.constant(X + number)
        expected = (tv.tanh(x * 2.0) + tv.abs(x - 1.0)).numpy()
        for [result] in results:
            np.testing.assert_array_equal(result.numpy(), expected)


def test_a_forked_child_keeps_graphs_without_using_them(cuda: fake_cupy.FakeCuda) -> None:
    _held = compare(cuda, step)
    kept = len(graphs._abandoned)
    live = [run for run in graphs.runs() if run._captured is not None]
    graphs._renew_all()
    assert len(graphs._abandoned) >= kept + len(live) > kept
    assert all(run._captured is None for run in live)
    graphs._abandoned.clear()


def test_idle_plans_are_a_stage_of_the_ledger() -> None:
    assert (memory_ledger.Stage.IDLE_PLANS, graphs._release) in memory_ledger._reclaimers


@pytest.fixture
def own_kernels(
    cuda: fake_cupy.FakeCuda, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> fake_cupy.FakeCuda:
    """The same computer with kernels, which g++ builds."""
    if host_emulation.compiler() is None:
        pytest.skip('g++ is not installed; it runs the kernels on the CPU')
    host = host_emulation.HostTarget(cache.Cache(tmp_path / 'kernels'))

    def equip(backend: cupy_backend.CupyBackend) -> kernels.Hardware:
        target = fake_card.EmulatedTarget(host, cuda, backend.chip().stream)
        return kernels.Hardware(target, *backend.shared_words(index_reports.WORDS))

    monkeypatch.setitem(device_kernels.HARDWARE, cupy_backend.CupyBackend, equip)
    return cuda


def test_products_with_what_follows_are_captured(
    own_kernels: fake_cupy.FakeCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = matmul_table.Row((1, 1, 1, 1), {'simt': 1.0, 'cublas': 2.0}, 0.0)
    monkeypatch.setattr(matmul_table, 'find', lambda problem, chip: row)

    b = tv.constant(W.ravel()[:3])

    def layers(w: Any, x: Any) -> Any:
        h = tv.nn.relu(tv.matmul(x, w) + b)
        y = tv.matmul(h, w) + b
        w.assign_sub(tv.matmul(h, y, transpose_a=True) * 0.01)
        return h, y

    plan, _ = compare(own_kernels, layers)
    text = plan.pretty_printed_plan()
    assert '# a CUDA graph\n' in text
    assert 'fused_MatMul_AddV2_Relu' in text
    assert launches(own_kernels) == 3


def test_own_kernels_are_captured(own_kernels: fake_cupy.FakeCuda) -> None:
    def elementwise(w: Any, x: Any) -> Any:
        change = tv.maximum(x * 0.5 + 1.0, x) - x * x
        w.assign_sub(change)
        return change, w + 0.0

    eager, planned = tv.Variable(X), tv.Variable(X)
    plan = tv.function(lambda x: elementwise(planned, x))
    for turn in range(6):
        x = tv.constant(X * turn)
        expected, results = elementwise(eager, x), plan(x)
        for wanted, found in zip(expected, results, strict=True):
            np.testing.assert_array_equal(found.numpy(), wanted.numpy())
    assert 'fused_' in plan.pretty_printed_plan()
    assert launches(own_kernels) == 3
