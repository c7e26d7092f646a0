"""The variable methods that change some elements: ``scatter_*`` and ``scatter_nd_*``."""

from typing import TYPE_CHECKING, Any

from tensorvar import errors
from tensorvar._core import dispatch, update
from tensorvar._core.indexed_slices import IndexedSlices
from tensorvar._core.op_registry import OPS
from tensorvar._core.tensor import Tensor

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


class ScatterMethods:
    """Sparse reads and writes of a variable; a part of ``Variable``.

    Every write is in place while nobody else holds the buffer, returns the variable,
    and raises ``InvalidArgumentError`` for indices out of range (negative ones too) or
    shapes that do not fit, with nothing changed. Duplicate indices accumulate, except
    in the ``update`` forms, where the last one wins. An index that a card has computed
    itself is reported when the host next waits for that card, as in a read; only its own
    row is left out.
    """

    __slots__ = ()

    def scatter_update(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> 'Variable':
        """Sets rows: ``self[indices[i]] = values[i]``."""
        return self._scatter('ResourceScatterUpdate', sparse_delta)

    def scatter_add(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> 'Variable':
        """Adds to rows: ``self[indices[i]] += values[i]``."""
        return self._scatter('ResourceScatterAdd', sparse_delta)

    def scatter_sub(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> 'Variable':
        """Subtracts from rows: ``self[indices[i]] -= values[i]``."""
        return self._scatter('ResourceScatterSub', sparse_delta)

    def scatter_mul(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> 'Variable':
        """Multiplies rows: ``self[indices[i]] *= values[i]``."""
        return self._scatter('ResourceScatterMul', sparse_delta)

    def scatter_div(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> 'Variable':
        """Divides rows: ``self[indices[i]] /= values[i]``.

        A divisor of 0 is refused. One that a card has computed itself is not looked at: it
        gives 0 for integers, and what division gives for others.
        """
        return self._scatter('ResourceScatterDiv', sparse_delta)

    def scatter_min(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> 'Variable':
        """Lowers rows to ``min(self[indices[i]], values[i])``."""
        return self._scatter('ResourceScatterMin', sparse_delta)

    def scatter_max(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> 'Variable':
        """Raises rows to ``max(self[indices[i]], values[i])``."""
        return self._scatter('ResourceScatterMax', sparse_delta)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> 'Variable':
        """Sets the slices that ``indices`` of shape ``(..., k)`` name."""
        return self._scatter_nd('ResourceScatterNdUpdate', indices, updates)

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> 'Variable':
        """Adds to the slices that ``indices`` of shape ``(..., k)`` name."""
        return self._scatter_nd('ResourceScatterNdAdd', indices, updates)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> 'Variable':
        """Subtracts from the slices that ``indices`` of shape ``(..., k)`` name."""
        return self._scatter_nd('ResourceScatterNdSub', indices, updates)

    def scatter_nd_min(self, indices: Any, updates: Any, name: str | None = None) -> 'Variable':
        """Lowers the slices that ``indices`` of shape ``(..., k)`` name."""
        return self._scatter_nd('ResourceScatterNdMin', indices, updates)

    def scatter_nd_max(self, indices: Any, updates: Any, name: str | None = None) -> 'Variable':
        """Raises the slices that ``indices`` of shape ``(..., k)`` name."""
        return self._scatter_nd('ResourceScatterNdMax', indices, updates)

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """The rows at ``indices``, read where the variable lives."""
        rows = dispatch.run(OPS['GatherV2'], self, indices, axis=0, batch_dims=0)
        assert isinstance(rows, Tensor)
        return rows

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """The slices that ``indices`` of shape ``(..., k)`` name."""
        slices = dispatch.run(OPS['GatherNd'], self, indices, batch_dims=0)
        assert isinstance(slices, Tensor)
        return slices

    def _scatter(self: Any, op: str, sparse_delta: Any) -> 'Variable':
        if not isinstance(sparse_delta, IndexedSlices):
            raise errors.InvalidTypeError(
                f'[{op}] sparse_delta is a {type(sparse_delta).__name__}; it must be a '
                f'`tf.IndexedSlices`; make one with tv.IndexedSlices(values, indices)',
                op,
            )
        hosts = (None, sparse_delta._host_indices, None)
        update.update(self, OPS[op], (sparse_delta.indices, sparse_delta.values), hosts)
        return self  # type: ignore[no-any-return]

    def _scatter_nd(self: Any, op: str, indices: Any, updates: Any) -> 'Variable':
        update.update(self, OPS[op], (indices, updates))
        return self  # type: ignore[no-any-return]
