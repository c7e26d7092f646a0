"""Ops that change a whole variable, or a slice of one."""

from typing import TYPE_CHECKING, Any

from tensorvar import dtypes, errors
from tensorvar._backend import host_pieces
from tensorvar._backend.base import Array
from tensorvar._core.op_registry import (
    NOT_DIFFERENTIABLE,
    ArraySpec,
    ChangedCopy,
    Kernel,
    OpDef,
    register,
)
from tensorvar._ops import _define, array_index

if TYPE_CHECKING:
    from tensorvar._core.kernels import Kernels


def _assign_rule(variable: ArraySpec, value: ArraySpec) -> ArraySpec:
    # Whether the variable may take this shape is decided by its static shape.
    return ArraySpec(value.shape, variable.dtype)


def _assign(xp: Any, variable: Any, value: Any) -> Any:
    return xp.array(value, order='C', copy=True)


def _assign_in_place(xp: Any, variable: Any, value: Any) -> None:
    variable[...] = value


def _delta_rule(op: str) -> Any:
    def rule(variable: ArraySpec, value: ArraySpec) -> ArraySpec:
        if variable.shape != value.shape:
            raise errors.InvalidArgumentError(
                f'[{op}] Cannot update variable with shape {list(variable.shape)} using a Tensor '
                f'with shape {list(value.shape)}, shapes must be equal; nothing is broadcast; '
                f'reshape or tv.broadcast_to the value',
                op,
            )
        return variable

    return rule


def _add_in_place(xp: Any, variable: Any, value: Any) -> None:
    xp.add(variable, value, out=variable)


def _subtract_in_place(xp: Any, variable: Any, value: Any) -> None:
    xp.subtract(variable, value, out=variable)


def _kernel(op: str) -> Kernel:
    def run(kernels: 'Kernels', variable: Array, value: Array) -> Array:
        kernels.assign.assign_like(op, variable, value)
        return variable

    return run


ASSIGN = register(
    OpDef(
        name='AssignVariableOp',
        infer=_assign_rule,
        forward=_assign,
        in_place=_assign_in_place,
        kernel=_kernel('assign'),
        grain=host_pieces.LIGHT,
        gradient=NOT_DIFFERENTIABLE,
        inputs='T T',
        direct=True,
    )
)
ASSIGN_ADD = register(
    OpDef(
        name='AssignAddVariableOp',
        infer=_delta_rule('AssignAddVariableOp'),
        ufunc='add',
        forward=_define.array_function('add'),
        in_place=_add_in_place,
        kernel=_kernel('assign_add'),
        grain=host_pieces.LIGHT,
        gradient=NOT_DIFFERENTIABLE,
        inputs='T T',
        dtypes={'T': dtypes.NUMERIC},
        direct=True,
    )
)
ASSIGN_SUB = register(
    OpDef(
        name='AssignSubVariableOp',
        infer=_delta_rule('AssignSubVariableOp'),
        ufunc='subtract',
        forward=_define.array_function('subtract'),
        in_place=_subtract_in_place,
        kernel=_kernel('assign_sub'),
        grain=host_pieces.LIGHT,
        gradient=NOT_DIFFERENTIABLE,
        inputs='T T',
        dtypes={'T': dtypes.NUMERIC},
        direct=True,
    )
)


def _slice_rule(
    variable: ArraySpec, value: ArraySpec, *, spec: Any, indexed: tuple[int, ...]
) -> ArraySpec:
    if variable.shape != indexed:
        raise errors.InvalidArgumentError(
            f'[ResourceStridedSliceAssign] the variable has shape {list(variable.shape)}, and had '
            f'{list(indexed)} when it was indexed; index it again',
            'ResourceStridedSliceAssign',
        )
    part = array_index.indexed_shape(variable.shape, spec)
    given = list(value.shape)
    while len(given) > len(part) and given[0] == 1:
        given.pop(0)
    fits = len(given) <= len(part) and all(
        dim in (1, whole) for dim, whole in zip(reversed(given), reversed(part), strict=False)
    )
    if not fits:
        raise errors.InvalidArgumentError(
            f'[ResourceStridedSliceAssign] a value of shape {list(value.shape)} was given for a '
            f'slice of shape {list(part)}; it has to broadcast to the slice; reshape it',
            'ResourceStridedSliceAssign',
        )
    return variable


def _assign_slice(
    xp: Any, variable: Any, value: Any, *, spec: Any, indexed: tuple[int, ...]
) -> None:
    variable[array_index.to_numpy_key(spec)] = value


def _slice_kernel(
    kernels: 'Kernels', variable: Array, value: Array, *, spec: Any, indexed: tuple[int, ...]
) -> Array:
    part = variable[array_index.to_numpy_key(spec)]
    # Dimensions of one element before those of the slice.
    value = value.reshape(value.shape[max(value.ndim - part.ndim, 0) :])
    kernels.assign.assign('assign', part, value)
    return variable


ASSIGN_SLICE = register(
    OpDef(
        name='ResourceStridedSliceAssign',
        infer=_slice_rule,
        forward=ChangedCopy(_assign_slice),
        in_place=_assign_slice,
        kernel=_slice_kernel,
        gradient=NOT_DIFFERENTIABLE,
        inputs='T T',
    )
)
