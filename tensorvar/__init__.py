"""TensorFlow-style variables that live on a device of your choice.

    >>> import tensorvar as tv
    >>> w = tv.Variable([[1.0, 2.0]], name='w')
    >>> w.assign_add([[1.0, 1.0]]).numpy().tolist()
    [[2.0, 3.0]]

Importing the package prints nothing and touches no GPU.
"""

from tensorvar import _left_out as _left_out
from tensorvar import _ops as _ops
from tensorvar import autodiff as autodiff
from tensorvar import bitwise as bitwise
from tensorvar import config as config
from tensorvar import debugging as debugging
from tensorvar import dtypes as dtypes
from tensorvar import errors as errors
from tensorvar import experimental as experimental
from tensorvar import linalg as linalg
from tensorvar import math as math
from tensorvar import nest as nest
from tensorvar import nn as nn
from tensorvar import random as random
from tensorvar import signal as signal
from tensorvar import testing as testing
from tensorvar._backend import factory as _factory
from tensorvar._backend.guard import transfer_guard as transfer_guard
from tensorvar._core.array_value import is_tensor as is_tensor
from tensorvar._core.conversion import constant as constant
from tensorvar._core.conversion import convert_to_tensor as convert_to_tensor
from tensorvar._core.custom_gradient import custom_gradient as custom_gradient
from tensorvar._core.indexed_slices import IndexedSlices as IndexedSlices
from tensorvar._core.live import trainable_variables as trainable_variables
from tensorvar._core.module import Module as Module
from tensorvar._core.name_scope import name_scope as name_scope
from tensorvar._core.tape import GradientTape as GradientTape
from tensorvar._core.tape import UnconnectedGradients as UnconnectedGradients
from tensorvar._core.tensor import Tensor as Tensor
from tensorvar._core.tensor_spec import TensorSpec as TensorSpec
from tensorvar._core.variable import Variable as Variable
from tensorvar._core.variable_creators import variable_creator_scope as variable_creator_scope
from tensorvar._core.variable_init import VariableAggregation as VariableAggregation
from tensorvar._core.variable_init import VariableSynchronization as VariableSynchronization
from tensorvar._device.defaults import current_device as current_device
from tensorvar._device.device_scope import device as device
from tensorvar._device.scope import propagate as propagate
from tensorvar._device.spec import DeviceSpec as DeviceSpec
from tensorvar._function import gradient_plans as _gradient_plans  # noqa: F401
from tensorvar._function.function import function as function
from tensorvar._ops.arg_reduction import argmax as argmax
from tensorvar._ops.arg_reduction import argmin as argmin
from tensorvar._ops.array_index import newaxis as newaxis
from tensorvar._ops.array_join import concat as concat
from tensorvar._ops.array_join import split as split
from tensorvar._ops.array_join import stack as stack
from tensorvar._ops.array_join import unstack as unstack
from tensorvar._ops.array_layout import repeat as repeat
from tensorvar._ops.array_layout import reverse as reverse
from tensorvar._ops.array_layout import roll as roll
from tensorvar._ops.array_layout import tile as tile
from tensorvar._ops.array_layout import transpose as transpose
from tensorvar._ops.array_shape import broadcast_to as broadcast_to
from tensorvar._ops.array_shape import ensure_shape as ensure_shape
from tensorvar._ops.array_shape import expand_dims as expand_dims
from tensorvar._ops.array_shape import reshape as reshape
from tensorvar._ops.array_shape import squeeze as squeeze
from tensorvar._ops.assertions import Assert as Assert
from tensorvar._ops.assertions import assert_equal as assert_equal
from tensorvar._ops.assertions import assert_greater as assert_greater
from tensorvar._ops.assertions import assert_less as assert_less
from tensorvar._ops.bitcast import bitcast as bitcast
from tensorvar._ops.cast import cast as cast
from tensorvar._ops.clip import clip_by_global_norm as clip_by_global_norm
from tensorvar._ops.clip import clip_by_norm as clip_by_norm
from tensorvar._ops.clip import clip_by_value as clip_by_value
from tensorvar._ops.comparison import equal as equal
from tensorvar._ops.comparison import greater as greater
from tensorvar._ops.comparison import greater_equal as greater_equal
from tensorvar._ops.comparison import less as less
from tensorvar._ops.comparison import less_equal as less_equal
from tensorvar._ops.comparison import not_equal as not_equal
from tensorvar._ops.complex_parts import abs as abs
from tensorvar._ops.complex_parts import complex as complex
from tensorvar._ops.control_flow import case as case
from tensorvar._ops.control_flow import cond as cond
from tensorvar._ops.control_flow import switch_case as switch_case
from tensorvar._ops.control_flow import while_loop as while_loop
from tensorvar._ops.creation import eye as eye
from tensorvar._ops.creation import fill as fill
from tensorvar._ops.creation import ones as ones
from tensorvar._ops.creation import ones_like as ones_like
from tensorvar._ops.creation import zeros as zeros
from tensorvar._ops.creation import zeros_like as zeros_like
from tensorvar._ops.cumulative import cumsum as cumsum
from tensorvar._ops.division import divide as divide
from tensorvar._ops.division import realdiv as realdiv
from tensorvar._ops.division import truediv as truediv
from tensorvar._ops.division import truncatediv as truncatediv
from tensorvar._ops.division import truncatemod as truncatemod
from tensorvar._ops.dynamic_partition import dynamic_partition as dynamic_partition
from tensorvar._ops.dynamic_partition import dynamic_stitch as dynamic_stitch
from tensorvar._ops.einsum import einsum as einsum
from tensorvar._ops.elementwise_binary import add as add
from tensorvar._ops.elementwise_binary import add_n as add_n
from tensorvar._ops.elementwise_binary import maximum as maximum
from tensorvar._ops.elementwise_binary import minimum as minimum
from tensorvar._ops.elementwise_binary import multiply as multiply
from tensorvar._ops.elementwise_binary import scalar_mul as scalar_mul
from tensorvar._ops.elementwise_binary import subtract as subtract
from tensorvar._ops.elementwise_unary import identity as identity
from tensorvar._ops.elementwise_unary import negative as negative
from tensorvar._ops.elementwise_unary import sign as sign
from tensorvar._ops.elementwise_unary import sqrt as sqrt
from tensorvar._ops.elementwise_unary import square as square
from tensorvar._ops.elementwise_unary import stop_gradient as stop_gradient
from tensorvar._ops.exponential import exp as exp
from tensorvar._ops.exponential import sigmoid as sigmoid
from tensorvar._ops.gather import gather as gather
from tensorvar._ops.gather_nd import gather_nd as gather_nd
from tensorvar._ops.gather_nd import scatter_nd as scatter_nd
from tensorvar._ops.gradient_wrappers import grad_pass_through as grad_pass_through
from tensorvar._ops.gradient_wrappers import recompute_grad as recompute_grad
from tensorvar._ops.graph_names import AggregationMethod as AggregationMethod
from tensorvar._ops.graph_names import control_dependencies as control_dependencies
from tensorvar._ops.graph_names import executing_eagerly as executing_eagerly
from tensorvar._ops.graph_names import get_current_name_scope as get_current_name_scope
from tensorvar._ops.graph_names import get_static_value as get_static_value
from tensorvar._ops.graph_names import gradients as gradients
from tensorvar._ops.graph_names import group as group
from tensorvar._ops.graph_names import hessians as hessians
from tensorvar._ops.graph_names import init_scope as init_scope
from tensorvar._ops.graph_names import inside_function as inside_function
from tensorvar._ops.graph_names import is_symbolic_tensor as is_symbolic_tensor
from tensorvar._ops.graph_names import no_gradient as no_gradient
from tensorvar._ops.graph_names import no_op as no_op
from tensorvar._ops.graph_names import timestamp as timestamp
from tensorvar._ops.graph_names import tuple as tuple
from tensorvar._ops.histogram import histogram_fixed_width as histogram_fixed_width
from tensorvar._ops.histogram import histogram_fixed_width_bins as histogram_fixed_width_bins
from tensorvar._ops.hyperbolic import acosh as acosh
from tensorvar._ops.hyperbolic import asinh as asinh
from tensorvar._ops.hyperbolic import atanh as atanh
from tensorvar._ops.hyperbolic import cosh as cosh
from tensorvar._ops.hyperbolic import sinh as sinh
from tensorvar._ops.hyperbolic import tanh as tanh
from tensorvar._ops.initializers import Constant as constant_initializer
from tensorvar._ops.initializers import Ones as ones_initializer
from tensorvar._ops.initializers import RandomNormal as random_normal_initializer
from tensorvar._ops.initializers import RandomUniform as random_uniform_initializer
from tensorvar._ops.initializers import Zeros as zeros_initializer
from tensorvar._ops.linalg import norm as norm
from tensorvar._ops.linalg import tensordot as tensordot
from tensorvar._ops.logical import logical_and as logical_and
from tensorvar._ops.logical import logical_not as logical_not
from tensorvar._ops.logical import logical_or as logical_or
from tensorvar._ops.mapping import foldl as foldl
from tensorvar._ops.mapping import foldr as foldr
from tensorvar._ops.mapping import map_fn as map_fn
from tensorvar._ops.mapping import scan as scan
from tensorvar._ops.mapping import vectorized_map as vectorized_map
from tensorvar._ops.masking import boolean_mask as boolean_mask
from tensorvar._ops.matmul import matmul as matmul
from tensorvar._ops.meshgrid import guarantee_const as guarantee_const
from tensorvar._ops.meshgrid import identity_n as identity_n
from tensorvar._ops.meshgrid import meshgrid as meshgrid
from tensorvar._ops.meshgrid import parallel_stack as parallel_stack
from tensorvar._ops.one_hot import one_hot as one_hot
from tensorvar._ops.padding import pad as pad
from tensorvar._ops.power import pow as pow
from tensorvar._ops.printed import get_logger as get_logger
from tensorvar._ops.printed import print as print
from tensorvar._ops.python_functions import numpy_function as numpy_function
from tensorvar._ops.python_functions import py_function as py_function
from tensorvar._ops.ranges import linspace as linspace
from tensorvar._ops.ranges import range as range
from tensorvar._ops.reduction import reduce_all as reduce_all
from tensorvar._ops.reduction import reduce_any as reduce_any
from tensorvar._ops.reduction import reduce_max as reduce_max
from tensorvar._ops.reduction import reduce_mean as reduce_mean
from tensorvar._ops.reduction import reduce_min as reduce_min
from tensorvar._ops.reduction import reduce_prod as reduce_prod
from tensorvar._ops.reduction import reduce_sum as reduce_sum
from tensorvar._ops.reverse_sequence import reverse_sequence as reverse_sequence
from tensorvar._ops.rounding import floor as floor
from tensorvar._ops.rounding import round as round
from tensorvar._ops.saturate_cast import saturate_cast as saturate_cast
from tensorvar._ops.searchsorted import searchsorted as searchsorted
from tensorvar._ops.sequence_mask import sequence_mask as sequence_mask
from tensorvar._ops.shape_assertions import assert_rank as assert_rank
from tensorvar._ops.shape_query import broadcast_dynamic_shape as broadcast_dynamic_shape
from tensorvar._ops.shape_query import broadcast_static_shape as broadcast_static_shape
from tensorvar._ops.shape_query import rank as rank
from tensorvar._ops.shape_query import shape as shape
from tensorvar._ops.shape_query import shape_n as shape_n
from tensorvar._ops.shape_query import size as size
from tensorvar._ops.slicing import slice as slice
from tensorvar._ops.slicing import strided_slice as strided_slice
from tensorvar._ops.sort import argsort as argsort
from tensorvar._ops.sort import sort as sort
from tensorvar._ops.space_batch import batch_to_space as batch_to_space
from tensorvar._ops.space_batch import (
    required_space_to_batch_paddings as required_space_to_batch_paddings,
)
from tensorvar._ops.space_batch import space_to_batch as space_to_batch
from tensorvar._ops.space_batch import space_to_batch as space_to_batch_nd
from tensorvar._ops.statistics import reduce_logsumexp as reduce_logsumexp
from tensorvar._ops.tensor_scatter import tensor_scatter_nd_add as tensor_scatter_nd_add
from tensorvar._ops.tensor_scatter import tensor_scatter_nd_max as tensor_scatter_nd_max
from tensorvar._ops.tensor_scatter import tensor_scatter_nd_min as tensor_scatter_nd_min
from tensorvar._ops.tensor_scatter import tensor_scatter_nd_sub as tensor_scatter_nd_sub
from tensorvar._ops.tensor_scatter import tensor_scatter_nd_update as tensor_scatter_nd_update
from tensorvar._ops.trigonometric import acos as acos
from tensorvar._ops.trigonometric import asin as asin
from tensorvar._ops.trigonometric import atan as atan
from tensorvar._ops.trigonometric import atan2 as atan2
from tensorvar._ops.trigonometric import cos as cos
from tensorvar._ops.trigonometric import sin as sin
from tensorvar._ops.trigonometric import tan as tan
from tensorvar._ops.unique import unique as unique
from tensorvar._ops.unique import unique_with_counts as unique_with_counts
from tensorvar._ops.unravel_index import unravel_index as unravel_index
from tensorvar._ops.where import where as where
from tensorvar._shapes import TensorShape as TensorShape
from tensorvar._version import VERSION as __version__
from tensorvar.dtypes import DType as DType
from tensorvar.dtypes import as_dtype as as_dtype
from tensorvar.dtypes import bfloat16 as bfloat16
from tensorvar.dtypes import bool_ as bool
from tensorvar.dtypes import complex64 as complex64
from tensorvar.dtypes import complex128 as complex128
from tensorvar.dtypes import double as double
from tensorvar.dtypes import float16 as float16
from tensorvar.dtypes import float32 as float32
from tensorvar.dtypes import float64 as float64
from tensorvar.dtypes import half as half
from tensorvar.dtypes import int8 as int8
from tensorvar.dtypes import int16 as int16
from tensorvar.dtypes import int32 as int32
from tensorvar.dtypes import int64 as int64
from tensorvar.dtypes import string as string
from tensorvar.dtypes import uint8 as uint8
from tensorvar.dtypes import uint16 as uint16
from tensorvar.dtypes import uint32 as uint32
from tensorvar.dtypes import uint64 as uint64
from tensorvar.errors import PlacementWarning as PlacementWarning
from tensorvar.errors import TransferWarning as TransferWarning

_factory.register()

__all__ = [
    'AggregationMethod',
    'Assert',
    'DType',
    'DeviceSpec',
    'GradientTape',
    'IndexedSlices',
    'Module',
    'PlacementWarning',
    'Tensor',
    'TensorShape',
    'TensorSpec',
    'TransferWarning',
    'UnconnectedGradients',
    'Variable',
    'VariableAggregation',
    'VariableSynchronization',
    '__version__',
    'abs',
    'acos',
    'acosh',
    'add',
    'add_n',
    'argmax',
    'argmin',
    'argsort',
    'as_dtype',
    'asin',
    'asinh',
    'assert_equal',
    'assert_greater',
    'assert_less',
    'assert_rank',
    'atan',
    'atan2',
    'atanh',
    'autodiff',
    'batch_to_space',
    'bfloat16',
    'bitcast',
    'bitwise',
    'bool',
    'boolean_mask',
    'broadcast_dynamic_shape',
    'broadcast_static_shape',
    'broadcast_to',
    'case',
    'cast',
    'clip_by_global_norm',
    'clip_by_norm',
    'clip_by_value',
    'complex',
    'complex64',
    'complex128',
    'concat',
    'cond',
    'config',
    'constant',
    'constant_initializer',
    'control_dependencies',
    'convert_to_tensor',
    'cos',
    'cosh',
    'cumsum',
    'current_device',
    'custom_gradient',
    'debugging',
    'device',
    'divide',
    'double',
    'dtypes',
    'dynamic_partition',
    'dynamic_stitch',
    'einsum',
    'ensure_shape',
    'equal',
    'errors',
    'executing_eagerly',
    'exp',
    'expand_dims',
    'experimental',
    'eye',
    'fill',
    'float16',
    'float32',
    'float64',
    'floor',
    'foldl',
    'foldr',
    'function',
    'gather',
    'gather_nd',
    'get_current_name_scope',
    'get_logger',
    'get_static_value',
    'grad_pass_through',
    'gradients',
    'greater',
    'greater_equal',
    'group',
    'guarantee_const',
    'half',
    'hessians',
    'histogram_fixed_width',
    'histogram_fixed_width_bins',
    'identity',
    'identity_n',
    'init_scope',
    'inside_function',
    'int8',
    'int16',
    'int32',
    'int64',
    'is_symbolic_tensor',
    'is_tensor',
    'less',
    'less_equal',
    'linalg',
    'linspace',
    'logical_and',
    'logical_not',
    'logical_or',
    'map_fn',
    'math',
    'matmul',
    'maximum',
    'meshgrid',
    'minimum',
    'multiply',
    'name_scope',
    'negative',
    'nest',
    'newaxis',
    'nn',
    'no_gradient',
    'no_op',
    'norm',
    'not_equal',
    'numpy_function',
    'one_hot',
    'ones',
    'ones_initializer',
    'ones_like',
    'pad',
    'parallel_stack',
    'pow',
    'print',
    'propagate',
    'py_function',
    'random',
    'random_normal_initializer',
    'random_uniform_initializer',
    'range',
    'rank',
    'realdiv',
    'recompute_grad',
    'reduce_all',
    'reduce_any',
    'reduce_logsumexp',
    'reduce_max',
    'reduce_mean',
    'reduce_min',
    'reduce_prod',
    'reduce_sum',
    'repeat',
    'required_space_to_batch_paddings',
    'reshape',
    'reverse',
    'reverse_sequence',
    'roll',
    'round',
    'saturate_cast',
    'scalar_mul',
    'scan',
    'scatter_nd',
    'searchsorted',
    'sequence_mask',
    'shape',
    'shape_n',
    'sigmoid',
    'sign',
    'signal',
    'sin',
    'sinh',
    'size',
    'slice',
    'sort',
    'space_to_batch',
    'space_to_batch_nd',
    'split',
    'sqrt',
    'square',
    'squeeze',
    'stack',
    'stop_gradient',
    'strided_slice',
    'string',
    'subtract',
    'switch_case',
    'tan',
    'tanh',
    'tensor_scatter_nd_add',
    'tensor_scatter_nd_max',
    'tensor_scatter_nd_min',
    'tensor_scatter_nd_sub',
    'tensor_scatter_nd_update',
    'tensordot',
    'testing',
    'tile',
    'timestamp',
    'trainable_variables',
    'transfer_guard',
    'transpose',
    'truediv',
    'truncatediv',
    'truncatemod',
    'tuple',
    'uint8',
    'uint16',
    'uint32',
    'uint64',
    'unique',
    'unique_with_counts',
    'unravel_index',
    'unstack',
    'variable_creator_scope',
    'vectorized_map',
    'where',
    'while_loop',
    'zeros',
    'zeros_initializer',
    'zeros_like',
]

dtypes.PROVIDED.update({'cast': cast, 'complex': complex, 'saturate_cast': saturate_cast})

_left_out.install(__name__, __all__)
