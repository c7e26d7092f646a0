"""Methods of simulated arrays are NumPy's methods."""

import numpy as np
import pytest

from tensorvar._backend.simulated_array import SimulatedArray
from tensorvar._backend.simulated_backend import SimulatedBackend

X = np.array([[3.0, 1.0], [2.0, 5.0]], np.float32)

CALLS = {
    'reshape': lambda a: a.reshape(4),
    'reshape two lengths': lambda a: a.reshape(1, -1),
    'ravel': lambda a: a.ravel(),
    'flatten': lambda a: a.flatten(),
    'transpose': lambda a: a.transpose(),
    'transpose axes': lambda a: a.transpose(1, 0),
    'swapaxes': lambda a: a.swapaxes(0, 1),
    'squeeze': lambda a: a.reshape(2, 1, 2).squeeze(1),
    'diagonal': lambda a: a.diagonal(offset=1),
    'view': lambda a: a.view(np.int32),
    'astype': lambda a: a.astype(np.float64),
    'copy': lambda a: a.copy(),
    'argsort': lambda a: a.argsort(axis=0),
    'repeat': lambda a: a.repeat(2, axis=1),
    'take': lambda a: a.take([0, 1], axis=1),
    'clip': lambda a: a.clip(2, 3),
    'round': lambda a: a.round(),
    'conj': lambda a: a.conj(),
    'sum': lambda a: a.sum(),
    'sum of an axis': lambda a: a.sum(axis=0, keepdims=True),
    'prod': lambda a: a.prod(1),
    'mean': lambda a: a.mean(),
    'var': lambda a: a.var(axis=1),
    'std': lambda a: a.std(),
    'max': lambda a: a.max(),
    'min': lambda a: a.min(axis=0),
    'argmax': lambda a: a.argmax(),
    'argmin': lambda a: a.argmin(axis=1),
    'any': lambda a: a.any(),
    'all': lambda a: a.all(axis=0),
    'cumsum': lambda a: a.cumsum(axis=1),
    'cumprod': lambda a: a.cumprod(),
    'trace': lambda a: a.trace(),
    'dot': lambda a: a.dot(a),
    'T': lambda a: a.T,
    'real': lambda a: a.real,
    'imag': lambda a: a.imag,
}


@pytest.mark.parametrize('call', CALLS.values(), ids=CALLS.keys())
def test_agrees_with_numpy(call):
    backend = SimulatedBackend('GPU:0')
    result, expected = call(backend.from_host(X)), np.asarray(call(X))
    assert isinstance(result, SimulatedArray)
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    assert result.strides == expected.strides
    np.testing.assert_array_equal(backend.to_host(result), expected)


def test_methods_that_change_the_array():
    backend = SimulatedBackend('GPU:0')
    array = backend.from_host(X)
    array.sort(axis=1)
    assert backend.to_host(array).tolist() == [[1, 3], [2, 5]]
    array.put([0], 9)
    assert backend.to_host(array)[0, 0] == 9
    array.fill(2)
    assert backend.to_host(array).tolist() == [[2, 2], [2, 2]]


def test_nonzero_gives_two_arrays_that_share_one_charge():
    backend = SimulatedBackend('GPU:0')
    rows, columns = backend.from_host(X).nonzero()
    assert backend.to_host(rows).tolist() == [0, 0, 1, 1]
    assert backend.to_host(columns).tolist() == [0, 1, 0, 1]
    assert columns.base is rows
    assert backend.memory_info().current == 512


def test_host_arguments_are_refused():
    array = SimulatedBackend('GPU:0').from_host(X)
    with pytest.raises(TypeError, match=r'\[take\] a ndarray of the host'):
        array.take(np.array([0]))
