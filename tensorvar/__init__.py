"""TensorFlow-style variables that live on a device of your choice.

    >>> import tensorvar as tv
    >>> w = tv.Variable([[1.0, 2.0]], name='w')
    >>> w.assign_add([[1.0, 1.0]]).numpy().tolist()
    [[2.0, 3.0]]

Importing the package prints nothing and touches no GPU.
"""

from tensorvar import _left_out as _left_out
from tensorvar import _ops as _ops
from tensorvar import (
    autodiff,
    bitwise,
    config,
    debugging,
    dtypes,
    errors,
    experimental,
    linalg,
    math,
    nest,
    nn,
    random,
    signal,
    testing,
)
from tensorvar._backend import factory as _factory
from tensorvar._backend.guard import transfer_guard
from tensorvar._core.array_value import is_tensor
from tensorvar._core.conversion import constant, convert_to_tensor
from tensorvar._core.custom_gradient import custom_gradient
from tensorvar._core.indexed_slices import IndexedSlices
from tensorvar._core.live import trainable_variables
from tensorvar._core.module import Module
from tensorvar._core.name_scope import name_scope
from tensorvar._core.tape import GradientTape, UnconnectedGradients
from tensorvar._core.tensor import Tensor
from tensorvar._core.tensor_spec import TensorSpec
from tensorvar._core.variable import Variable
from tensorvar._core.variable_creators import variable_creator_scope
from tensorvar._core.variable_init import VariableAggregation, VariableSynchronization
from tensorvar._device.defaults import current_device
from tensorvar._device.device_scope import device
from tensorvar._device.scope import propagate
from tensorvar._device.spec import DeviceSpec
from tensorvar._function import gradient_plans as _gradient_plans  # noqa: F401
from tensorvar._function.function import function
from tensorvar._ops.arg_reduction import argmax, argmin
from tensorvar._ops.array_index import newaxis
from tensorvar._ops.array_join import concat, split, stack, unstack
from tensorvar._ops.array_layout import repeat, reverse, roll, tile, transpose
from tensorvar._ops.array_shape import broadcast_to, ensure_shape, expand_dims, reshape, squeeze
from tensorvar._ops.assertions import Assert, assert_equal, assert_greater, assert_less
from tensorvar._ops.bitcast import bitcast
from tensorvar._ops.cast import cast
from tensorvar._ops.clip import clip_by_global_norm, clip_by_norm, clip_by_value
from tensorvar._ops.comparison import equal, greater, greater_equal, less, less_equal, not_equal
from tensorvar._ops.complex_parts import abs, complex
from tensorvar._ops.control_flow import case, cond, switch_case, while_loop
from tensorvar._ops.creation import eye, fill, ones, ones_like, zeros, zeros_like
from tensorvar._ops.cumulative import cumsum
from tensorvar._ops.division import divide, realdiv, truediv, truncatediv, truncatemod
from tensorvar._ops.dynamic_partition import dynamic_partition, dynamic_stitch
from tensorvar._ops.einsum import einsum
from tensorvar._ops.elementwise_binary import (
    add,
    add_n,
    maximum,
    minimum,
    multiply,
    scalar_mul,
    subtract,
)
from tensorvar._ops.elementwise_unary import identity, negative, sign, sqrt, square, stop_gradient
from tensorvar._ops.exponential import exp, sigmoid
from tensorvar._ops.gather import gather
from tensorvar._ops.gather_nd import gather_nd, scatter_nd
from tensorvar._ops.gradient_wrappers import grad_pass_through, recompute_grad
from tensorvar._ops.graph_names import (
    AggregationMethod,
    control_dependencies,
    executing_eagerly,
    get_current_name_scope,
    get_static_value,
    gradients,
    group,
    hessians,
    init_scope,
    inside_function,
    is_symbolic_tensor,
    no_gradient,
    no_op,
    timestamp,
    tuple,
)
from tensorvar._ops.histogram import histogram_fixed_width, histogram_fixed_width_bins
from tensorvar._ops.hyperbolic import acosh, asinh, atanh, cosh, sinh, tanh
from tensorvar._ops.initializers import Constant as constant_initializer
from tensorvar._ops.initializers import Ones as ones_initializer
from tensorvar._ops.initializers import RandomNormal as random_normal_initializer
from tensorvar._ops.initializers import RandomUniform as random_uniform_initializer
from tensorvar._ops.initializers import Zeros as zeros_initializer
from tensorvar._ops.linalg import norm, tensordot
from tensorvar._ops.logical import logical_and, logical_not, logical_or
from tensorvar._ops.mapping import foldl, foldr, map_fn, scan, vectorized_map
from tensorvar._ops.masking import boolean_mask
from tensorvar._ops.matmul import matmul
from tensorvar._ops.meshgrid import guarantee_const, identity_n, meshgrid, parallel_stack
from tensorvar._ops.one_hot import one_hot
from tensorvar._ops.padding import pad
from tensorvar._ops.power import pow
from tensorvar._ops.printed import get_logger, print
from tensorvar._ops.python_functions import numpy_function, py_function
from tensorvar._ops.ranges import linspace, range
from tensorvar._ops.reduction import (
    reduce_all,
    reduce_any,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_sum,
)
from tensorvar._ops.reverse_sequence import reverse_sequence
from tensorvar._ops.rounding import floor, round
from tensorvar._ops.saturate_cast import saturate_cast
from tensorvar._ops.searchsorted import searchsorted
from tensorvar._ops.sequence_mask import sequence_mask
from tensorvar._ops.shape_assertions import assert_rank
from tensorvar._ops.shape_query import (
    broadcast_dynamic_shape,
    broadcast_static_shape,
    rank,
    shape,
    shape_n,
    size,
)
from tensorvar._ops.slicing import slice, strided_slice
from tensorvar._ops.sort import argsort, sort
from tensorvar._ops.space_batch import batch_to_space, space_to_batch
from tensorvar._ops.space_batch import (
    required_space_to_batch_paddings as required_space_to_batch_paddings,
)
from tensorvar._ops.space_batch import space_to_batch as space_to_batch_nd
from tensorvar._ops.statistics import reduce_logsumexp
from tensorvar._ops.tensor_scatter import (
    tensor_scatter_nd_add,
    tensor_scatter_nd_max,
    tensor_scatter_nd_min,
    tensor_scatter_nd_sub,
    tensor_scatter_nd_update,
)
from tensorvar._ops.trigonometric import acos, asin, atan, atan2, cos, sin, tan
from tensorvar._ops.unique import unique, unique_with_counts
from tensorvar._ops.unravel_index import unravel_index
from tensorvar._ops.where import where
from tensorvar._shapes import TensorShape
from tensorvar._version import VERSION as __version__
from tensorvar.dtypes import (
    DType,
    as_dtype,
    bfloat16,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
)
from tensorvar.dtypes import bool_ as bool
from tensorvar.errors import PlacementWarning, TransferWarning

_factory.register()

__all__ = [
    'AggregationMethod', 'Assert', 'DType', 'DeviceSpec', 'GradientTape', 'IndexedSlices',
    'Module', 'PlacementWarning', 'Tensor', 'TensorShape', 'TensorSpec', 'TransferWarning',
    'UnconnectedGradients', 'Variable', 'VariableAggregation', 'VariableSynchronization',
    '__version__', 'abs', 'acos', 'acosh', 'add', 'add_n', 'argmax', 'argmin', 'argsort',
    'as_dtype', 'asin', 'asinh', 'assert_equal', 'assert_greater', 'assert_less', 'assert_rank',
    'atan', 'atan2', 'atanh', 'autodiff', 'batch_to_space', 'bfloat16', 'bitcast', 'bitwise',
    'bool', 'boolean_mask', 'broadcast_dynamic_shape', 'broadcast_static_shape', 'broadcast_to',
    'case', 'cast', 'clip_by_global_norm', 'clip_by_norm', 'clip_by_value', 'complex',
    'complex64', 'complex128', 'concat', 'cond', 'config', 'constant', 'constant_initializer',
    'control_dependencies', 'convert_to_tensor', 'cos', 'cosh', 'cumsum', 'current_device',
    'custom_gradient', 'debugging', 'device', 'divide', 'double', 'dtypes', 'dynamic_partition',
    'dynamic_stitch', 'einsum', 'ensure_shape', 'equal', 'errors', 'executing_eagerly', 'exp',
    'expand_dims', 'experimental', 'eye', 'fill', 'float16', 'float32', 'float64', 'floor',
    'foldl', 'foldr', 'function', 'gather', 'gather_nd', 'get_current_name_scope', 'get_logger',
    'get_static_value', 'grad_pass_through', 'gradients', 'greater', 'greater_equal', 'group',
    'guarantee_const', 'half', 'hessians', 'histogram_fixed_width',
    'histogram_fixed_width_bins', 'identity', 'identity_n', 'init_scope', 'inside_function',
    'int8', 'int16', 'int32', 'int64', 'is_symbolic_tensor', 'is_tensor', 'less', 'less_equal',
    'linalg', 'linspace', 'logical_and', 'logical_not', 'logical_or', 'map_fn', 'math',
    'matmul', 'maximum', 'meshgrid', 'minimum', 'multiply', 'name_scope', 'negative', 'nest',
    'newaxis', 'nn', 'no_gradient', 'no_op', 'norm', 'not_equal', 'numpy_function', 'one_hot',
    'ones', 'ones_initializer', 'ones_like', 'pad', 'parallel_stack', 'pow', 'print',
    'propagate', 'py_function', 'random', 'random_normal_initializer',
    'random_uniform_initializer', 'range', 'rank', 'realdiv', 'recompute_grad', 'reduce_all',
    'reduce_any', 'reduce_logsumexp', 'reduce_max', 'reduce_mean', 'reduce_min', 'reduce_prod',
    'reduce_sum', 'repeat', 'required_space_to_batch_paddings', 'reshape', 'reverse',
    'reverse_sequence', 'roll', 'round', 'saturate_cast', 'scalar_mul', 'scan', 'scatter_nd',
    'searchsorted', 'sequence_mask', 'shape', 'shape_n', 'sigmoid', 'sign', 'signal', 'sin',
    'sinh', 'size', 'slice', 'sort', 'space_to_batch', 'space_to_batch_nd', 'split', 'sqrt',
    'square', 'squeeze', 'stack', 'stop_gradient', 'strided_slice', 'string', 'subtract',
    'switch_case', 'tan', 'tanh', 'tensor_scatter_nd_add', 'tensor_scatter_nd_max',
    'tensor_scatter_nd_min', 'tensor_scatter_nd_sub', 'tensor_scatter_nd_update', 'tensordot',
    'testing', 'tile', 'timestamp', 'trainable_variables', 'transfer_guard', 'transpose',
    'truediv', 'truncatediv', 'truncatemod', 'tuple', 'uint8', 'uint16', 'uint32', 'uint64',
    'unique', 'unique_with_counts', 'unravel_index', 'unstack', 'variable_creator_scope',
    'vectorized_map', 'where', 'while_loop', 'zeros', 'zeros_initializer', 'zeros_like',
]  # fmt: skip

dtypes.PROVIDED.update({'cast': cast, 'complex': complex, 'saturate_cast': saturate_cast})

_left_out.install(__name__, __all__)
