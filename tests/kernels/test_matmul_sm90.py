"""kernels/matmul_sm90.cu, run on the CPU, against float64."""

import struct
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import (
    arguments,
    host_emulation,
    launch,
    matmul_problem,
    matmul_sm90,
    select,
    sm90_plan,
    sm90_tiles,
    source,
    tensor_map,
)
from tests.support import kernel_reference, sm90_cases
from tests.support.sm90_cases import Case, Kind

ORDERS = ('forward', 'reverse', 'random')
Tile = sm90_tiles.Tile
# Every type, layout, activation, height and width of a tile, alone and in a cluster.
KINDS = (
    Kind('bfloat16', 'bfloat16', 'nn', Tile(128, 128)),
    Kind('bfloat16', 'bfloat16', 'nn', Tile(128, 128, 2)),
    Kind('bfloat16', 'float32', 'tt', Tile(64, 128)),
    Kind('bfloat16', 'bfloat16', 'nt', Tile(128, 256, 2)),
    Kind('bfloat16', 'float32', 'nn', Tile(128, 256)),
    Kind('bfloat16', 'bfloat16', 'tn', Tile(64, 256), 'gelu'),
    Kind('float16', 'float16', 'nt', Tile(64, 64), 'relu'),
    Kind('float16', 'float32', 'tn', Tile(128, 64), 'gelu'),
    Kind('float16', 'float16', 'tn', Tile(128, 192)),
    Kind('float32', 'float32', 'nn', Tile(128, 128)),
    Kind('float32', 'float32', 'tt', Tile(64, 64), 'gelu'),
    Kind('float32', 'float32', 'nt', Tile(128, 128, 2), 'relu'),
)
SETTINGS = (
    ('one', False, 0), ('several', True, 16), ('shared a', False, 48), ('shared b', True, 0),
)  # fmt: skip


@pytest.fixture(scope='module')
def built(shared_host: host_emulation.HostTarget) -> host_emulation.HostTarget:
    """All kernels that are tested here, built at once."""
    shared_host.prepare(sm90_cases.exports_of(KINDS))
    return shared_host


@pytest.fixture
def target(built: host_emulation.HostTarget) -> Iterator[host_emulation.HostTarget]:
    yield built
    built.order = 'forward'


def run_in_every_order(
    target: host_emulation.HostTarget, kernels: matmul_sm90.Sm90Matmul, case: Case
) -> None:
    product = sm90_cases.Product(case, np.random.default_rng(sum(case.size)))
    for target.order in ORDERS:
        product.run(kernels)
        product.check(target.order)


@pytest.mark.parametrize('number', range(len(KINDS)))
def test_sizes_batches_and_gaps(target: host_emulation.HostTarget, number: int) -> None:
    kernels = sm90_cases.kernels_for(target, KINDS[number])
    for i, size in enumerate(sm90_cases.SIZES):
        run_in_every_order(target, kernels, Case(KINDS[number], size, *SETTINGS[(i + number) % 4]))


def test_more_tiles_than_blocks(target: host_emulation.HostTarget) -> None:
    """The ring, its phases and the pieces of C go on from tile to tile."""
    for number in (1, 6, 9):
        kernels = sm90_cases.kernels_for(target, KINDS[number])
        run_in_every_order(target, kernels, Case(KINDS[number], (520, 400, 200), gap=16))


def test_blocks_without_a_tile(target: host_emulation.HostTarget) -> None:
    """The lower block of the last cluster may have nothing to write."""
    target.multiprocessors = 8
    try:
        kernels = sm90_cases.kernels_for(target, KINDS[1])
        run_in_every_order(target, kernels, Case(KINDS[1], (100, 300, 72)))
    finally:
        target.multiprocessors = 2


@pytest.fixture
def fixed_choice(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, int]], None]]:
    """Makes the tables hold one row."""

    def fix(row: dict[str, int]) -> None:
        monkeypatch.setattr(select, 'section', lambda name, chip: (row,))
        sm90_tiles.choose.cache_clear()

    yield fix
    sm90_tiles.choose.cache_clear()


@pytest.mark.parametrize('number', [1, 5, 6, 10])
def test_terms_are_dealt_out_to_blocks(
    target: host_emulation.HostTarget,
    number: int,
    fixed_choice: Callable[[dict[str, int]], None],
) -> None:
    kind = KINDS[number]
    kernels = sm90_cases.kernels_for(target, kind)
    for case in (
        Case(kind, (60, 40, 300), bias=True),
        Case(kind, (140, 68, 201), 'shared b', True, 16),
        Case(kind, (20, 20, 64)),
        # The rows of sums would not be at multiples of 16 bytes.
        Case(kind, (60, 41, 300)),
    ):
        product = sm90_cases.Product(case, np.random.default_rng(0))
        extents = sm90_plan.extents(product.problem)
        fixed_choice(extents._asdict() | kind.tile._asdict() | {'splits': 3})
        slabs = 1 if product.problem.n % 4 else -(-extents.slabs // 3)
        splits = 1 if product.problem.n % 4 else -(-extents.slabs // slabs)
        assert kernels._choose(product.problem, may_split=True).splits == splits
        run_in_every_order(target, kernels, case)


def test_tf32_is_rounded_and_not_cut_off(target: host_emulation.HostTarget) -> None:
    kind = Kind('float32', 'float32', 'nn', Tile(128, 128))
    product = sm90_cases.Product(Case(kind, (64, 64, 64)), np.random.default_rng(0))
    # The next float of 10 bits is nearer than the one below.
    value = np.float32(1 + 2**-11 + 2**-12)
    for operand in product.factors:
        operand.matrices[...] = value
    product.run(sm90_cases.kernels_for(target, kind))
    wanted = 64 * (1 + 2**-10) ** 2
    assert np.allclose(product.results.matrices, wanted, rtol=2e-6)


def test_zeros_outside_do_not_meet_infinity(target: host_emulation.HostTarget) -> None:
    """Columns of A beyond K are zeros, and so are rows of B: nothing there is read."""
    kind = KINDS[0]
    product = sm90_cases.Product(Case(kind, (16, 16, 24)), np.random.default_rng(0))
    product.factors[0].matrices[0, 3, 5] = np.inf
    product.factors[1].matrices[0, 7, 2] = np.nan
    product.run(sm90_cases.kernels_for(target, kind))
    found = product.results.matrices[0].astype(np.float64)
    assert np.isnan(found[:, 2]).all()
    assert np.isinf(np.delete(found[3], 2)).all()
    rest = np.delete(np.delete(found, 3, 0), 2, 1)
    assert np.isfinite(rest).all()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_random_cases(shared_host: host_emulation.HostTarget) -> None:
    for seed in range(8):
        cases = sm90_cases.random_cases(100, seed)
        shared_host.prepare(sm90_cases.exports_of(case.kind for case in cases))
        for shared_host.seed, case in enumerate(cases, start=1):
            run_in_every_order(shared_host, sm90_cases.kernels_for(shared_host, case.kind), case)
    shared_host.seed = 1


def problem(kind: Kind = KINDS[0], **changes: object) -> matmul_problem.Problem:
    return matmul_problem.Problem(
        2, 100, 200, 300,
        matmul_problem.Matrices(1 << 20, 304, 304 * 100, False),
        matmul_problem.Matrices(1 << 21, 200, 0, False),
        matmul_problem.Matrices(1 << 22, 208, 208 * 100),
        kernel_reference.dtype_named(kind.dtype), kernel_reference.dtype_named(kind.result),
    )._replace(**changes)  # type: ignore[arg-type]  # fmt: skip


A, B, C = problem().a, problem().b, problem().c
TF32 = {'dtype': np.dtype(np.float32), 'result': np.dtype(np.float32), 'precision': 'tf32'}


@pytest.mark.parametrize(
    ('changes', 'supported'),
    [
        ({}, True),
        ({'result': np.dtype(np.float32)}, True),
        (TF32, True),
        (TF32 | {'b': B._replace(address=4, leading=201)}, True),
        (TF32 | {'precision': 'ieee'}, False),
        (TF32 | {'b': B._replace(address=2)}, False),
        (TF32 | {'a': A._replace(leading=301)}, False),
        ({'dtype': np.dtype(np.float64), 'result': np.dtype(np.float64)}, False),
        ({'result': np.dtype(np.float16)}, False),
        ({'a': A._replace(address=8)}, False),
        ({'a': A._replace(leading=300)}, False),
        ({'a': A._replace(stride=30_404)}, False),
        ({'b': B._replace(leading=201)}, False),
        ({'c': C._replace(leading=204)}, False),
        ({'c': C._replace(stride=0)}, False),
        ({'batch': 1, 'c': C._replace(stride=0)}, True),
        ({'k': 0}, False),
        ({'m': 0}, False),
        ({'batch': 0}, False),
        ({'m': 1 << 31}, False),
        ({'batch': 1 << 20, 'm': 1 << 20, 'n': 1 << 20}, False),
    ],
)
def test_what_is_supported(
    host: host_emulation.HostTarget, changes: dict[str, object], supported: bool
) -> None:
    assert matmul_sm90.Sm90Matmul(host).supports(problem(**changes)) is supported


def test_other_chips_are_not_supported(host: host_emulation.HostTarget) -> None:
    kernels = matmul_sm90.Sm90Matmul(host)
    kernels._target = Recorder('sm_100a')  # type: ignore[assignment]
    assert not kernels.supports(problem())


def test_the_workspace_holds_b_and_the_sums_of_splits() -> None:
    kernels = matmul_sm90.Sm90Matmul(Recorder())  # type: ignore[arg-type]
    assert kernels.workspace(problem()) == 0
    assert kernels.workspace(problem(**TF32)) == 200 * 1200
    several = B._replace(stride=60_000)
    assert kernels.workspace(problem(**TF32, b=several, k=301)) == 2 * 200 * 1216
    long = problem(k=30_000, a=A._replace(leading=30_000))
    splits = kernels._choose(long, may_split=True).splits
    assert splits > 1
    assert kernels.workspace(long) == splits * 2 * 100 * 200 * 4
    assert kernels.workspace(long._replace(n=199)) == 0
    with pytest.raises(errors.InvalidArgumentError, match='it takes 240000 bytes'):
        kernels.multiply(problem(**TF32))


class Recorder:
    """A target that runs nothing and notes what it is asked for."""

    multiprocessors = 132

    def __init__(self, name: str = 'sm_90a') -> None:
        self.name = name
        self.kernels: list[source.Export] = []
        self.maps: list[tensor_map.Tiled] = []
        self.launched: list[tuple[launch.Grid, tuple[object, ...]]] = []

    def kernel(self, export: source.Export, signature: arguments.Signature) -> 'Recorder':
        self.kernels.append(export)
        return self

    def bind(self, grid: launch.Grid) -> launch.Launch:
        return lambda stream, *values: self.launched.append((grid, values))

    def tensor_map(self, tiled: tensor_map.Tiled) -> bytes:
        self.maps.append(tiled)
        return bytes(128)

    def stream(self) -> int:
        return 0


def test_plans_and_maps_are_kept() -> None:
    target = Recorder()
    kernels = matmul_sm90.Sm90Matmul(target)  # type: ignore[arg-type]
    for _ in range(2):
        kernels.multiply(problem())
    assert (len(set(target.kernels)), len(target.maps), len(target.launched)) == (1, 3, 2)
    kernels.multiply(problem(a=A._replace(address=1 << 30), bias=4096))
    assert (len(set(target.kernels)), len(target.maps), len(target.launched)) == (1, 4, 3)
    assert [values[3] for _, values in target.launched] == [0, 0, 4096]
    kernels.multiply(problem(m=99))
    assert len(set(target.kernels)) == 1
    assert len(target.maps) == 6


def test_the_launch_of_a_large_product() -> None:
    target = Recorder()
    kernels = matmul_sm90.Sm90Matmul(target)  # type: ignore[arg-type]
    a, b, c = (matmul_problem.Matrices(number << 30, 4096) for number in (1, 2, 3))
    kernels.multiply(problem(batch=1, m=4096, n=4096, k=4096, a=a, b=b, c=c))
    [(grid, values)] = target.launched
    assert grid == launch.Grid(132, 384, shared=229_440, cluster=2)
    assert struct.unpack('<8I2i', values[4]) == (4096, 4096, 64, 64, 16, 16, 1, 256, 0, 0)
    assert [tiled.box for tiled in target.maps] == [(64, 128), (64, 64), (64, 64)]
