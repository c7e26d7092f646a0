"""``bias_add``: one number per channel."""

from typing import Any

from tensorvar import dtypes, errors
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments
from tensorvar._ops._gradient_helpers import Gradients, sum_over


def _rule(value: ArraySpec, bias: ArraySpec, *, channels_first: bool) -> ArraySpec:
    given = f'[BiasAdd] value has shape {list(value.shape)}, bias has shape {list(bias.shape)}'
    if len(value.shape) < 2:
        raise errors.InvalidArgumentError(
            f'{given}; Input tensor must be at least 2D; use tv.add', 'BiasAdd'
        )
    if len(bias.shape) != 1:
        raise errors.InvalidArgumentError(f'{given}; Biases must be 1D; reshape them', 'BiasAdd')
    channels = value.shape[1 if channels_first else -1]
    if not _arguments.same_dim(channels, bias.shape[0]):
        where = 'second' if channels_first else 'last'
        raise errors.InvalidArgumentError(
            f'{given}; Must provide as many biases as the {where} dimension of the input tensor; '
            f'check data_format',
            'BiasAdd',
        )
    return value


def _bias_add(xp: Any, value: Any, bias: Any, *, channels_first: bool) -> Any:
    if channels_first:
        bias = bias.reshape((-1,) + (1,) * (value.ndim - 2))
    return value + bias


def _bias_add_gradient(context: Any, gradient: Tensor) -> Gradients:
    if not context.needs[1]:
        return gradient, None
    rank = len(gradient._shape)
    channel = 1 if context.attributes['channels_first'] else rank - 1
    others = tuple(axis for axis in range(rank) if axis != channel)
    return gradient, sum_over(gradient, others)


BIAS_ADD = op_registry.register(
    OpDef(
        name='BiasAdd',
        infer=_rule,
        forward=_bias_add,
        gradient=_bias_add_gradient,
        inputs='T T',
        dtypes={'T': dtypes.NUMERIC},
    )
)


def bias_add(
    value: Any, bias: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """Adds one number per channel.

    Args:
        value: numbers of rank 2 or more.
        bias: of rank 1, of the dtype of ``value``, as long as there are channels.
        data_format: ``'N...C'`` (channels last, the default) or ``'NC...'``, such as
            ``'NHWC'`` and ``'NCHW'``.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape and dtype of ``value``.

    Raises:
        InvalidArgumentError: ranks, lengths or dtypes do not fit, or ``data_format`` is
            neither of the two.
    """
    result: Tensor = executor.run(
        BIAS_ADD, value, bias, channels_first=_channels_first(data_format)
    )
    return result


def _channels_first(data_format: str | None) -> bool:
    if data_format is None:
        return False
    if data_format.startswith('NC'):
        return True
    if data_format.startswith('N') and data_format.endswith('C'):
        return False
    raise errors.InvalidArgumentError(
        f'[bias_add] `data_format` must be of the form `N...C` or `NC...`. Received: '
        f'data_format={data_format!r}; use NHWC or NCHW',
        'bias_add',
    )
