"""What runs a kernel. Builds for the CPU are shared by the workers of one test run."""

import gc
import pathlib
from collections.abc import Callable, Iterator

import pytest

from tensorvar._backend import cupy_backend
from tensorvar._core import kernels
from tensorvar._cuda import cache, host_emulation, matmul_problem, matmul_table
from tests.support import emulated_kernels, mirrored_target


@pytest.fixture(scope='session')
def kernel_cache(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> cache.Cache:
    base = tmp_path_factory.getbasetemp()
    # A worker's folder is inside that of the run.
    shared = base if worker_id == 'master' else base.parent
    return cache.Cache(pathlib.Path(shared, 'kernels'))


@pytest.fixture(scope='session')
def shared_host(kernel_cache: cache.Cache) -> host_emulation.HostTarget:
    if host_emulation.compiler() is None:
        pytest.skip('g++ is not installed; it runs the kernels on the CPU')
    return host_emulation.HostTarget(kernel_cache)


@pytest.fixture
def host(shared_host: host_emulation.HostTarget) -> host_emulation.HostTarget:
    """The CPU as a target; the order of threads is back to forward for each test."""
    shared_host.order = 'forward'
    return shared_host


@pytest.fixture
def kernel_target(
    host: host_emulation.HostTarget,
) -> Iterator[emulated_kernels.EmulatedTarget]:
    """Simulated GPUs run the kernels, with this."""
    with emulated_kernels.emulated(host) as target:
        yield target


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says which families are fastest, cuBLAS after them; nothing is measured before."""
    order: list[str] = []

    def find(problem: matmul_problem.Problem, chip: str) -> matmul_table.Row | None:
        if not order:
            return None
        times = {name: 1.0 + place for place, name in enumerate((*order, 'cublas'))}
        return matmul_table.Row((1, 1, 1, 1), times, 0.0)

    monkeypatch.setattr(matmul_table, 'find', find)
    return lambda *names: order.extend(names)


@pytest.fixture(params=['forward', 'reverse', 'random'])
def ordered(
    request: pytest.FixtureRequest, target: host_emulation.HostTarget
) -> host_emulation.HostTarget:
    """The ``target`` of a module, with its threads in each order."""
    target.order = request.param
    return target


@pytest.fixture
def card() -> Iterator[cupy_backend.CupyBackend]:
    """Memory of the first card; for tests with the marker ``gpu``."""
    backend = cupy_backend.CupyBackend('GPU:0', 0)
    yield backend
    backend.synchronize()
    gc.collect()


@pytest.fixture
def mirrored(card: cupy_backend.CupyBackend) -> mirrored_target.MirroredTarget:
    """The first card for the tables of tests, whose arrays are NumPy's."""
    target = card.call(kernels.equip_card, card).target
    return mirrored_target.MirroredTarget(target, mirrored_target.CardMemory(card))
