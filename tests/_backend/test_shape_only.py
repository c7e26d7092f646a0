"""Values without data: what they know and what they refuse."""

import operator

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._backend.numpy_backend import NumpyBackend
from tensorvar._backend.shape_only import ShapeOnlyArray, ShapeOnlyBackend

FLOAT32 = np.dtype(np.float32)


def test_shape_and_dtype_are_known():
    array = ShapeOnlyArray([2, 3], FLOAT32)
    assert (array.shape, array.dtype, array.ndim) == ((2, 3), FLOAT32, 2)
    assert (array.size, array.itemsize, array.nbytes) == (6, 4, 24)
    assert repr(array) == '<ShapeOnlyArray shape=(2, 3) dtype=float32>'


def test_an_unknown_length_has_no_size():
    array = ShapeOnlyArray((None, 3), FLOAT32)
    assert array.size is None
    assert array.nbytes == 0


@pytest.mark.parametrize(
    'look',
    [bool, int, float, complex, operator.index, list, len, np.asarray, lambda a: a.item()]
    + [lambda a: a[0], lambda a: ShapeOnlyBackend('CPU:0').to_host(a)],
)
def test_every_look_is_refused(look):
    with pytest.raises(errors.OperatorNotAllowedInGraphError, match=r'shape \(2,\)'):
        look(ShapeOnlyArray((2,), FLOAT32))


def test_array_functions_are_refused():
    with pytest.raises(errors.OperatorNotAllowedInGraphError, match=r'\[add\]'):
        ShapeOnlyBackend('CPU:0').array_module.add(1, 2)


def test_the_backend_hands_out_shapes():
    backend = ShapeOnlyBackend('CPU:0')
    host = np.zeros((2, 3), FLOAT32)
    for array in (
        backend.empty((2, 3), FLOAT32),
        backend.from_host(host),
        backend.copy(backend.from_host(host)),
        backend.copy_from(NumpyBackend(), host),
    ):
        assert isinstance(array, backend.array_type)
        assert (array.shape, array.dtype) == ((2, 3), FLOAT32)
    assert backend.memory_info() == (0, 0, None, 0)
