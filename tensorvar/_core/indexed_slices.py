"""``IndexedSlices``: some rows of a larger array, as gradients of gathers are."""

from typing import Any

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._core import conversion, dispatch, host_data
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import OPS
from tensorvar._core.tensor import Tensor


class IndexedSlices:
    """Rows ``values[i]`` that belong at ``indices[i]`` of an array with zeros elsewhere.

    Rows with equal indices add up.

    Args:
        values: array of shape ``(n, *row)``.
        indices: integer array of shape ``(n,)``.
        dense_shape: shape of the whole array, or None if it is not known; a tensor keeps its
            dtype.
    """

    __slots__ = ('_dense_shape', '_host_indices', '_indices', '_shape_dtype', '_values')

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self._values = conversion.convert_to_tensor(values)
        self._indices = conversion.convert_to_tensor(indices)
        self._host_indices = _host_indices(indices, self._indices)
        self._dense_shape = conversion.host_integers(dense_shape, 'IndexedSlices', 'dense_shape')
        self._shape_dtype = dense_shape.dtype if isinstance(dense_shape, Tensor) else None

    @property
    def values(self) -> Tensor:
        """The rows."""
        return self._values

    @property
    def indices(self) -> Tensor:
        """Where the rows belong."""
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        """Shape of the whole array as an integer tensor, or None."""
        if self._dense_shape is None:
            return None
        return conversion.constant(self._dense_shape, self._shape_dtype)

    @property
    def dtype(self) -> dtypes.DType:
        """The element type."""
        return self._values.dtype

    @property
    def device(self) -> str:
        """The device of the rows."""
        return self._values.device

    @property
    def name(self) -> str:
        """Not defined for eager tensors; raises AttributeError."""
        return self._values.name

    @property
    def shape(self) -> _shapes.TensorShape:
        """The static shape of the whole array."""
        return _shapes.TensorShape(self._dense_shape)

    def to_tensor(self) -> Tensor:
        """The whole array.

        Raises:
            ValueError: ``dense_shape`` is not known.
        """
        if self._dense_shape is None:
            raise errors.InvalidArgumentError(
                '[IndexedSlices] Tensor conversion requested for IndexedSlices without '
                'dense_shape; give dense_shape'
            )
        dense = dispatch.run(
            OPS['UnsortedSegmentSum'],
            self._values,
            self._indices,
            num_segments=self._dense_shape[0],
        )
        assert isinstance(dense, Tensor)
        return dense

    def __neg__(self) -> 'IndexedSlices':
        return IndexedSlices(-self._values, self._indices, self.dense_shape)

    def __repr__(self) -> str:
        return (
            f'IndexedSlices(indices={self._indices!r}, values={self._values!r}, '
            f'dense_shape={self._dense_shape})'
        )


def _host_indices(given: Any, indices: Tensor) -> np.ndarray[Any, Any] | None:
    """Indices of the host that went to a GPU, so that they can be checked before a launch."""
    if isinstance(given, ArrayValue) or not indices._device.is_gpu:
        return None
    given = conversion.unwrap(given)
    if isinstance(given, ArrayValue):
        return None
    return host_data.to_array(given, indices.dtype.numpy, 'IndexedSlices')


def add(first: IndexedSlices, second: IndexedSlices) -> IndexedSlices:
    """The sum of two, by putting their rows behind one another."""
    values = dispatch.run(OPS['ConcatV2'], first.values, second.values, axis=0)
    indices = dispatch.run(OPS['ConcatV2'], first.indices, second.indices, axis=0)
    known = second if first._dense_shape is None else first
    return IndexedSlices(values, indices, known.dense_shape)


conversion.register_converter(IndexedSlices, IndexedSlices.to_tensor)
