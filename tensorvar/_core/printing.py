"""The text forms of tensors and variables: TensorFlow's, with our name."""

from typing import Any

import numpy as np

from tensorvar import _shapes, dtypes


def tensor_repr(host: np.ndarray[Any, Any], dtype: dtypes.DType) -> str:
    """``<tv.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>``."""
    shape = _shapes.from_tuple(host.shape)
    return f'<tv.Tensor: shape={shape}, dtype={dtype.name}, numpy={numpy_repr(host)}>'


def tensor_text(host: np.ndarray[Any, Any], dtype: dtypes.DType) -> str:
    """``tv.Tensor([1. 2.], shape=(2,), dtype=float32)``."""
    shape = _shapes.from_tuple(host.shape)
    return f'tv.Tensor({_text(host)}, shape={shape}, dtype={dtype.name})'


def variable_repr(name: str, shape: _shapes.TensorShape, host: np.ndarray[Any, Any]) -> str:
    """``<tv.Variable 'w:0' shape=(2,) dtype=float32, numpy=...>``."""
    dtype = dtypes.from_numpy(dtypes.canonical(host.dtype))
    return f'<tv.Variable {name!r} shape={shape} dtype={dtype.name}, numpy={numpy_repr(host)}>'


def numpy_repr(host: np.ndarray[Any, Any]) -> str:
    """The array's own repr; for rank 0 that of the Python number."""
    return _set_apart(repr(host) if host.shape else repr(host.item()))


def _text(host: np.ndarray[Any, Any]) -> str:
    return _set_apart(str(host) if host.shape else str(host[()]))


def _set_apart(text: str) -> str:
    """Text of several lines starts on a line of its own, so that columns line up."""
    return f'\n{text}' if '\n' in text else text
