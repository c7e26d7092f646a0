"""What cuBLAS is asked, in columns where we have rows, and what its codes become."""

from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import cublas, matmul_problem, targets
from tests.support import fake_cublas

F16, F32, F64 = (np.dtype(name) for name in ('float16', 'float32', 'float64'))


class Target:
    def __init__(self, name: str = 'sm_90a') -> None:
        self.name = name
        self.current = 3

    def stream(self) -> int:
        return self.current


class Bench:
    """cuBLAS on a pretended device.

    Attributes:
        allocated: bytes of each workspace.
    """

    def __init__(self, chip: str = 'sm_90a') -> None:
        self.fake = fake_cublas.FakeCublas()
        self.target = Target(chip)
        self.allocated: list[int] = []
        library = cublas.Library(self.fake)
        self.cublas = cublas.CublasMatmul(self.target, library, self.allocate)  # type: ignore[arg-type]

    def allocate(self, nbytes: int) -> Any:
        self.allocated.append(nbytes)
        return SimpleNamespace(ptr=256)

    def multiply(self, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
        product = self.cublas.prepare(problem(a, b, c))
        self.cublas.multiply(product, a.ctypes.data, b.ctypes.data, c.ctypes.data)


def problem(a: np.ndarray, b: np.ndarray, c: np.ndarray, **changes: Any) -> matmul_problem.Problem:
    """A product of one or more dense matrices."""
    batch = len(c) if c.ndim == 3 else 1
    described = [
        matmul_problem.Matrices(0, each.shape[-1], each[0].size if each.ndim == 3 else 0)
        for each in (a, b, c)
    ]
    sizes = c.shape[-2], c.shape[-1], a.shape[-1]
    made = matmul_problem.Problem(batch, *sizes, *described, a.dtype, c.dtype)
    return made._replace(**changes)


@pytest.mark.parametrize(
    ('dtype', 'result'),
    [
        (F16, F16), (F16, F32), (F32, F32), (F64, F64), ('c8', 'c8'), ('c16', 'c16'),
        (ml_dtypes.bfloat16, F32),
    ],
)  # fmt: skip
@pytest.mark.parametrize('batch', [(), (3,)])
def test_products_of_rows(dtype: Any, result: Any, batch: tuple[int, ...]) -> None:
    bench = Bench()
    generator = np.random.default_rng(0)
    a, b = (generator.integers(-9, 9, shape).astype(dtype) for shape in ((*batch, 4, 5), (5, 6)))
    c = np.zeros((*batch, 4, 6), result)
    bench.multiply(a, b, c)
    np.testing.assert_array_equal(c, a.astype(result) @ b.astype(result))
    [call] = bench.fake.called
    assert call.batch == (3 if batch else 1)


def test_the_stream_and_the_workspace_are_set_where_they_change() -> None:
    bench = Bench()
    a = np.ones((2, 2), F32)
    for bench.target.current in (3, 3, 9, 3):
        bench.multiply(a, a, np.zeros((2, 2), F32))
    workspace = ('workspace', 32 << 20)
    assert bench.fake.set == [
        ('math mode', 16), ('stream', 3), workspace, ('stream', 9), workspace, ('stream', 3),
        workspace,
    ]  # fmt: skip
    assert bench.allocated == [32 << 20]


@pytest.mark.parametrize(('chip', 'mebibytes'), [('sm_75', 4), ('sm_89', 4), ('sm_120', 32)])
def test_the_workspace_is_that_of_the_chip(chip: str, mebibytes: int) -> None:
    bench = Bench(chip)
    a = np.ones((1, 1), F32)
    bench.multiply(a, a, np.zeros((1, 1), F32))
    assert bench.allocated == [mebibytes << 20]


@pytest.mark.parametrize(
    'changes',
    [
        {'k': 0}, {'m': 0}, {'batch': 0}, {'batch': 1 << 31}, {'bias': 64},
        {'activation': 'relu'}, {'result': F64}, {'dtype': np.dtype('i4')},
        {'dtype': np.dtype('i1'), 'result': np.dtype('i4')},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_supported(changes: dict[str, Any]) -> None:
    a = np.ones((2, 2), F32)
    assert Bench().cublas.supports(problem(a, a, a))
    assert not Bench().cublas.supports(problem(a, a, a, **changes))


def test_precision_is_of_float32_alone() -> None:
    bench = Bench()
    for dtype, compute in ((F32, 77), (F64, 70), (F16, 68), (np.dtype('c8'), 68)):
        a = np.ones((2, 2), dtype)
        assert bench.cublas.prepare(problem(a, a, a, precision='tf32')).tail[-2] == compute


def test_codes() -> None:
    bench = Bench()
    a = np.ones((2, 2), F32)
    for status, kind in ((8, targets.NoKernelError), (15, targets.NoKernelError),
                         (13, errors.InternalError)):  # fmt: skip
        bench.fake.fails['cublasGemm'] = status
        with pytest.raises(kind, match=rf'^\[cublas\] cublasGemm failed: .* \({status}\)'):
            bench.multiply(a, a, a.copy())
    bench = Bench()
    bench.fake.fails['cublasCreate_v2'] = 1
    with pytest.raises(errors.InternalError, match='cublasCreate failed'):
        bench.multiply(a, a, a.copy())


def test_no_cublas_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cublas.libraries, 'paths', lambda *_: iter(['libcublas_not_there.so']))
    cublas.library.cache_clear()
    with pytest.raises(errors.NotFoundError, match=r'^\[cublas\] .*pip install'):
        cublas.library(13)
