"""The text forms: TensorFlow's, with our name."""

from typing import Any

import numpy as np
import pytest

import tensorvar as tv


@pytest.mark.parametrize(
    ('value', 'dtype', 'text', 'numpy'),
    [
        (1.0, 'float32', '1.0', '1.0'),
        (0.1, 'float32', '0.1', '0.10000000149011612'),
        (1, 'bfloat16', '1', '1.0'),
        (True, 'bool', 'True', 'True'),
        (7, 'uint8', '7', '7'),
        (1 + 2j, 'complex128', '(1+2j)', '(1+2j)'),
        ('a', 'string', "b'a'", "b'a'"),
        ([1.0, 2.5], 'float32', '[1.  2.5]', 'array([1. , 2.5], dtype=float32)'),
        ([True], 'bool', '[ True]', 'array([ True])'),
        ([], 'int32', '[]', 'array([], dtype=int32)'),
        (['a', 'b'], 'string', "[b'a' b'b']", "array([b'a', b'b'], dtype=object)"),
        ([1, 2], 'bfloat16', '[1 2]', 'array([1, 2], dtype=bfloat16)'),
        (
            [[1.0, 2.0], [3.0, 4.0]],
            'float32',
            '\n[[1. 2.]\n [3. 4.]]',
            '\narray([[1., 2.],\n       [3., 4.]], dtype=float32)',
        ),
    ],
    ids=repr,
)
def test_texts(device: str, value: Any, dtype: str, text: str, numpy: str) -> None:
    with tv.device(device):
        t, v = tv.constant(value, dtype), tv.Variable(value, dtype=dtype, name='w')
    about = f'shape={t.shape}, dtype={dtype}'
    assert str(t) == f'tv.Tensor({text}, {about})'
    assert repr(t) == f'<tv.Tensor: {about}, numpy={numpy}>'
    about = f'shape={t.shape} dtype={dtype}'
    assert repr(v) == str(v) == f"<tv.Variable 'w:0' {about}, numpy={numpy}>"


def test_an_unknown_shape_is_printed_as_such() -> None:
    v = tv.Variable([1.0], shape=tv.TensorShape(None), name='w')
    assert repr(v).startswith("<tv.Variable 'w:0' shape=<unknown> dtype=float32, numpy=array([1.]")
    w = tv.Variable([1.0], shape=[None])
    assert 'shape=(None,) dtype' in repr(w)


def test_printing_is_counted_and_never_refused(simulated_gpus: list[str]) -> None:
    with tv.device('GPU:0'):
        t, v = tv.constant([1.0, 2.0]), tv.Variable([1.0, 2.0])
    with tv.transfer_guard('disallow'), tv.debugging.record_placement() as log:
        for value in (t, v):
            assert '1., 2.' in repr(value)
            assert '1.' in str(value)
            assert '1.' in f'{value}'
    assert [(each.source, each.nbytes) for each in log.copies] == [('GPU:0', 8)] * 6


def test_long_values_are_shortened() -> None:
    assert '...' in repr(tv.Variable(np.zeros(5_000)))


def test_printing_leaves_no_holder(device: str) -> None:
    with tv.device(device):
        v = tv.Variable([1.0, 2.0])
    before = id(v._array)
    assert repr(v)
    v.assign([3.0, 4.0])
    assert id(v._array) == before
