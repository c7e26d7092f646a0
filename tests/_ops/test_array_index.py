"""Indexing of tensors and variables, and the canonical form of keys."""

from typing import Any

import hypothesis
import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import strategies

import tensorvar as tv
from tensorvar._ops import array_index
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient

SHAPE = (3, 4, 2)
KEYS = [
    (), 0, -1, np.int64(2), np.array(1), slice(None), slice(1, None), slice(None, None, -1),
    slice(5, None, -2), slice(-9, 2), slice(7, None), slice(2, 0, -1), slice(0, 0),
    Ellipsis, None, (0, 1), (0, 1, 1), (slice(1, 3), 0), (Ellipsis, 0), (0, Ellipsis, None),
    (None, 0, None, Ellipsis, 1), (Ellipsis, slice(None, None, -1), 1), (1, Ellipsis, 2, 0),
    (slice(None), slice(1, 4, 2), slice(None, None, -1)), (None, None),
]  # fmt: skip


@pytest.mark.parametrize('key', KEYS, ids=str)
def test_keys(device: str, key: Any) -> None:
    array = device_parity.sample(np.float32, SHAPE)
    rules.check(device, lambda x: x[key], lambda x: np.asarray(x[key]), array)


@hypothesis.given(key=arrays.basic_indices(SHAPE, min_dims=0, max_dims=8, allow_newaxis=True))
def test_any_basic_key(key: Any) -> None:
    array = np.arange(24).reshape(SHAPE)
    expected = np.asarray(array[key])
    np.testing.assert_array_equal(tv.constant(array)[key].numpy(), expected)
    np.testing.assert_array_equal(tv.Variable(array)[key].numpy(), expected)


@hypothesis.given(
    shape=strategies.lists(strategies.integers(0, 3), max_size=3).map(tuple),
    data=strategies.data(),
)
def test_spec_and_shape(shape: tuple[int, ...], data: Any) -> None:
    key = data.draw(arrays.basic_indices(shape, min_dims=0, max_dims=8, allow_newaxis=True))
    array = np.zeros(shape)
    spec = array_index.canonical_index('test', shape, key)
    hash(spec)
    part = array[array_index.to_numpy_key(spec)]
    assert isinstance(part, np.ndarray)
    assert part.shape == np.asarray(array[key]).shape == array_index.indexed_shape(shape, spec)


@pytest.mark.parametrize('dtype', [*rules.NUMBERS, np.bool_], ids=rules.name_of)
def test_dtypes(device: str, dtype: Any) -> None:
    array = device_parity.sample(dtype, (3, 2))
    rules.check(device, lambda x: [x[1], x[0, 1], x[::2]], lambda x: [x[1], x[0, 1], x[::2]], array)


def test_tensors_in_keys() -> None:
    values = tv.constant([[1, 2, 3], [4, 5, 6]])
    one = tv.constant(1)
    assert values[one].numpy().tolist() == [4, 5, 6]
    assert values[:, one].numpy().tolist() == [2, 5]
    assert values[tv.Variable(0), one:].numpy().tolist() == [2, 3]
    assert values[:, tv.constant(0, tv.int64) : -1 : tv.constant(2)].numpy().tolist() == [[1], [4]]


def test_a_list_is_a_tuple() -> None:
    assert tv.constant([[1, 2], [3, 4]])[[0, 1]].numpy() == 2


def test_masks(device: str) -> None:
    array = device_parity.sample(np.float32, (3, 4))
    rules.check(
        device,
        lambda x: [x[x > 0.5], x[np.array([True, False, True])], x[tv.constant([False] * 3)]],
        lambda x: [x[x > 0.5], x[[0, 2]], x[:0]],
        array,
    )


def test_a_part_of_a_variable_is_read_where_it_lives(simulated_gpus: tuple[str, str]) -> None:
    with tv.device('GPU:1'):
        variable = tv.Variable([1.0, 2.0, 3.0])
    with tv.device('GPU:0'), tv.debugging.record_placement() as log:
        part = variable[1:]
    assert part.device.endswith('GPU:0')
    [record] = [r for r in log.records if getattr(r, 'op', '') == 'StridedSlice']
    assert (record.device, record.reason) == ('GPU:1', 'variable')


@pytest.mark.parametrize('make', [tv.constant, tv.Variable], ids=['tensor', 'variable'])
@pytest.mark.parametrize(
    ('key', 'kind'),
    [
        (5, IndexError), (-4, IndexError), ((0, 0), IndexError), ([0, 2], IndexError),
        (2**40, IndexError), (1.0, TypeError), ('a', TypeError), (slice('a', None), TypeError),
        (slice(1, 2.0), TypeError), (np.array([0, 2]), TypeError), ([True, False, True], TypeError),
        ((True,), TypeError), (np.float32(1), TypeError), (1j, TypeError),
        (slice(None, None, 0), ValueError), ((Ellipsis, Ellipsis), ValueError), (True, ValueError),
    ],
    ids=str,
)  # fmt: skip
def test_bad_keys(make: Any, key: Any, kind: type[Exception]) -> None:
    values = make([1.0, 2.0, 3.0])
    with pytest.raises(tv.errors.InvalidArgumentError) as caught:
        values[key]
    assert isinstance(caught.value, kind)


def test_bad_tensor_keys() -> None:
    values = tv.zeros([3, 3])
    for key in (tv.constant([0, 1]), tv.constant(1.0), (0, tv.constant([True] * 3))):
        with pytest.raises(TypeError, match='valid indices'):
            values[key]
    for mask in ([True, False], [[True]]):
        with pytest.raises(ValueError, match='incompatible'):
            values[tv.constant(mask)]
    with pytest.raises(TypeError, match='valid indices'):
        values[tv.Variable([True, False, True])]


def test_positions_as_tensors_have_one_dtype() -> None:
    values = tv.Variable(tv.zeros([3, 3]))
    narrow, wide = tv.constant(0), tv.constant(1, tv.int64)
    for key in ((narrow, wide), (wide, None, narrow)):
        with pytest.raises(tv.errors.InvalidArgumentError, match='one is int'):
            values[key]
    values[wide, 0].assign(5.0)
    values[np.int64(0), narrow].assign(7.0)
    assert values[:, 0].numpy().tolist() == [7.0, 5.0, 0.0]


def test_scalars_have_no_parts() -> None:
    scalar = tv.constant(1.0)
    assert scalar[...].numpy() == 1
    assert scalar[None].shape == (1,)
    for key in (0, slice(None)):
        with pytest.raises(tv.errors.InvalidArgumentError, match='only 0 dims'):
            scalar[key]


@pytest.mark.parametrize(
    'key', [0, (slice(None), 1), slice(None, None, -2), (None, Ellipsis, 0), (1, 2)], ids=str
)
def test_gradient(key: Any) -> None:
    numeric_gradient.check(lambda x: x[key] ** 2, samples.float64(3, 4))


def test_gradient_of_a_masked_part() -> None:
    numeric_gradient.check(lambda x: x[x > 0.1] ** 2, samples.float64(3, 4))


def test_gradient_of_a_variable_is_dense() -> None:
    variable = tv.Variable([1.0, 2.0, 3.0])
    with tv.GradientTape() as tape:
        loss = variable[1] * 3 + tv.reduce_sum(variable[:2])
    gradient = tape.gradient(loss, variable)
    assert isinstance(gradient, tv.Tensor)
    assert gradient.numpy().tolist() == [1, 4, 0]


def test_a_slice_that_starts_below_the_first_element_is_empty(device):
    with tv.device(device):
        x = tv.constant([[1, 2], [3, 4]])
        assert x[-3::-1].shape == (0, 2)
        assert x[:, -3::-1].shape == (2, 0)
        assert x[-2::-1].numpy().tolist() == [[1, 2]]


def test_text_picked_out_of_a_variable_stays_on_the_cpu(simulated_gpus):
    v = tv.Variable(['a', 'b'])
    with tv.device('GPU:0', fallback='silent'):
        assert v[1].numpy() == b'b'
        assert v[1].device.endswith('CPU:0')
