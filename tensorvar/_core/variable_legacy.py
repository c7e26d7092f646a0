"""Names that TensorFlow keeps on variables from its graph days.

What works there in eager mode works here, with a ``DeprecationWarning``; what raises
there raises the same class here.
"""

import warnings
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from tensorvar import errors
from tensorvar._core import conversion, update
from tensorvar._core.array_value import Reference
from tensorvar._core.indexed_slices import IndexedSlices
from tensorvar._core.op_registry import OPS
from tensorvar._core.tensor import Tensor

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


class SaveSliceInfo:
    """Which part of a larger, partitioned variable a variable is.

    Args:
        full_name: name of the whole.
        full_shape: shape of the whole, a list of integers.
        var_offset: where the part begins, per dimension.
        var_shape: shape of the part.
    """

    def __init__(
        self,
        full_name: str | None = None,
        full_shape: Any = None,
        var_offset: Any = None,
        var_shape: Any = None,
    ) -> None:
        self.full_name = full_name
        self.full_shape = full_shape
        self.var_offset = var_offset
        self.var_shape = var_shape

    @property
    def spec(self) -> str:
        """The text form, such as ``'4 3 0,2:1,2'``: shape, then offset and length per axis."""
        shape = ' '.join(str(int(dim)) for dim in self.full_shape)
        pairs = zip(self.var_offset, self.var_shape, strict=True)
        return f'{shape} {":".join(f"{int(offset)},{int(length)}" for offset, length in pairs)}'


class LegacyNames:
    """A part of ``Variable``: see the module's text."""

    __slots__ = ()

    SaveSliceInfo = SaveSliceInfo

    @property
    def initializer(self) -> None:
        """Always None: eager variables are initialised when they are made."""
        return None

    @property
    def handle(self: Any) -> 'Variable':
        """The variable itself; there is no separate resource."""
        return self  # type: ignore[no-any-return]

    @property
    def op(self) -> Any:
        """Not defined for eager variables; raises AttributeError."""
        raise AttributeError('[Variable] op is undefined when eager execution is enabled.')

    @property
    def graph(self) -> Any:
        """Not defined for eager variables; raises AttributeError."""
        raise AttributeError('[Variable] graph is undefined when eager execution is enabled.')

    @property
    def create(self) -> Any:
        """Not supported for eager variables; raises RuntimeError."""
        _refuse('create', 'a variable is created by its constructor')

    @property
    def initial_value(self) -> Any:
        """Not supported for eager variables; raises RuntimeError."""
        _refuse('initial_value', 'it is not kept; use value()')

    def eval(self, session: Any = None) -> Any:
        """Not supported for eager variables; raises RuntimeError."""
        _refuse('eval', 'use numpy()')

    def to_proto(self, export_scope: str | None = None) -> Any:
        """Not supported for eager variables; raises RuntimeError."""
        _refuse('to_proto', 'use pickle or tv.train.Checkpoint')

    @staticmethod
    def from_proto(variable_def: Any, import_scope: str | None = None) -> Any:
        """Not supported: there are no graphs; raises NotImplementedError."""
        raise errors.UnimplementedError(
            '[Variable] from_proto reads a variable of a graph, and there are no graphs; '
            'use pickle or tv.train.Checkpoint'
        )

    def initialized_value(self) -> Any:
        """Not supported for eager variables; raises NotImplementedError."""
        raise errors.UnimplementedError(
            '[Variable] initialized_value belongs to graphs; eager variables are always '
            'initialised; use value()'
        )

    def is_initialized(self, name: str | None = None) -> Tensor:
        """A scalar tensor, always True.

        Args:
            name: accepted for TensorFlow's sake.
        """
        return conversion.constant(True)

    def experimental_ref(self: Any) -> Reference[Any]:
        """Deprecated; the same as ``ref``."""
        _deprecated('experimental_ref', 'ref')
        return self.ref()  # type: ignore[no-any-return]

    def load(self: Any, value: Any, session: Any = None) -> None:
        """Deprecated; ``assign`` without a result.

        Args:
            value: the new value.
            session: accepted for TensorFlow's sake.
        """
        _deprecated('load', 'assign')
        self.assign(value)

    def count_up_to(self: Any, limit: int) -> Tensor:
        """Deprecated; adds 1 to a scalar integer, unless it has reached ``limit``.

        Args:
            limit: where counting ends.

        Returns:
            The value before the addition.

        Raises:
            OutOfRangeError: the limit is reached; nothing has changed.
        """
        if self.shape.rank != 0 or self.dtype.name not in ('int32', 'int64'):
            raise errors.InvalidTypeError(
                f'[count_up_to] {self._describe()} was given; allowed are scalars of int32 and '
                f'int64'
            )
        _deprecated('count_up_to', 'assign_add')
        with self._lock:
            before: Tensor = self.value()
            if before.item() >= limit:
                raise errors.OutOfRangeError(
                    f'[count_up_to] Reached limit of {limit}: {self._describe()} cannot be '
                    f'counted up; assign a smaller value first'
                )
            self.assign_add(1)
        return before

    def batch_scatter_update(
        self: Any,
        sparse_delta: IndexedSlices,
        use_locking: bool = False,
        name: str | None = None,
    ) -> 'Variable':
        """Deprecated; sets ``self[b..., indices[b..., i]] = values[b..., i]``.

        Args:
            sparse_delta: values, and indices whose leading dimensions count the batch.
            use_locking: accepted for TensorFlow's sake.
            name: accepted for TensorFlow's sake.

        Returns:
            The variable.
        """
        _deprecated('batch_scatter_update', 'scatter_nd_update')
        indices = conversion.convert_to_tensor(sparse_delta.indices)
        host = indices._to_host('batch_scatter_update', explicit=True)
        places = [*np.indices(host.shape, host.dtype)[:-1], host]
        op = OPS['ResourceScatterNdUpdate']
        update.update(self, op, (np.stack(places, axis=-1), sparse_delta.values))
        return self  # type: ignore[no-any-return]


def _refuse(name: str, instead: str) -> NoReturn:
    raise RuntimeError(
        f'[Variable] {name}: this is not supported when eager execution is enabled; {instead}'
    )


def _deprecated(name: str, instead: str) -> None:
    warnings.warn(
        f'[Variable] {name} is deprecated; use {instead}', DeprecationWarning, stacklevel=3
    )
