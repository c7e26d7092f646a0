"""Activations and losses of neural networks."""

from tensorvar._ops.activation import elu as elu
from tensorvar._ops.activation import leaky_relu as leaky_relu
from tensorvar._ops.activation import relu as relu
from tensorvar._ops.activation import relu6 as relu6
from tensorvar._ops.activation import selu as selu
from tensorvar._ops.bias_add import bias_add as bias_add
from tensorvar._ops.exponential import sigmoid as sigmoid
from tensorvar._ops.hyperbolic import tanh as tanh
from tensorvar._ops.loss import l2_loss as l2_loss
from tensorvar._ops.loss import (
    sigmoid_cross_entropy_with_logits as sigmoid_cross_entropy_with_logits,
)
from tensorvar._ops.loss import (
    softmax_cross_entropy_with_logits as softmax_cross_entropy_with_logits,
)
from tensorvar._ops.loss import (
    weighted_cross_entropy_with_logits as weighted_cross_entropy_with_logits,
)
from tensorvar._ops.smooth_activation import gelu as gelu
from tensorvar._ops.smooth_activation import silu as silu
from tensorvar._ops.smooth_activation import silu as swish
from tensorvar._ops.smooth_activation import softplus as softplus
from tensorvar._ops.smooth_activation import softsign as softsign
from tensorvar._ops.softmax import log_softmax as log_softmax
from tensorvar._ops.softmax import softmax as softmax
from tensorvar._ops.sparse_loss import (
    sparse_softmax_cross_entropy_with_logits as sparse_softmax_cross_entropy_with_logits,
)

__all__ = [
    'bias_add',
    'elu',
    'gelu',
    'l2_loss',
    'leaky_relu',
    'log_softmax',
    'relu',
    'relu6',
    'selu',
    'sigmoid',
    'sigmoid_cross_entropy_with_logits',
    'silu',
    'softmax',
    'softmax_cross_entropy_with_logits',
    'softplus',
    'softsign',
    'sparse_softmax_cross_entropy_with_logits',
    'swish',
    'tanh',
    'weighted_cross_entropy_with_logits',
]
