"""``scatter_*`` and ``scatter_nd_*`` of variables, against plain loops over NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar import dtypes
from tests.support import device_parity

Host = np.ndarray
KINDS: dict[str, Callable[[Any, Any], Any]] = {
    'update': lambda old, new: new,
    'add': lambda old, new: old + new,
    'sub': lambda old, new: old - new,
    'mul': lambda old, new: old * new,
    'div': lambda old, new: (
        np.trunc(old / new) if np.asarray(old).dtype.kind in 'iu' else old / new
    ),
    'min': np.minimum,
    'max': np.maximum,
}
ND = [kind for kind in KINDS if kind not in ('mul', 'div')]
COMPLEX = [kind for kind in KINDS if kind not in ('min', 'max')]


def by_rows(kind: str, value: Host, indices: Host, updates: Host) -> Host:
    result = value.copy()
    updates = np.broadcast_to(updates, (*indices.shape, *value.shape[1:]))
    for place in np.ndindex(*indices.shape):
        row = indices[place]
        result[row] = KINDS[kind](result[row], updates[place])
    return result


def by_slices(kind: str, value: Host, indices: Host, updates: Host) -> Host:
    result = value.copy()
    for place in np.ndindex(*indices.shape[:-1]):
        where = tuple(indices[place])
        result[where] = KINDS[kind](result[where], updates[place])
    return result


def variable(value: Any = (1.0, 2.0, 3.0)) -> tv.Variable:
    return tv.Variable(value, name='v')


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(
    ('shape', 'indices'),
    [
        ((3,), [2, 0]),
        ((3,), [1, 1, 1]),
        ((3,), []),
        ((3,), 1),
        ((4, 2), [3, 0, 3]),
        ((4, 2), [[3, 0], [1, 3]]),
        ((3, 2, 2), [2]),
        ((3, 0), [1]),
    ],
    ids=repr,
)
def test_rows(device: str, kind: str, shape: Any, indices: Any) -> None:
    indices = np.array(indices, np.int32)
    start = device_parity.sample(np.float32, shape)
    updates = device_parity.sample(np.float32, (*indices.shape, *shape[1:]), seed=1, low=0.5)
    with tv.device(device):
        v = variable(start)
        method = getattr(v, f'scatter_{kind}')
        assert method(tv.IndexedSlices(updates, indices)) is v
        np.testing.assert_allclose(v.numpy(), by_rows(kind, start, indices, updates), rtol=1e-6)
        v.assign(start)
        method(sparse_delta=tv.IndexedSlices(2.0, indices), use_locking=True, name='x')
    expected = by_rows(kind, start, indices, np.float32(2.0))
    np.testing.assert_allclose(v.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize('rows', [[3, 0], [3, 0, 3, 3, 1]], ids=repr)
@pytest.mark.parametrize('kind', KINDS)
def test_wide_rows(device: str, kind: str, rows: Any) -> None:
    indices = np.array(rows, np.int64)
    start = device_parity.sample(np.float32, (4, 300))
    updates = device_parity.sample(np.float32, (len(rows), 300), seed=1, low=0.5)
    with tv.device(device):
        v = variable(start)
        before = tv.convert_to_tensor(v)
        getattr(v, f'scatter_{kind}')(tv.IndexedSlices(updates, indices))
    np.testing.assert_allclose(v.numpy(), by_rows(kind, start, indices, updates), rtol=1e-6)
    np.testing.assert_array_equal(before.numpy(), start)


@pytest.mark.parametrize('kind', ND)
@pytest.mark.parametrize(
    ('shape', 'indices'),
    [
        ((3,), [[2], [0]]),
        ((3,), [[1], [1]]),
        ((3, 4), [[2], [0], [2]]),
        ((3, 4), [[2, 3], [0, 0], [2, 3]]),
        ((3, 4), [[[2, 3]], [[0, 1]]]),
        ((2, 3, 4), [[1, 2], [0, 0]]),
        ((3,), [1]),
        ((3, 4), np.zeros((0, 2), np.int64)),
    ],
    ids=repr,
)
def test_slices(device: str, kind: str, shape: Any, indices: Any) -> None:
    indices = np.array(indices, np.int64)
    depth = indices.shape[-1]
    start = device_parity.sample(np.float32, shape)
    updates = device_parity.sample(np.float32, (*indices.shape[:-1], *shape[depth:]), seed=1)
    with tv.device(device):
        v = variable(start)
        assert getattr(v, f'scatter_nd_{kind}')(indices, updates) is v
    np.testing.assert_allclose(v.numpy(), by_slices(kind, start, indices, updates), rtol=1e-6)


@pytest.mark.parametrize('dtype', dtypes.ALL, ids=lambda dtype: dtype.name)
def test_every_dtype(device: str, dtype: dtypes.DType) -> None:
    if dtype is dtypes.string:
        v = variable(['a', 'b', 'c'])
        v.scatter_update(tv.IndexedSlices(['z'], [1]))
        v.scatter_nd_update([[0]], ['y'])
        assert v.numpy().tolist() == [b'y', b'z', b'c']
        return
    start, updates = np.array([7, 1, 5]).astype(dtype.numpy), np.array([2, 1]).astype(dtype.numpy)
    indices = np.array([0, 2])
    kinds = ['update'] if dtype.is_bool else COMPLEX if dtype.is_complex else list(KINDS)
    for kind in kinds:
        with tv.device(device):
            v = variable(start)
            getattr(v, f'scatter_{kind}')(tv.IndexedSlices(updates, indices))
        assert v.value()._spec().dtype is dtype.numpy
        np.testing.assert_array_equal(v.numpy(), by_rows(kind, start, indices, updates))


def test_integers_divide_towards_zero(device: str) -> None:
    with tv.device(device):
        v = variable([7, -7, 7, -7])
        v.scatter_div(tv.IndexedSlices([2, 2, -2, -2], [0, 1, 2, 3]))
        assert v.numpy().tolist() == [3, -3, -3, 3]
        v.assign([100, 0, 0, 0])
        v.scatter_div(tv.IndexedSlices([3, 5], [0, 0]))
    assert v.numpy().tolist() == [6, 0, 0, 0]


def test_reads(device: str) -> None:
    with tv.device(device):
        v, m = variable(), variable([[1.0, 2.0], [3.0, 4.0]])
        assert v.sparse_read([2, 0]).numpy().tolist() == [3.0, 1.0]
        assert v.sparse_read(0, name='x').numpy() == 1.0
        assert m.sparse_read(indices=[[1, 0]]).shape == (1, 2, 2)
        assert v.gather_nd([[0], [2]]).numpy().tolist() == [1.0, 3.0]
        assert m.gather_nd([[0, 1]]).numpy().tolist() == [2.0]
        assert tv.gather(v, [0, 2]).numpy().tolist() == [1.0, 3.0]
        for read in (v.sparse_read, lambda at: tv.gather(v, at)):
            for bad in (3, -1):
                text = rf'^\[GatherV2\] indices\[1\] = {bad} is not in \[0, 3\)'
                with pytest.raises(tv.errors.InvalidArgumentError, match=text):
                    read([0, bad])
        with pytest.raises(IndexError, match=r'\[3\] does not index into shape \[3\]'):
            v.gather_nd([[3]])


def test_runs_where_the_variable_lives(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:0'):
        v = variable()
    with tv.device('GPU:1'):
        v.scatter_add(tv.IndexedSlices([1.0], [0]))
        v.scatter_nd_add(tv.constant([[1]]), tv.constant([1.0]))
        assert v.sparse_read([0]).device.endswith('GPU:1')
    assert v.device.endswith('GPU:0')
    assert v.numpy().tolist() == [2.0, 3.0, 3.0]


# What is refused, with nothing changed


def refused(v: tv.Variable, kind: type[Exception], text: str, name: str, *given: Any) -> None:
    before, version = v.numpy(), v.version
    with pytest.raises(kind, match=text) as caught:
        getattr(v, name)(*given)
    assert isinstance(caught.value, tv.errors.InvalidArgumentError)
    assert "'v:0'" in str(caught.value)
    np.testing.assert_array_equal(v.numpy(), before)
    assert v.version == version


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('bad', [3, -1, 2**31 - 1])
@pytest.mark.parametrize('held', [False, True])
def test_an_index_out_of_range(device: str, kind: str, bad: int, held: bool) -> None:
    with tv.device(device):
        v = variable()
        holder = v.value() if held else None
        text = rf'^\[ResourceScatter{kind.title()}\] indices\[1\] = {bad} is not in \[0, 3\)'
        slices = tv.IndexedSlices([5.0, 6.0], [0, bad])
        refused(v, IndexError, text, f'scatter_{kind}', slices)
        if kind in ND:
            text = rf'^\[ResourceScatterNd{kind.title()}\] indices\[1\] = \[{bad}\] does not index'
            refused(v, IndexError, text, f'scatter_nd_{kind}', [[0], [bad]], [5.0, 6.0])
    assert holder is None or holder.numpy().tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize('kind', KINDS)
def test_shapes_that_do_not_fit(device: str, kind: str) -> None:
    with tv.device(device):
        v, scalar = variable(), variable(1.0)
        slices = tv.IndexedSlices([1.0, 2.0], [0])
        text = r'updates.shape \[2\], indices.shape \[1\], params.shape \[3\]'
        refused(v, ValueError, text, f'scatter_{kind}', slices)
        one = tv.IndexedSlices([1.0], [0])
        refused(scalar, ValueError, 'the variable is a scalar', f'scatter_{kind}', one)
        if kind in ND:
            text = r'shape \[2\] were given for indices of shape \[1, 1\]'
            refused(v, ValueError, text, f'scatter_nd_{kind}', [[0]], [1.0, 2.0])
            text = r'inner dimension of indices \(shape \[1, 2\]\)'
            refused(v, ValueError, text, f'scatter_nd_{kind}', [[0, 0]], [1.0])
            refused(v, ValueError, 'inner dimension', f'scatter_nd_{kind}', 0, 1.0)


@pytest.mark.parametrize('kind', KINDS)
def test_dtypes_that_do_not_fit(device: str, kind: str) -> None:
    with tv.device(device):
        v = variable()
        wide = tv.IndexedSlices(tv.constant([1.0], tv.float64), [0])
        refused(v, TypeError, 'float32 tensor but is a float64', f'scatter_{kind}', wide)
        for index in ([0.5], tv.constant([0], tv.int16)):
            slices = tv.IndexedSlices([1.0], index)
            refused(v, TypeError, r'\(indices\) has dtype', f'scatter_{kind}', slices)
        if kind in ND:
            refused(v, TypeError, 'float64', f'scatter_nd_{kind}', [[0]], wide.values)
            refused(v, TypeError, 'cannot hold', f'scatter_nd_{kind}', [[0]], [1e300])


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('given', [[1.0], ([1.0], [0]), None])
def test_rows_come_as_indexed_slices(kind: str, given: Any) -> None:
    v = variable()
    with pytest.raises(TypeError, match=r'must be a `tf.IndexedSlices`'):
        getattr(v, f'scatter_{kind}')(given)
    assert v.numpy().tolist() == [1.0, 2.0, 3.0]


def test_kinds_that_a_dtype_does_not_have() -> None:
    with tv.device('CPU:0'):
        truth, number = variable([True, False]), variable([1j, 2j])
        slices = tv.IndexedSlices([True], [0])
        refused(truth, TypeError, r'has dtype bool', 'scatter_add', slices)
        slices = tv.IndexedSlices([1j], [0])
        refused(number, TypeError, r'has dtype complex128', 'scatter_min', slices)


@pytest.mark.usefixtures('values_checked')
@pytest.mark.parametrize('dtype', [tv.float32, tv.int32, tv.complex64])
def test_no_division_by_zero(device: str, dtype: tv.DType) -> None:
    with tv.device(device):
        v = tv.Variable([1, 2, 3], dtype=dtype, name='v')
        slices = tv.IndexedSlices(tv.constant([1, 0], dtype), [0, 1])
        refused(v, ValueError, 'updates must not contain 0', 'scatter_div', slices)


def test_nothing_is_divided_by_zero(device: str) -> None:
    with tv.device(device):
        v = tv.Variable([1.0, 2.0])
        nowhere = tv.constant([], tv.int32)
        v.scatter_div(tv.IndexedSlices(tv.constant(0.0), nowhere))
        v.scatter_div(tv.IndexedSlices(tv.constant(0.0), nowhere + 0))
    assert v.numpy().tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ('kind', 'expected'), [('add', [True, True, True, False]), ('sub', [False, True, True, False])]
)
@pytest.mark.parametrize('held', [False, True])
def test_bools_by_slices(device: str, kind: str, expected: list[bool], held: bool) -> None:
    with tv.device(device):
        v = tv.Variable([True, False, True, False])
        before = v.value() if held else None
        getattr(v, f'scatter_nd_{kind}')([[0], [1], [0]], [True, True, False])
    assert v.numpy().tolist() == expected
    if before is not None:
        assert before.numpy().tolist() == [True, False, True, False]
    for other in ('min', 'max'):
        with pytest.raises(TypeError, match='has dtype bool'):
            getattr(v, f'scatter_nd_{other}')([[0]], [True])
