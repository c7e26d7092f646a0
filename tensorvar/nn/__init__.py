"""Layers, activations and losses of neural networks."""

from tensorvar import _left_out
from tensorvar._ops.activation import elu, leaky_relu, relu, relu6, selu
from tensorvar._ops.bias_add import bias_add
from tensorvar._ops.convolution import conv1d, conv2d, conv3d, convolution
from tensorvar._ops.convolution_transpose import (
    conv1d_transpose,
    conv2d_transpose,
    conv3d_transpose,
    conv_transpose,
)
from tensorvar._ops.depthwise import depthwise_conv2d, separable_conv2d
from tensorvar._ops.dropout import dropout
from tensorvar._ops.embedding import embedding_lookup
from tensorvar._ops.exponential import sigmoid
from tensorvar._ops.hyperbolic import tanh
from tensorvar._ops.local_response import (
    local_response_normalization as local_response_normalization,
)
from tensorvar._ops.local_response import local_response_normalization as lrn
from tensorvar._ops.loss import l2_loss
from tensorvar._ops.loss import (
    sigmoid_cross_entropy_with_logits as sigmoid_cross_entropy_with_logits,
)
from tensorvar._ops.loss import (
    softmax_cross_entropy_with_logits as softmax_cross_entropy_with_logits,
)
from tensorvar._ops.loss import (
    weighted_cross_entropy_with_logits as weighted_cross_entropy_with_logits,
)
from tensorvar._ops.max_pooling import max_pool, max_pool1d, max_pool2d, max_pool3d
from tensorvar._ops.moments import (
    moments,
    normalize_moments,
    sufficient_statistics,
    weighted_moments,
)
from tensorvar._ops.normalization import batch_normalization, l2_normalize
from tensorvar._ops.poisson_loss import log_poisson_loss
from tensorvar._ops.pooling import avg_pool, avg_pool1d, avg_pool2d, avg_pool3d
from tensorvar._ops.smooth_activation import gelu, silu, softplus, softsign
from tensorvar._ops.smooth_activation import silu as swish
from tensorvar._ops.softmax import log_softmax, softmax
from tensorvar._ops.space_batch import space_to_batch
from tensorvar._ops.space_depth import depth_to_space, space_to_depth
from tensorvar._ops.sparse_loss import (
    sparse_softmax_cross_entropy_with_logits as sparse_softmax_cross_entropy_with_logits,
)
from tensorvar._ops.sparsity import crelu, zero_fraction
from tensorvar._ops.top_k import in_top_k, top_k
from tensorvar.nn import experimental

__all__ = [
    'avg_pool', 'avg_pool1d', 'avg_pool2d', 'avg_pool3d', 'batch_normalization', 'bias_add',
    'conv1d', 'conv1d_transpose', 'conv2d', 'conv2d_transpose', 'conv3d', 'conv3d_transpose',
    'conv_transpose', 'convolution', 'crelu', 'depth_to_space', 'depthwise_conv2d', 'dropout',
    'elu', 'embedding_lookup', 'experimental', 'gelu', 'in_top_k', 'l2_loss', 'l2_normalize',
    'leaky_relu', 'local_response_normalization', 'log_poisson_loss', 'log_softmax', 'lrn',
    'max_pool', 'max_pool1d', 'max_pool2d', 'max_pool3d', 'moments', 'normalize_moments',
    'relu', 'relu6', 'selu', 'separable_conv2d', 'sigmoid', 'sigmoid_cross_entropy_with_logits',
    'silu', 'softmax', 'softmax_cross_entropy_with_logits', 'softplus', 'softsign',
    'space_to_batch', 'space_to_depth', 'sparse_softmax_cross_entropy_with_logits',
    'sufficient_statistics', 'swish', 'tanh', 'top_k', 'weighted_cross_entropy_with_logits',
    'weighted_moments', 'zero_fraction',
]  # fmt: skip

_left_out.install(__name__, __all__)
