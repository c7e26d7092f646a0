"""eigh, eigvalsh, svd."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import spectral
from tests._ops import matrices, rules
from tests.support import numeric_gradient


@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
def test_eigenvalues(device: str, dtype: Any) -> None:
    rules.check(
        device,
        lambda x: [spectral.eigvalsh(x), spectral.eigh(x)[0]],
        lambda x: [np.linalg.eigvalsh(x)] * 2,
        matrices.positive(dtype, 2, 4, 4),
        looser=matrices.LOOSER,
    )


@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
def test_eigenvectors(device: str, dtype: Any) -> None:
    def rebuilt(x: Any) -> Any:
        values, vectors = spectral.eigh(x)
        return tv.matmul(vectors * values[..., None, :], vectors, adjoint_b=True)

    array = matrices.positive(dtype, 2, 4, 4)
    rules.check(device, rebuilt, lambda x: x, array, looser=matrices.LOOSER)


def test_only_the_lower_triangle_is_read() -> None:
    assert spectral.eigvalsh([[1.0, np.nan], [0.0, 2.0]]).numpy().tolist() == [1, 2]


@pytest.mark.usefixtures('values_checked')
def test_bad_eigenvalues(device: str) -> None:
    with tv.device(device):
        for function in (spectral.eigh, spectral.eigvalsh):
            with pytest.raises(tv.errors.InvalidArgumentError, match='inf or nan'):
                function([[np.nan, 0.0], [0.0, 1.0]])
            with pytest.raises(tv.errors.InvalidArgumentError, match='square'):
                function(tv.zeros([2, 3]))


@pytest.mark.parametrize('full', [False, True])
@pytest.mark.parametrize('shape', [(3, 3), (4, 2), (2, 4)], ids=str)
@pytest.mark.parametrize('dtype', matrices.FACTORED, ids=rules.name_of)
def test_svd(device: str, dtype: Any, shape: tuple[int, int], full: bool) -> None:
    def parts(x: Any) -> Any:
        s, u, v = spectral.svd(x, full_matrices=full)
        count = s.shape[-1]
        scaled = u[..., :count] * tv.cast(s, u.dtype)[..., None, :]
        rebuilt = tv.matmul(scaled, v[..., :count], adjoint_b=True)
        return [rebuilt, *[tv.matmul(each, each, adjoint_a=True) for each in (u, v)]]

    def reference(x: np.ndarray) -> Any:
        sides = shape if full else (min(shape), min(shape))
        return [x, *[np.broadcast_to(np.eye(side), (2, side, side)) for side in sides]]

    array = matrices.general(dtype, 2, *shape)
    rules.check(device, parts, reference, array, looser=matrices.LOOSER)
    rules.check(
        device,
        lambda x: [spectral.svd(x, compute_uv=False), spectral.svd(x)[0]],
        lambda x: [np.linalg.svd(x, compute_uv=False)] * 2,
        array,
        dtype=np.zeros(0, dtype).real.dtype,
        looser=matrices.LOOSER,
    )


def test_edges_of_svd(device: str) -> None:
    with tv.device(device):
        s, u, v = spectral.svd([[[np.nan, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 1.0]]])
        assert np.isnan(u.numpy()[0]).all()
        assert np.isnan(v.numpy()[0]).all()
        np.testing.assert_array_equal(s.numpy(), [[np.nan, np.nan], [2, 1]])
        s, u, v = spectral.svd(tv.zeros([3, 0]), full_matrices=True)
        assert (s.shape, u.shape, v.shape) == ((0,), (3, 3), (0, 0))
    with pytest.raises(tv.errors.InvalidArgumentError, match='at least 2-dim'):
        spectral.svd([1.0])
    with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
        spectral.svd([[1]])


@pytest.mark.parametrize('dtype', matrices.DOUBLE, ids=rules.name_of)
def test_gradient_of_eigenvalues(dtype: Any) -> None:
    numeric_gradient.check(spectral.eigvalsh, matrices.positive(dtype, 3, 3))


def test_gradient_of_eigenvectors() -> None:
    numeric_gradient.check(spectral.eigh, matrices.positive(np.float64, 3, 3))


def test_gradient_of_complex_eigenvectors() -> None:
    def projections(x: Any) -> Any:
        values, vectors = spectral.eigh(x)
        return values, abs(vectors) ** 2, tv.matmul(vectors[:, :1], vectors[:, :1], adjoint_b=True)

    numeric_gradient.check(projections, matrices.positive(np.complex128, 3, 3))


@pytest.mark.parametrize('full', [False, True])
@pytest.mark.parametrize('shape', [(2, 2), (3, 2), (2, 3)], ids=str)
def test_gradient_of_svd(shape: tuple[int, int], full: bool) -> None:
    array = matrices.general(np.float64, *shape)
    numeric_gradient.check(lambda x: spectral.svd(x, full_matrices=full), array)
    numeric_gradient.check(lambda x: spectral.svd(x, compute_uv=False), array)


@pytest.mark.parametrize('shape', [(2, 2), (3, 2), (2, 3)], ids=str)
def test_gradient_of_complex_svd(shape: tuple[int, int]) -> None:
    def without_phases(x: Any) -> Any:
        s, u, v = spectral.svd(x)
        return s, tv.matmul(u[:, :1], v[:, :1], adjoint_b=True), abs(u) ** 2, abs(v) ** 2

    numeric_gradient.check(without_phases, matrices.general(np.complex128, *shape))


def test_no_gradient_of_arbitrary_vectors() -> None:
    matrix = tv.constant(matrices.general(np.float64, 4, 2))
    with tv.GradientTape() as tape:
        tape.watch(matrix)
        _, u, _ = spectral.svd(matrix, full_matrices=True)
    with pytest.raises(NotImplementedError, match='differ by 1'):
        tape.gradient(u, matrix)
