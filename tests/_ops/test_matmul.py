"""matmul and matvec."""

import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import hypothesis
import ml_dtypes
import numpy as np
import pytest
from hypothesis import strategies

import tensorvar as tv
from tensorvar._core import executor
from tensorvar._ops import _matmul_arrays, matmul
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

FORMS = ['none', 'transpose', 'adjoint', 'conjugate']
PAIRS = list(itertools.product(FORMS, FORMS))


def formed(array: np.ndarray, form: str) -> np.ndarray:
    array = array.conj() if form in ('adjoint', 'conjugate') else array
    return np.swapaxes(array, -1, -2) if form in ('adjoint', 'transpose') else array


@pytest.mark.parametrize('dtype', rules.NUMBERS, ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    a, b = device_parity.sample(dtype, (3, 4)), device_parity.sample(dtype, (4, 2), seed=1)
    rules.check(device, tv.matmul, np.matmul, a, b, looser=4)
    rules.check(
        device, lambda x, y: tv.matmul(x[None], y), lambda x, y: (x @ y)[None], a, b, looser=4
    )


@pytest.mark.parametrize('dtype', [np.float32, np.complex64], ids=rules.name_of)
@pytest.mark.parametrize(('form_a', 'form_b'), PAIRS)
def test_forms(device: str, dtype: Any, form_a: str, form_b: str) -> None:
    a = formed(device_parity.sample(dtype, (3, 4)), form_a)
    b = formed(device_parity.sample(dtype, (4, 2), seed=1), form_b)
    rules.check(
        device,
        lambda x, y: matmul.multiply(x, y, form_a, form_b),
        lambda x, y: formed(x, form_a) @ formed(y, form_b),
        a,
        b,
        looser=4,
    )


@pytest.mark.parametrize('form', ['transpose', 'adjoint'])
def test_flags(form: str) -> None:
    array = device_parity.sample(np.complex128, (4, 3))
    left = tv.matmul(array, np.eye(4) + 0j, **{f'{form}_a': True})
    right = tv.matmul(np.eye(3) + 0j, array, **{f'{form}_b': True})
    np.testing.assert_allclose(left.numpy(), formed(array, form))
    np.testing.assert_allclose(right.numpy(), formed(array, form))


@hypothesis.given(
    sizes=strategies.tuples(*[strategies.integers(0, 3)] * 3),
    batches=strategies.sampled_from([((), ()), ((2,), ()), ((1, 3), (2, 1)), ((0,), (1,))]),
)
def test_shapes(sizes: tuple[int, int, int], batches: Any) -> None:
    rows, inner, columns = sizes
    generator = np.random.default_rng(0)
    a = generator.random((*batches[0], rows, inner))
    b = generator.random((*batches[1], inner, columns))
    np.testing.assert_allclose(tv.matmul(a, b).numpy(), np.matmul(a, b))


def test_half_precision_rounds_once(device: str) -> None:
    ones = np.ones((1, 1000), ml_dtypes.bfloat16)
    rules.check(
        device,
        lambda x: tv.matmul(x, x, transpose_b=True),
        lambda x: np.full((1, 1), 1000.0),
        ones,
    )


class Watched(np.ndarray):
    """Notes what it is converted to."""

    converted: ClassVar[list[Any]] = []

    def astype(self, dtype: Any, *arguments: Any, **options: Any) -> Any:
        self.converted.append(np.dtype(dtype))
        return super().astype(dtype, *arguments, **options)


@pytest.mark.parametrize(
    ('shape_a', 'shape_b', 'output', 'as_it_is'),
    [
        ((2, 3), (3, 4), None, True),
        ((1, 3), (3, 4), None, True),
        ((1, 3), (3, 1), None, False),
        ((2, 2, 3), (3, 4), None, False),
        ((2, 3), (3, 4), np.dtype(np.float32), False),
    ],
)
@pytest.mark.parametrize('turned', [False, True])
def test_cublas_gets_16_bit_floats_as_they_are(
    shape_a: Any, shape_b: Any, output: Any, as_it_is: bool, turned: bool
) -> None:
    Watched.converted.clear()
    a, b = np.ones(shape_a, np.float16).view(Watched), np.ones(shape_b, np.float16).view(Watched)
    form = 'transpose' if turned else 'none'
    forms = {'form_a': form, 'form_b': form, 'output_type': output}
    for module, expected in ((SimpleNamespace(cuda=None, matmul=np.matmul), as_it_is), (np, False)):
        given = (each.swapaxes(-1, -2) if turned else each for each in (a, b))
        product = _matmul_arrays.multiply(module, *given, **forms)
        assert (product == 3).all()
        assert bool(Watched.converted) is not expected
        Watched.converted.clear()


def test_output_types(device: str) -> None:
    integers = np.full((2, 3), 100, np.int8)
    rules.check(
        device,
        lambda x: tv.matmul(x, x, transpose_b=True, output_type=tv.int32),
        lambda x: np.full((2, 2), 30_000),
        integers,
        dtype=np.int32,
    )
    halves = np.full((2, 3), 1 + 2**-9, np.float16)
    rules.check(
        device,
        lambda x: tv.matmul(x, x, adjoint_b=True, output_type='float32'),
        lambda x: x @ x.T,
        halves,
        dtype=np.float32,
    )
    assert tv.matmul([[1.0]], [[1.0]], output_type=tv.float32).dtype is tv.float32
    with pytest.raises(tv.errors.InvalidArgumentError, match='output_type'):
        tv.matmul([[1.0]], [[1.0]], output_type=tv.float64)


@pytest.mark.parametrize(
    ('shape_a', 'shape_b', 'text'),
    [
        ([3], [3], 'ndims must be >= 2'),
        ([2, 2], [], 'ndims must be >= 2'),
        ([2, 2], [2], 'ndims must be >= 2'),
        ([2, 2], [1, 3], 'Matrix size-incompatible'),
        ([2, 3, 4], [3, 4, 5], 'Incompatible shapes'),
        ([2, 3, 4], [5, 4], 'Matrix size-incompatible'),
    ],
)
def test_bad_shapes(shape_a: list[int], shape_b: list[int], text: str) -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match=text):
        tv.matmul(tv.zeros(shape_a), tv.zeros(shape_b))


def test_bad_arguments() -> None:
    square = tv.eye(2)
    with pytest.raises(ValueError, match='Only one'):
        tv.matmul(square, square, transpose_a=True, adjoint_a=True)
    with pytest.raises(tv.errors.InvalidArgumentError, match='expected to be a float32'):
        tv.matmul(square, tv.eye(2, dtype=tv.float64))
    with pytest.raises(tv.errors.InvalidArgumentError, match='allowed'):
        tv.matmul([[True]], [[True]])
    with pytest.raises(tv.errors.InvalidArgumentError, match='rank 2'):
        executor.run(
            matmul.MATMUL, tv.zeros([1, 2, 2]), [[1.0, 2.0]],
            form_a='none', form_b='none', output_type=None,
        )  # fmt: skip


@pytest.fixture
def tensor_float_32() -> Iterator[None]:
    tv.config.experimental.enable_tensor_float_32_execution(True)
    yield
    tv.config.experimental.enable_tensor_float_32_execution(False)


@pytest.mark.parametrize('precision', ['ieee', 'tf32'])
def test_precisions(device: str, precision: Any) -> None:
    a, b = samples.float64(3, 4).astype(np.float32), samples.float64(4, 2).astype(np.float32)
    rules.check(
        device, lambda x, y: tv.matmul(x, y, precision=precision), np.matmul, a, b, looser=4
    )
    with tv.GradientTape() as tape:
        x = tv.constant(a)
        tape.watch(x)
        product = tv.matmul(x, b, precision=precision)
    gradient = tape.gradient(product, x)
    np.testing.assert_allclose(gradient.numpy(), np.ones((3, 2)) @ b.T, rtol=1e-6)


def test_bad_precisions() -> None:
    square = tv.eye(2)
    for made in (square, tv.eye(2, batch_shape=[2])):
        with pytest.raises(tv.errors.InvalidArgumentError, match=r"'fast' was given; allowed are"):
            tv.matmul(made, made, precision='fast')  # type: ignore[arg-type]
    for dtype in (tv.float64, tv.float16, tv.complex64, tv.int32):
        wide = tv.eye(2, dtype=dtype)
        with pytest.raises(tv.errors.InvalidTypeError, match=rf"'tf32' .* {dtype.name} matrices"):
            tv.matmul(wide, wide, precision='tf32')
        assert tv.matmul(wide, wide, precision='ieee').dtype is dtype


def test_the_precision_of_products_that_name_none(tensor_float_32: None) -> None:
    assert tv.config.experimental.tensor_float_32_execution_enabled()
    found = []
    multiply = matmul.multiply

    def note(*arguments: Any) -> tv.Tensor:
        found.append(arguments[-1])
        return multiply(*arguments)

    square, wide = tv.eye(2), tv.eye(2, dtype=tv.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matmul, 'multiply', note)
        assert tv.matmul(square, square).numpy().tolist() == np.eye(2).tolist()
        assert (square @ square).shape == [2, 2]
        assert tv.linalg.matvec(square, [1.0, 2.0]).numpy().tolist() == [1, 2]
        assert tv.matmul([[1.0]], [[1.0]]).numpy() == 1
    assert found == ['tf32'] * 4
    assert tv.matmul(wide, wide).dtype is tv.float64
    assert tv.matmul([[1.0, 0.0]], wide).dtype is tv.float64
    assert tv.matmul(square, square, precision='ieee').dtype is tv.float32


def test_operators() -> None:
    square = tv.Variable([[1.0, 2.0], [3.0, 4.0]])
    assert (square @ [[1.0], [1.0]]).numpy().tolist() == [[3], [7]]
    assert ([[1.0, 1.0]] @ square).numpy().tolist() == [[4, 6]]
    with pytest.raises(tv.errors.InvalidArgumentError):
        square @ 2


def test_matvec(device: str) -> None:
    a, b = device_parity.sample(np.complex64, (2, 3, 4)), device_parity.sample(np.complex64, (3,))
    rules.check(
        device,
        lambda x, y: matmul.matvec(x, y, adjoint_a=True),
        lambda x, y: formed(x, 'adjoint') @ y,
        a,
        b,
        looser=4,
    )
    with pytest.raises(tv.errors.InvalidArgumentError, match='size-incompatible'):
        matmul.matvec([[1.0, 2.0]], [1.0])


@pytest.mark.parametrize(('form_a', 'form_b'), PAIRS)
def test_gradient_of_forms(form_a: str, form_b: str) -> None:
    a = formed(samples.complex128(2, 3), form_a)
    b = formed(samples.complex128(3, 2, seed=1), form_b)
    numeric_gradient.check(lambda x, y: matmul.multiply(x, y, form_a, form_b), a, b)


@pytest.mark.parametrize(
    ('batch_a', 'batch_b'), [((), ()), ((2,), (2,)), ((2,), ()), ((), (2,)), ((1, 2), (3, 1))]
)
def test_gradient_of_batches(batch_a: tuple[int, ...], batch_b: tuple[int, ...]) -> None:
    numeric_gradient.check(
        tv.matmul, samples.float64(*batch_a, 2, 3), samples.float64(*batch_b, 3, 2, seed=1)
    )


def test_gradient_of_a_wider_result() -> None:
    a = tv.constant([[1.0, 2.0]], tv.float16)
    with tv.GradientTape() as tape:
        tape.watch(a)
        result = tv.matmul(a, a, transpose_b=True, output_type=tv.float32)
    gradient = tape.gradient(result, a)
    assert gradient.dtype is tv.float16
    assert gradient.numpy().tolist() == [[2, 4]]
