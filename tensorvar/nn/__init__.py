"""Layers, activations and losses of neural networks."""

from tensorvar import _left_out
from tensorvar._ops.activation import elu as elu
from tensorvar._ops.activation import leaky_relu as leaky_relu
from tensorvar._ops.activation import relu as relu
from tensorvar._ops.activation import relu6 as relu6
from tensorvar._ops.activation import selu as selu
from tensorvar._ops.bias_add import bias_add as bias_add
from tensorvar._ops.convolution import conv1d as conv1d
from tensorvar._ops.convolution import conv2d as conv2d
from tensorvar._ops.convolution import conv3d as conv3d
from tensorvar._ops.convolution import convolution as convolution
from tensorvar._ops.convolution_transpose import conv1d_transpose as conv1d_transpose
from tensorvar._ops.convolution_transpose import conv2d_transpose as conv2d_transpose
from tensorvar._ops.convolution_transpose import conv3d_transpose as conv3d_transpose
from tensorvar._ops.convolution_transpose import conv_transpose as conv_transpose
from tensorvar._ops.depthwise import depthwise_conv2d as depthwise_conv2d
from tensorvar._ops.depthwise import separable_conv2d as separable_conv2d
from tensorvar._ops.dropout import dropout as dropout
from tensorvar._ops.embedding import embedding_lookup as embedding_lookup
from tensorvar._ops.exponential import sigmoid as sigmoid
from tensorvar._ops.hyperbolic import tanh as tanh
from tensorvar._ops.local_response import (
    local_response_normalization as local_response_normalization,
)
from tensorvar._ops.local_response import local_response_normalization as lrn
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
from tensorvar._ops.max_pooling import max_pool as max_pool
from tensorvar._ops.max_pooling import max_pool1d as max_pool1d
from tensorvar._ops.max_pooling import max_pool2d as max_pool2d
from tensorvar._ops.max_pooling import max_pool3d as max_pool3d
from tensorvar._ops.moments import moments as moments
from tensorvar._ops.moments import normalize_moments as normalize_moments
from tensorvar._ops.moments import sufficient_statistics as sufficient_statistics
from tensorvar._ops.moments import weighted_moments as weighted_moments
from tensorvar._ops.normalization import batch_normalization as batch_normalization
from tensorvar._ops.normalization import l2_normalize as l2_normalize
from tensorvar._ops.poisson_loss import log_poisson_loss as log_poisson_loss
from tensorvar._ops.pooling import avg_pool as avg_pool
from tensorvar._ops.pooling import avg_pool1d as avg_pool1d
from tensorvar._ops.pooling import avg_pool2d as avg_pool2d
from tensorvar._ops.pooling import avg_pool3d as avg_pool3d
from tensorvar._ops.smooth_activation import gelu as gelu
from tensorvar._ops.smooth_activation import silu as silu
from tensorvar._ops.smooth_activation import silu as swish
from tensorvar._ops.smooth_activation import softplus as softplus
from tensorvar._ops.smooth_activation import softsign as softsign
from tensorvar._ops.softmax import log_softmax as log_softmax
from tensorvar._ops.softmax import softmax as softmax
from tensorvar._ops.space_batch import space_to_batch as space_to_batch
from tensorvar._ops.space_depth import depth_to_space as depth_to_space
from tensorvar._ops.space_depth import space_to_depth as space_to_depth
from tensorvar._ops.sparse_loss import (
    sparse_softmax_cross_entropy_with_logits as sparse_softmax_cross_entropy_with_logits,
)
from tensorvar._ops.sparsity import crelu as crelu
from tensorvar._ops.sparsity import zero_fraction as zero_fraction
from tensorvar._ops.top_k import in_top_k as in_top_k
from tensorvar._ops.top_k import top_k as top_k
from tensorvar.nn import experimental as experimental

__all__ = [
    'avg_pool',
    'avg_pool1d',
    'avg_pool2d',
    'avg_pool3d',
    'batch_normalization',
    'bias_add',
    'conv1d',
    'conv1d_transpose',
    'conv2d',
    'conv2d_transpose',
    'conv3d',
    'conv3d_transpose',
    'conv_transpose',
    'convolution',
    'crelu',
    'depth_to_space',
    'depthwise_conv2d',
    'dropout',
    'elu',
    'embedding_lookup',
    'experimental',
    'gelu',
    'in_top_k',
    'l2_loss',
    'l2_normalize',
    'leaky_relu',
    'local_response_normalization',
    'log_poisson_loss',
    'log_softmax',
    'lrn',
    'max_pool',
    'max_pool1d',
    'max_pool2d',
    'max_pool3d',
    'moments',
    'normalize_moments',
    'relu',
    'relu6',
    'selu',
    'separable_conv2d',
    'sigmoid',
    'sigmoid_cross_entropy_with_logits',
    'silu',
    'softmax',
    'softmax_cross_entropy_with_logits',
    'softplus',
    'softsign',
    'space_to_batch',
    'space_to_depth',
    'sparse_softmax_cross_entropy_with_logits',
    'sufficient_statistics',
    'swish',
    'tanh',
    'top_k',
    'weighted_cross_entropy_with_logits',
    'weighted_moments',
    'zero_fraction',
]

_left_out.install(__name__, __all__)
