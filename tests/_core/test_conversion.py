"""``tv.constant``, ``tv.convert_to_tensor``, and arguments made of integers."""

from collections import deque
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._core import conversion


def test_constant(device: str) -> None:
    with tv.device(device):
        made = tv.constant([[1, 2], [3, 4]], dtype=tv.float32, name='ignored')
    assert made.dtype is tv.float32
    assert made.shape == (2, 2)
    assert made.device.endswith(device)
    assert made.numpy().tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_shape_of_a_constant(device: str) -> None:
    with tv.device(device):
        assert tv.constant([1, 2, 3, 4], shape=(2, 2)).numpy().tolist() == [[1, 2], [3, 4]]
        assert tv.constant(1, shape=[2, 2]).numpy().tolist() == [[1, 1], [1, 1]]
        assert tv.constant([1.5], tv.float64, tv.TensorShape([3])).numpy().tolist() == [1.5] * 3
        assert tv.constant([], shape=(0, 3)).shape == (0, 3)
        tensor = tv.constant([1, 2])
        assert tv.constant(tensor, shape=(2, 1)).shape == (2, 1)
        assert tv.constant(tensor) is tensor


@pytest.mark.parametrize('shape', [(3,), (1, 1), ()])
def test_a_constant_with_another_number_of_elements(shape: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match=r'^\[constant\] a value with 2 elements was given for'):
        tv.constant([1, 2], shape=shape)


def test_tensors_pass_through(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:1'):
        tensor = tv.constant([1.0])
    with tv.device('CPU:0'):
        assert tv.convert_to_tensor(tensor) is tensor
        assert tv.convert_to_tensor(tensor, tv.float32) is tensor


def test_no_promotion_of_tensors_and_variables(device: str) -> None:
    with tv.device(device):
        tensor, variable = tv.constant([1.0]), tv.Variable([1.0], name='w')
    for value, what in (
        (tensor, f'a tensor of shape .1., float32, on {device}'),
        (variable, "the variable 'w:0'"),
    ):
        with pytest.raises(ValueError, match=f'requested dtype float64 for {what}.*tv.cast'):
            tv.convert_to_tensor(value, dtype=tv.float64)
        with pytest.raises(TypeError, match='requested dtype float64'):
            tv.constant(value, tv.float64)
        assert tv.cast(value, tv.float64).dtype is tv.float64


def test_a_hint_gives_way(device: str) -> None:
    with tv.device(device):
        assert tv.convert_to_tensor(1, dtype_hint=tv.float64).dtype is tv.float64
        assert tv.convert_to_tensor(1.5, dtype_hint=tv.int32).dtype is tv.float32
        assert tv.convert_to_tensor(tv.constant(1.5), dtype_hint=tv.int32).dtype is tv.float32


def test_lists_with_tensors_inside(device: str) -> None:
    with tv.device(device):
        v, t = tv.Variable(2.5), tv.constant(1.0)
        assert tv.constant([v, t, 3]).numpy().tolist() == [2.5, 1.0, 3.0]
        nested = tv.convert_to_tensor([[t, 2.0], [np.float64(3.0), v]])
        assert nested.device.endswith(device)
    assert nested.dtype is tv.float32
    assert nested.numpy().tolist() == [[1.0, 2.0], [3.0, 2.5]]
    assert tv.constant(deque([t, v])).numpy().tolist() == [1.0, 2.5]
    with pytest.raises(ValueError, match=r'^\[Pack\].*shapes? .*\[\].*\[2\]|^\[Pack\] Shapes'):
        tv.constant([t, [1.0, 2.0]])
    with pytest.raises(tv.errors.InvalidArgumentError, match=r'expected to be a float32 tensor'):
        tv.constant([t, tv.constant(1)])
    with pytest.raises(TypeError, match='1.5, which int32 cannot hold'):
        tv.constant([tv.constant(1), 1.5])


@pytest.mark.parametrize('dtype', [tv.float16, tv.float64, tv.complex64, tv.bfloat16])
@pytest.mark.parametrize('inner', [tv.float32, tv.int32, tv.bool])
def test_tensors_in_a_list_take_the_dtype_of_the_whole(
    device: str, dtype: tv.DType, inner: tv.DType
) -> None:
    with tv.device(device):
        one, variable = tv.cast(1, inner), tv.Variable([0, 0, 0], dtype=dtype)
        given = [one, 2, 3.0]
        made = [
            tv.convert_to_tensor(given, dtype),
            tv.constant(given, dtype),
            tv.Variable(given, dtype=dtype),
            variable.assign(given).value(),
            variable.assign_add([tv.Variable(one), 0, 0]) - [one, 0, 0],
            [0, 0, 0] + tv.constant(given, dtype),
            [one, 2, 3] + tv.zeros([3], dtype),
        ]
    for value in made:
        assert value.dtype is dtype
    assert [value.numpy().tolist() for value in made] == [[1.0, 2.0, 3.0]] * 7
    nested = tv.convert_to_tensor([[[1.0, 2.0]], [tv.constant([3.0, 4.0])]], dtype)
    assert nested.numpy().tolist() == [[[1.0, 2.0]], [[3.0, 4.0]]]


def test_gradients_pass_the_tensors_of_a_list() -> None:
    x = tv.constant(2.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = tv.constant([1.0, 3.0], tv.float64) * [x, x * x]
    assert tape.gradient(y, x).numpy() == 1.0 + 3.0 * 4.0


@pytest.mark.parametrize(
    ('inner', 'dtype'), [(1.5, tv.int32), (1j, tv.float32), (1, tv.bool), ('a', tv.float32)]
)
def test_tensors_in_a_list_lose_no_fractions(inner: Any, dtype: tv.DType) -> None:
    with pytest.raises(ValueError, match=f'{dtype.name}'):
        tv.convert_to_tensor([tv.constant(inner), tv.constant(inner)], dtype)


def test_shapes_convert_when_they_are_known() -> None:
    made = tv.convert_to_tensor(tv.TensorShape([2, 3]))
    assert made.dtype is tv.int32
    assert made.numpy().tolist() == [2, 3]
    for shape in ([2, None], None):
        with pytest.raises(ValueError, match='partially known TensorShape'):
            tv.convert_to_tensor(tv.TensorShape(shape))


@pytest.mark.parametrize('value', [None, object(), tv.float32, {'a': 1}, (x for x in 'a'), {1}])
def test_what_is_no_tensor(value: Any) -> None:
    with pytest.raises(ValueError, match=r'^\[constant\]'):
        tv.convert_to_tensor(value)


def test_indexed_slices_convert_if_their_shape_is_known(device: str) -> None:
    with tv.device(device):
        dense = tv.convert_to_tensor(tv.IndexedSlices([1.0, 2.0], [2, 2], [4]))
    assert dense.numpy().tolist() == [0.0, 0.0, 3.0, 0.0]
    with pytest.raises(ValueError, match='without dense_shape'):
        tv.convert_to_tensor(tv.IndexedSlices([1.0], [0]))


def test_strings_stay_on_the_cpu(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:0'):
        text = tv.constant([['a', b'b']])
    assert text.device.endswith('CPU:0')
    assert text.dtype is tv.string
    assert text.numpy().tolist() == [[b'a', b'b']]


def test_the_given_array_is_not_shared(device: str) -> None:
    given = np.ones(3, np.float32)
    with tv.device(device):
        tensor = tv.constant(given)
    given[:] = 5.0
    assert tensor.numpy().tolist() == [1.0, 1.0, 1.0]


def test_an_explicit_copy_is_never_refused(simulated_gpus: list[str]) -> None:
    with tv.transfer_guard('disallow'), tv.device('GPU:0'):
        tensor = tv.constant(np.ones(3))
        assert tv.convert_to_tensor([1.0, 2.0]).device.endswith('GPU:0')
    assert tensor.device.endswith('GPU:0')


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        (None, None),
        (3, 3),
        ([1, 2], (1, 2)),
        (range(2), (0, 1)),
        ([[1, 2], (3, 4)], ((1, 2), (3, 4))),
        (np.int64(3), 3),
        (np.array([1, 2]), (1, 2)),
        (np.array([], np.float64), ()),
        (tv.TensorShape([1, None]), (1, None)),
        (True, 1),
    ],
)
def test_integers_of_the_host(value: Any, expected: Any) -> None:
    if value is True:
        with pytest.raises(tv.errors.InvalidTypeError, match='made of integers'):
            conversion.host_integers(value, 'op', 'axis')
    else:
        assert conversion.host_integers(value, 'op', 'axis') == expected


def test_integers_of_tensors(device: str) -> None:
    with tv.device(device):
        vector, scalar, real = tv.constant([1, 2]), tv.Variable(3), tv.constant([1.5])
    assert conversion.host_integers(vector, 'op', 'axis') == (1, 2)
    assert conversion.host_integers([scalar, 4], 'op', 'axis') == (3, 4)
    with pytest.raises(TypeError, match=r'^\[op\] axis has to be made of integers'):
        conversion.host_integers(real, 'op', 'axis')
