"""The simulated array module: NumPy's functions, charged and kept on the device."""

import numpy as np
import pytest
import scipy.special

from tensorvar import errors
from tensorvar._backend.simulated_array import SimulatedArray
from tensorvar._backend.simulated_backend import SimulatedBackend

X = np.array([[4.0, 1.0], [1.0, 3.0]], np.float32)


@pytest.fixture
def backend():
    return SimulatedBackend('GPU:0', 1 << 20)


@pytest.fixture
def xp(backend):
    return backend.array_module


CALLS = {
    'function': lambda xp, a: xp.add(a, 1),
    'list of arrays': lambda xp, a: xp.concatenate([a, a], axis=1),
    'tuple of arrays': lambda xp, a: xp.stack((a, a)),
    'linalg': lambda xp, a: xp.linalg.inv(a),
    'fft': lambda xp, a: xp.fft.fft(a),
    'ufunc method': lambda xp, a: xp.add.reduce(a, axis=1),
    'outer': lambda xp, a: xp.multiply.outer(a, a),
    'einsum': lambda xp, a: xp.einsum('ij,jk->ik', a, a),
    'where': lambda xp, a: xp.where(a > 1, a, 0),
    'where keyword': lambda xp, a: xp.add(a, 1, out=a.copy(), where=a > 1),
    'constants': lambda xp, a: a[xp.newaxis] * xp.float32(xp.pi),
    'pad': lambda xp, a: xp.pad(a, ((1, 1), (0, 2))),
    'scalar result': lambda xp, a: xp.sum(a),
    'boolean result': lambda xp, a: xp.allclose(a, a),
    'array_equal': lambda xp, a: xp.array_equal(a, a),
    'take_along_axis': lambda xp, a: xp.take_along_axis(a, xp.argsort(a, axis=1), axis=1),
    'arange': lambda xp, a: xp.arange(5, dtype=xp.int32),
    'eye': lambda xp, a: xp.eye(3, dtype=xp.float32),
    'full': lambda xp, a: xp.full((2, 2), 7, xp.int8),
    'full of an array': lambda xp, a: xp.full((2, 2), a[0, 0]),
    'full without dtype': lambda xp, a: xp.full(3, 2.5),
    'zeros': lambda xp, a: xp.zeros((2, 0), xp.bool_),
    'ones': lambda xp, a: xp.ones(3),
    'zeros_like': lambda xp, a: xp.zeros_like(a),
    'list of numbers': lambda xp, a: xp.asarray([[1, 2], [3, 4]], dtype=xp.float16),
    'number': lambda xp, a: xp.asarray(3, dtype=xp.int32),
    'list of scalars': lambda xp, a: xp.array([a[0, 0], a[1, 1]]),
}


@pytest.mark.parametrize('call', CALLS.values(), ids=CALLS.keys())
def test_agrees_with_numpy(backend, xp, call):
    result, expected = call(xp, backend.from_host(X)), np.asarray(call(np, X.copy()))
    assert isinstance(result, SimulatedArray)
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(backend.to_host(result), expected)


def test_names_that_are_no_functions_pass_through(xp):
    assert xp.float32 is np.float32
    assert xp.newaxis is None
    assert xp.pi == np.pi
    assert xp.ndarray is SimulatedArray
    assert xp.finfo(xp.float32).eps == np.finfo(np.float32).eps
    assert xp.add.nin == 2
    assert xp.result_type(np.float32, np.float64) == np.float64


def test_functions_are_looked_up_once(xp):
    assert xp.tanh is xp.tanh
    assert xp.linalg.norm is xp.linalg.norm


def test_unknown_names_raise_as_in_numpy(xp):
    with pytest.raises(AttributeError, match='no_such_function'):
        xp.no_such_function  # noqa: B018
    with pytest.raises(AttributeError):
        xp.__wrapped__  # noqa: B018


def test_ufunc_at_changes_the_array(backend, xp):
    array = xp.zeros(3, np.float32)
    xp.add.at(array, xp.asarray([0, 0, 2]), 1)
    assert backend.to_host(array).tolist() == [2, 0, 1]


def test_out_is_written_and_returned(backend, xp):
    array, out = backend.from_host(X), xp.empty((2, 2), np.float32)
    before = backend.memory_info().current
    assert xp.matmul(array, array, out=out) is out
    assert xp.add(array, 1, out=(out,)) is out
    assert backend.memory_info().current == before


def test_named_tuples_stay_named(backend, xp):
    result = xp.linalg.svd(backend.from_host(X))
    assert isinstance(result.S, SimulatedArray)
    assert type(result) is type(np.linalg.svd(X))


def test_lists_of_results_are_lists_of_views(backend, xp):
    array = backend.from_host(X)
    halves = xp.split(array, 2)
    assert type(halves) is list
    assert all(half.base is array for half in halves)


def test_random_generators_stay_on_the_device(backend, xp):
    generator = xp.random.default_rng(7)
    drawn = generator.standard_normal(4, dtype=np.float32)
    expected = np.random.default_rng(7).standard_normal(4, dtype=np.float32)
    assert backend.to_host(drawn).tolist() == expected.tolist()


def test_functions_of_other_modules_compute_on_the_device(backend, xp):
    result = xp.namespace(scipy.special).erf(backend.from_host(X))
    assert isinstance(result, SimulatedArray)


@pytest.mark.parametrize('wrap', [lambda x: x, lambda x: [x], lambda x: (1, [x])])
@pytest.mark.parametrize('host', [X, np.array(1.0)])
def test_host_arrays_are_refused_wherever_they_hide(xp, wrap, host):
    with pytest.raises(TypeError, match=r'\[concatenate\] a ndarray of the host'):
        xp.concatenate(wrap(host))
    with pytest.raises(TypeError, match=r'\[add\]'):
        xp.add(1, 2, out=X)


def test_anything_that_numpy_could_read_is_refused(xp):
    class Readable:
        def __array__(self, *args, **kwargs):
            raise AssertionError('must not be read')

    with pytest.raises(TypeError, match='a Readable of the host'):
        xp.sum(Readable())


def test_arrays_of_another_device_are_refused(xp):
    other = SimulatedBackend('GPU:1').from_host(X)
    with pytest.raises(errors.InvalidArgumentError, match=r'GPU:1 with shape \(2, 2\) was given'):
        xp.stack([other])


def test_text_and_objects_stay_on_the_cpu(backend, xp):
    text = np.array([b'a', b'b'], object)
    for make in (lambda: backend.from_host(text), lambda: xp.empty(2, object)):
        with pytest.raises(errors.InvalidTypeError, match='a GPU holds numbers'):
            make()
    assert backend.memory_info().current == 0
    cpu = SimulatedBackend('CPU:1')
    array = cpu.from_host(text)
    joined = cpu.array_module.add(array[0], array[1])
    assert cpu.to_host(joined)[()] == b'ab'


def test_an_error_of_numpy_passes_and_charges_nothing(backend, xp):
    array = backend.from_host(X)
    before = backend.memory_info().current
    with pytest.raises(ValueError, match='broadcast'):
        array + xp.ones(3)
    with pytest.raises(ValueError, match='negative'):
        xp.zeros((-1, 2))
    assert backend.memory_info().current == before


@pytest.mark.parametrize(
    'call',
    [
        lambda xp, a: xp.zeros(1 << 40),
        lambda xp, a: xp.full((1 << 20, 1 << 20), 1.0),
        lambda xp, a: xp.repeat(a, 1 << 18),
        lambda xp, a: xp.meshgrid(a, a),
        lambda xp, a: xp.divmod(a, 2.0),
    ],
)
def test_results_that_do_not_fit_leave_nothing_even_while_the_error_lives(backend, xp, call):
    # Room for one result of divmod, but not for two.
    array = xp.ones(300)
    backend.set_memory_limit(backend.memory_info().current + 3000)
    before = backend.memory_info().current
    with pytest.raises(errors.ResourceExhaustedError, match='were asked for on GPU:0') as caught:
        call(xp, array)
    assert caught.value.__traceback__ is not None
    assert backend.memory_info().current == before
    xp.zeros(8)
