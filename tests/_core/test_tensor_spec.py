"""``TensorSpec``: what fits, what it shows, what it refuses."""

import pickle

import numpy as np
import pytest

import tensorvar as tv


def test_text_and_parts() -> None:
    spec = tv.TensorSpec([2, None], tv.int32, 'a')
    assert repr(spec) == "TensorSpec(shape=(2, None), dtype=tv.int32, name='a')"
    assert repr(tv.TensorSpec(None)) == ('TensorSpec(shape=<unknown>, dtype=tv.float32, name=None)')
    assert (spec.shape.as_list(), spec.dtype, spec.name) == ([2, None], tv.int32, 'a')
    assert spec.value_type is tv.Tensor


def test_equality_and_hash() -> None:
    assert tv.TensorSpec([2]) == tv.TensorSpec([2], 'float32')
    assert tv.TensorSpec([2]) != tv.TensorSpec([2], name='a')
    assert tv.TensorSpec([2]) != tv.TensorSpec([3])
    assert tv.TensorSpec([2]) != 3
    assert len({tv.TensorSpec([2]), tv.TensorSpec([2]), tv.TensorSpec([3])}) == 2


@pytest.mark.parametrize(
    ('spec', 'value', 'fits'),
    [
        (tv.TensorSpec([None]), lambda: tv.constant([1.0]), True),
        (tv.TensorSpec([None]), lambda: tv.constant([1]), False),
        (tv.TensorSpec([2]), lambda: tv.constant([1.0]), False),
        (tv.TensorSpec([1]), lambda: tv.Variable([1.0]), True),
        (tv.TensorSpec([2]), lambda: tv.TensorSpec([None]), True),
        (tv.TensorSpec([]), lambda: 1.0, False),
        (tv.TensorSpec([2]), lambda: [1.0, 2.0], False),
        (tv.TensorSpec([2]), lambda: np.zeros(2, np.float32), False),
        (tv.TensorSpec([2]), lambda: None, False),
    ],
)
def test_is_compatible_with(spec, value, fits: bool) -> None:
    assert spec.is_compatible_with(value()) is fits


def test_is_subtype_of() -> None:
    assert tv.TensorSpec([2]).is_subtype_of(tv.TensorSpec([None]))
    assert not tv.TensorSpec([None]).is_subtype_of(tv.TensorSpec([2]))
    assert not tv.TensorSpec([2], name='a').is_subtype_of(tv.TensorSpec([None]))
    assert not tv.TensorSpec([2]).is_subtype_of(3)


@pytest.mark.parametrize(
    ('others', 'expected'),
    [
        ([[3]], [None]),
        ([[2]], [2]),
        ([[2, 3]], None),
        ([[2], [5]], [None]),
        ([], [2]),
    ],
)
def test_common_supertype(others, expected) -> None:
    specs = [tv.TensorSpec(shape) for shape in others]
    assert tv.TensorSpec([2]).most_specific_common_supertype(specs) == tv.TensorSpec(expected)


def test_no_common_supertype() -> None:
    spec = tv.TensorSpec([2])
    assert spec.most_specific_common_supertype([tv.TensorSpec([2], tv.int32)]) is None
    assert spec.most_specific_common_supertype([tv.TensorSpec([2], name='a')]) is None
    assert spec.most_specific_common_supertype([3]) is None


def test_made_of_values() -> None:
    assert tv.TensorSpec.from_tensor(tv.constant([1.0]), 'q') == tv.TensorSpec([1], name='q')
    assert tv.TensorSpec.from_tensor(tv.Variable([1])) == tv.TensorSpec([1], tv.int32)
    spec = tv.TensorSpec([1], name='z')
    assert tv.TensorSpec.from_spec(spec) == spec
    assert tv.TensorSpec.from_spec(spec, 'k').name == 'k'
    with pytest.raises(ValueError, match=r'^\[TensorSpec\] .* got type int'):
        tv.TensorSpec.from_tensor(3)


def test_pickles() -> None:
    spec = tv.TensorSpec([2, None], tv.int32, 'a')
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_refuses() -> None:
    with pytest.raises(TypeError):
        tv.TensorSpec([2], 'no dtype')
    with pytest.raises(AttributeError):
        tv.TensorSpec([2]).shape = 3
