"""kernels/scatter_bulk.cu, run on the CPU, against NumPy. No table chooses it yet."""

import itertools
import pathlib
import re

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import cache, host_emulation, nvrtc, rows, scatter_plan, select, source
from tests.support import kernel_rows, scatter_tables
from tests.support.kernel_rows import INDEX_DTYPES, Case
from tests.support.kernel_static import build, check


@pytest.fixture(autouse=True)
def _in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, 'threshold', lambda name, chip: 0)


@pytest.fixture(scope='module')
def built(shared_host: host_emulation.HostTarget) -> host_emulation.HostTarget:
    """All kernels that are tested here, built at once."""
    pairs = itertools.product(
        zip(('scatter_add', 'scatter_sub'), INDEX_DTYPES, strict=True), scatter_tables.BULK_FLOATS
    )
    shared_host.prepare(scatter_plan.bulk_export(op, dtype, index) for (op, index), dtype in pairs)
    return shared_host


@pytest.mark.parametrize('dtype', scatter_tables.BULK_FLOATS, ids=str)
def test_sums(built: host_emulation.HostTarget, dtype: np.dtype) -> None:
    generator = np.random.default_rng(1)
    for case in (case for case in scatter_tables.BULK if case.dtype == dtype):
        kernel_rows.check(built, case, generator)


def test_complex_numbers_are_two_floats(built: host_emulation.HostTarget) -> None:
    kernel_rows.check(built, scatter_tables.BULK[-1], np.random.default_rng(2))


def test_only_what_the_engine_can_add_goes_there() -> None:
    def chosen(op: str, name: str, piece: int, chip: str) -> bool:
        return scatter_plan.goes_in_bulk(op, np.dtype(name), 256, piece, chip)

    assert chosen('scatter_sub', 'f4', 16, 'sm_90a')
    assert not chosen('scatter_sub', 'f4', 8, 'sm_90a')
    assert not chosen('scatter_sub', 'f4', 16, 'sm_89')
    assert not chosen('scatter_sub', 'i4', 16, 'sm_90a')
    assert not chosen('scatter_max', 'f4', 16, 'sm_90a')


def test_the_default_is_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert not scatter_plan.goes_in_bulk('scatter_add', np.dtype('f4'), 1 << 30, 16, 'sm_90a')


BUGS = {
    'memory is written again too early': ('    bulk_wait();\n    __syncwarp();', '', None),
    'nobody waits at the end': ('  }\n  bulk_wait();', '  }', 'ended before'),
    'the sums are not committed': ('    bulk_commit();\n', '', 'ended before'),
    'no barrier before the sums': ('bulk_fence();\n    __syncwarp();', 'bulk_fence();', None),
    'a sum of no multiple of 16 bytes': (
        'wide * sizeof(D)))', 'wide * sizeof(D) - 4))', '16 does not divide',
    ),
    'the last update is left out': ('if (lane < taken)', 'if (lane + 1 < taken)', None),
}  # fmt: skip


@pytest.mark.parametrize('name', BUGS)
def test_a_planted_bug_is_caught(
    name: str,
    tmp_path: pathlib.Path,
    kernel_cache: cache.Cache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if host_emulation.compiler() is None:
        pytest.skip('g++ is not installed; it runs the kernels on the CPU')
    right, wrong, shows = BUGS[name]
    text = source._read(source.folder() / 'scatter_bulk.cu')
    assert right in text, 'the planted bug no longer fits the kernel'
    read = source._read
    monkeypatch.setattr(
        source, '_read',
        lambda path: text.replace(right, wrong) if path.name == 'scatter_bulk.cu' else read(path),
    )  # fmt: skip
    target = host_emulation.HostTarget(kernel_cache, multiprocessors=1)
    case = Case('scatter_add', np.dtype('f4'), 30, 40, 900, ordered=False)
    expected = AssertionError if shows is None else (AssertionError, errors.InternalError)
    with pytest.raises(expected, match=shows):
        kernel_rows.check(target, case, np.random.default_rng(3))


@pytest.mark.skipif(not nvrtc.is_available(), reason='NVRTC is not installed')
@pytest.mark.parametrize('chip', ['sm_90a', 'sm_100a', 'sm_120'])
def test_what_the_compiler_makes_of_it(chip: str, tmp_path: pathlib.Path) -> None:
    exports = [
        scatter_plan.bulk_export('scatter_sub', dtype, INDEX_DTYPES[1])
        for dtype in scatter_tables.BULK_FLOATS
    ]
    compiled = build('scatter_bulk.cu', exports, chip, tmp_path)
    assert nvrtc.complaints(compiled.log) == []
    for export in exports:
        check(compiled, export.name, 112)
        text = compiled.instructions[export.name]
        assert re.search(r'\bUBLKRED\b', text), 'the copy engine adds nothing'
        assert 'LDG.E.128' in text
        assert 'STS.128' in text or 'STS.64' in text


def test_it_is_launched_where_a_table_says_so(built: host_emulation.HostTarget) -> None:
    kernels = rows.RowKernels(built, np.empty)
    table, updates = np.zeros((3, 8), np.float32), np.ones((4, 8), np.float32)
    kernels.scatter('scatter_add', table, np.array([0, 2, 2, 0]), updates, np.zeros(1, np.uint64))
    assert table[:, 0].tolist() == [2, 0, 2]
    assert {export.file for export, *_ in kernels._bound} == {'scatter_bulk.cu'}
