"""The checks that a card runs for each family of kernels, with the kernels on the CPU."""

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.on_gpu_steps import families
from benchmarks.on_gpu_steps.families import machine
from tensorvar._core import device_kernels
from tensorvar._cuda import cache, host_emulation
from tensorvar._device import registry
from tests.support import emulated_kernels, fake_card, fake_cublas

Target = emulated_kernels.EmulatedTarget

# A simulated card writes down no graphs; another stand-in does, see below.
NAMES = [family.name for family in families.FAMILIES if family.name != 'graph']


@pytest.fixture
def target(kernel_cache: cache.Cache) -> Iterator[Target]:
    """Launches for simulated cards that have enough multiprocessors to split sums."""
    if host_emulation.compiler() is None:
        pytest.skip('g++ is not installed; it runs the kernels on the CPU')
    host = host_emulation.HostTarget(kernel_cache, multiprocessors=16)
    with emulated_kernels.emulated(host) as made:
        yield made


@pytest.fixture
def card(target: Target, simulated_gpus: list[str]) -> Iterator[machine.Machine]:
    made = machine.first()
    yield made
    # They keep memory for steps that come again.
    made.kernels.__dict__.pop('optimizers', None)


# Building their kernels for the CPU takes a tenth of all that the suite does.
LARGE = {'assign', 'mma', 'sm90', 'sm90_cluster', 'sm90_tf32', 'simt', 'scatter_sorted'}


@pytest.mark.parametrize(
    'name',
    [pytest.param(name, marks=pytest.mark.soak if name in LARGE else ()) for name in NAMES],
)
def test_a_family_is_right(card: machine.Machine, target: Target, name: str) -> None:
    families.BY_NAME[name].check(card)
    assert target.launched or target.cublas.called


class Idle:
    """A kernel that does nothing."""

    def bind(self, grid: Any) -> Any:
        return lambda stream, *values: None


@pytest.mark.parametrize('name', NAMES)
def test_a_family_that_does_nothing_is_wrong(
    card: machine.Machine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(Target, 'kernel', lambda self, export, signature: Idle())
    monkeypatch.setattr(fake_cublas.FakeCublas, '_multiply', lambda self, *values: 0)
    with pytest.raises(AssertionError):
        families.BY_NAME[name].check(card)


def test_another_chip_leaves_hoppers_kernels_out(card: machine.Machine, target: Target) -> None:
    target.name = 'sm_80'
    for name in ('sm90', 'sm90_cluster', 'sm90_split_k', 'sm90_tf32'):
        with pytest.raises(machine.SkipCheckError, match='for sm_90a alone, not for sm_80'):
            families.BY_NAME[name].check(card)


def test_without_cublas_there_is_nothing_to_check(card: machine.Machine, target: Target) -> None:
    target.cublas = None
    with pytest.raises(machine.SkipCheckError, match='cannot be loaded'):
        families.BY_NAME['cublas'].check(card)


def test_a_graph_is_right_where_plans_are_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_card.installed(monkeypatch) as cuda:
        check = families.BY_NAME['graph'].check
        backend = registry.lookup('GPU', 0).backend
        check(machine.Machine(backend, device_kernels.find(backend)))
        assert cuda.graphs
        assert cuda.graphs[0].launched


def test_a_plan_that_is_not_captured_is_told(card: machine.Machine) -> None:
    with pytest.raises(AssertionError, match='did not become a graph'):
        families.BY_NAME['graph'].check(card)


def test_no_card_has_no_kernels(simulated_gpus: list[str]) -> None:
    with pytest.raises(RuntimeError, match='GPU:0 has no kernels: there are none'):
        machine.first()
