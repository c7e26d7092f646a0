"""The names that variables keep from TensorFlow's graph days."""

import warnings
from typing import Any

import pytest

import tensorvar as tv


def variable(value: Any = (1.0, 2.0, 3.0), **keywords: Any) -> tv.Variable:
    return tv.Variable(value, **{'name': 'v', **keywords})


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        ('op', AttributeError),
        ('graph', AttributeError),
        ('create', RuntimeError),
        ('initial_value', RuntimeError),
    ],
)
def test_graph_properties(name: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=f'{name}.*when eager execution is enabled'):
        getattr(variable(), name)


def test_graph_methods() -> None:
    v = variable()
    with pytest.raises(RuntimeError, match='eval: this is not supported'):
        v.eval()
    with pytest.raises(RuntimeError, match='to_proto: this is not supported'):
        v.to_proto()
    with pytest.raises(NotImplementedError, match='initialized_value'):
        v.initialized_value()
    with pytest.raises(NotImplementedError, match='from_proto'):
        tv.Variable.from_proto(None)


def test_load_and_experimental_ref() -> None:
    v = variable()
    with pytest.warns(DeprecationWarning, match='load is deprecated; use assign'):
        assert v.load([4.0, 5.0, 6.0]) is None
    assert v.numpy().tolist() == [4.0, 5.0, 6.0]
    with pytest.warns(DeprecationWarning, match='use ref'):
        assert v.experimental_ref() == v.ref()


@pytest.mark.filterwarnings('ignore:.*deprecated:DeprecationWarning')
def test_count_up_to(device: str) -> None:
    with tv.device(device):
        counter = variable(2)
        real = variable(2.0)
    assert int(counter.count_up_to(3)) == 2
    assert counter.numpy() == 3
    with pytest.raises(tv.errors.OutOfRangeError, match=r"Reached limit of 3.*'v:0'"):
        counter.count_up_to(3)
    assert counter.numpy() == 3
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with pytest.raises(tv.errors.InvalidArgumentError, match='scalars of int32 and int64'):
            real.count_up_to(3)


@pytest.mark.filterwarnings('ignore:.*deprecated:DeprecationWarning')
def test_batch_scatter_update(device: str) -> None:
    with tv.device(device):
        v, m = variable(), variable([[1.0, 2.0], [3.0, 4.0]])
        assert v.batch_scatter_update(tv.IndexedSlices([9.0, 8.0], [0, 2])) is v
        m.batch_scatter_update(tv.IndexedSlices([[9.0, 8.0], [7.0, 6.0]], [[0, 1], [1, 0]]))
    assert v.numpy().tolist() == [9.0, 2.0, 8.0]
    assert m.numpy().tolist() == [[9.0, 8.0], [6.0, 7.0]]


def test_save_slice_info() -> None:
    info = tv.Variable.SaveSliceInfo('whole', [4, 3], [0, 1], [2, 2])
    assert (info.full_name, info.spec) == ('whole', '4 3 0,2:1,2')
