"""Elementwise maths, comparisons, reductions and segment sums."""

from tensorvar import _left_out
from tensorvar._ops.arg_reduction import argmax as argmax
from tensorvar._ops.arg_reduction import argmin as argmin
from tensorvar._ops.beta_functions import betainc as betainc
from tensorvar._ops.beta_functions import lbeta as lbeta
from tensorvar._ops.beta_functions import nextafter as nextafter
from tensorvar._ops.beta_functions import zeta as zeta
from tensorvar._ops.bincount import bincount as bincount
from tensorvar._ops.bincount import confusion_matrix as confusion_matrix
from tensorvar._ops.comparison import equal as equal
from tensorvar._ops.comparison import greater as greater
from tensorvar._ops.comparison import greater_equal as greater_equal
from tensorvar._ops.comparison import is_finite as is_finite
from tensorvar._ops.comparison import is_inf as is_inf
from tensorvar._ops.comparison import is_nan as is_nan
from tensorvar._ops.comparison import less as less
from tensorvar._ops.comparison import less_equal as less_equal
from tensorvar._ops.comparison import not_equal as not_equal
from tensorvar._ops.complex_parts import abs as abs
from tensorvar._ops.complex_parts import angle as angle
from tensorvar._ops.complex_parts import conj as conj
from tensorvar._ops.complex_parts import imag as imag
from tensorvar._ops.complex_parts import real as real
from tensorvar._ops.composites import accumulate_n as accumulate_n
from tensorvar._ops.composites import is_non_decreasing as is_non_decreasing
from tensorvar._ops.composites import is_strictly_increasing as is_strictly_increasing
from tensorvar._ops.composites import polyval as polyval
from tensorvar._ops.composites import reciprocal_no_nan as reciprocal_no_nan
from tensorvar._ops.cumulative import cumprod as cumprod
from tensorvar._ops.cumulative import cumsum as cumsum
from tensorvar._ops.cumulative_logsumexp import cumulative_logsumexp as cumulative_logsumexp
from tensorvar._ops.division import divide as divide
from tensorvar._ops.division import divide_no_nan as divide_no_nan
from tensorvar._ops.division import floordiv as floordiv
from tensorvar._ops.division import floormod as floormod
from tensorvar._ops.division import floormod as mod
from tensorvar._ops.division import truediv as truediv
from tensorvar._ops.division import truncatediv as truncatediv
from tensorvar._ops.division import truncatemod as truncatemod
from tensorvar._ops.division import xdivy as xdivy
from tensorvar._ops.elementwise_binary import add as add
from tensorvar._ops.elementwise_binary import add_n as add_n
from tensorvar._ops.elementwise_binary import maximum as maximum
from tensorvar._ops.elementwise_binary import minimum as minimum
from tensorvar._ops.elementwise_binary import multiply as multiply
from tensorvar._ops.elementwise_binary import multiply_no_nan as multiply_no_nan
from tensorvar._ops.elementwise_binary import scalar_mul as scalar_mul
from tensorvar._ops.elementwise_binary import squared_difference as squared_difference
from tensorvar._ops.elementwise_binary import subtract as subtract
from tensorvar._ops.elementwise_unary import negative as negative
from tensorvar._ops.elementwise_unary import reciprocal as reciprocal
from tensorvar._ops.elementwise_unary import rsqrt as rsqrt
from tensorvar._ops.elementwise_unary import sign as sign
from tensorvar._ops.elementwise_unary import sqrt as sqrt
from tensorvar._ops.elementwise_unary import square as square
from tensorvar._ops.exponential import exp as exp
from tensorvar._ops.exponential import expm1 as expm1
from tensorvar._ops.exponential import log as log
from tensorvar._ops.exponential import log1p as log1p
from tensorvar._ops.exponential import sigmoid as sigmoid
from tensorvar._ops.hyperbolic import acosh as acosh
from tensorvar._ops.hyperbolic import asinh as asinh
from tensorvar._ops.hyperbolic import atanh as atanh
from tensorvar._ops.hyperbolic import cosh as cosh
from tensorvar._ops.hyperbolic import sinh as sinh
from tensorvar._ops.hyperbolic import tanh as tanh
from tensorvar._ops.incomplete_gamma import igamma as igamma
from tensorvar._ops.incomplete_gamma import igammac as igammac
from tensorvar._ops.logical import logical_and as logical_and
from tensorvar._ops.logical import logical_not as logical_not
from tensorvar._ops.logical import logical_or as logical_or
from tensorvar._ops.logical import logical_xor as logical_xor
from tensorvar._ops.modified_bessel import bessel_i0 as bessel_i0
from tensorvar._ops.modified_bessel import bessel_i0e as bessel_i0e
from tensorvar._ops.modified_bessel import bessel_i1 as bessel_i1
from tensorvar._ops.modified_bessel import bessel_i1e as bessel_i1e
from tensorvar._ops.normalization import l2_normalize as l2_normalize
from tensorvar._ops.permutation_inverse import invert_permutation as invert_permutation
from tensorvar._ops.power import pow as pow
from tensorvar._ops.power import xlog1py as xlog1py
from tensorvar._ops.power import xlogy as xlogy
from tensorvar._ops.reduction import reduce_all as reduce_all
from tensorvar._ops.reduction import reduce_any as reduce_any
from tensorvar._ops.reduction import reduce_max as reduce_max
from tensorvar._ops.reduction import reduce_mean as reduce_mean
from tensorvar._ops.reduction import reduce_min as reduce_min
from tensorvar._ops.reduction import reduce_prod as reduce_prod
from tensorvar._ops.reduction import reduce_sum as reduce_sum
from tensorvar._ops.rounding import ceil as ceil
from tensorvar._ops.rounding import floor as floor
from tensorvar._ops.rounding import rint as rint
from tensorvar._ops.rounding import round as round
from tensorvar._ops.segment import unsorted_segment_sum as unsorted_segment_sum
from tensorvar._ops.segment_reduction import segment_max as segment_max
from tensorvar._ops.segment_reduction import segment_mean as segment_mean
from tensorvar._ops.segment_reduction import segment_min as segment_min
from tensorvar._ops.segment_reduction import segment_prod as segment_prod
from tensorvar._ops.segment_reduction import segment_sum as segment_sum
from tensorvar._ops.smooth_activation import log_sigmoid as log_sigmoid
from tensorvar._ops.smooth_activation import softplus as softplus
from tensorvar._ops.smooth_activation import softsign as softsign
from tensorvar._ops.softmax import log_softmax as log_softmax
from tensorvar._ops.softmax import softmax as softmax
from tensorvar._ops.sparsity import zero_fraction as zero_fraction
from tensorvar._ops.special_functions import digamma as digamma
from tensorvar._ops.special_functions import erf as erf
from tensorvar._ops.special_functions import erfc as erfc
from tensorvar._ops.special_functions import erfcinv as erfcinv
from tensorvar._ops.special_functions import erfinv as erfinv
from tensorvar._ops.special_functions import lgamma as lgamma
from tensorvar._ops.special_functions import ndtri as ndtri
from tensorvar._ops.special_functions import polygamma as polygamma
from tensorvar._ops.statistics import count_nonzero as count_nonzero
from tensorvar._ops.statistics import reduce_euclidean_norm as reduce_euclidean_norm
from tensorvar._ops.statistics import reduce_logsumexp as reduce_logsumexp
from tensorvar._ops.statistics import reduce_std as reduce_std
from tensorvar._ops.statistics import reduce_variance as reduce_variance
from tensorvar._ops.top_k import in_top_k as in_top_k
from tensorvar._ops.top_k import top_k as top_k
from tensorvar._ops.trigonometric import acos as acos
from tensorvar._ops.trigonometric import asin as asin
from tensorvar._ops.trigonometric import atan as atan
from tensorvar._ops.trigonometric import atan2 as atan2
from tensorvar._ops.trigonometric import cos as cos
from tensorvar._ops.trigonometric import sin as sin
from tensorvar._ops.trigonometric import tan as tan
from tensorvar._ops.unsorted_segment import unsorted_segment_max as unsorted_segment_max
from tensorvar._ops.unsorted_segment import unsorted_segment_mean as unsorted_segment_mean
from tensorvar._ops.unsorted_segment import unsorted_segment_min as unsorted_segment_min
from tensorvar._ops.unsorted_segment import unsorted_segment_prod as unsorted_segment_prod
from tensorvar._ops.unsorted_segment import unsorted_segment_sqrt_n as unsorted_segment_sqrt_n
from tensorvar.math import special as special

__all__ = [
    'abs',
    'accumulate_n',
    'acos',
    'acosh',
    'add',
    'add_n',
    'angle',
    'argmax',
    'argmin',
    'asin',
    'asinh',
    'atan',
    'atan2',
    'atanh',
    'bessel_i0',
    'bessel_i0e',
    'bessel_i1',
    'bessel_i1e',
    'betainc',
    'bincount',
    'ceil',
    'confusion_matrix',
    'conj',
    'cos',
    'cosh',
    'count_nonzero',
    'cumprod',
    'cumsum',
    'cumulative_logsumexp',
    'digamma',
    'divide',
    'divide_no_nan',
    'equal',
    'erf',
    'erfc',
    'erfcinv',
    'erfinv',
    'exp',
    'expm1',
    'floor',
    'floordiv',
    'floormod',
    'greater',
    'greater_equal',
    'igamma',
    'igammac',
    'imag',
    'in_top_k',
    'invert_permutation',
    'is_finite',
    'is_inf',
    'is_nan',
    'is_non_decreasing',
    'is_strictly_increasing',
    'l2_normalize',
    'lbeta',
    'less',
    'less_equal',
    'lgamma',
    'log',
    'log1p',
    'log_sigmoid',
    'log_softmax',
    'logical_and',
    'logical_not',
    'logical_or',
    'logical_xor',
    'maximum',
    'minimum',
    'mod',
    'multiply',
    'multiply_no_nan',
    'ndtri',
    'negative',
    'nextafter',
    'not_equal',
    'polygamma',
    'polyval',
    'pow',
    'real',
    'reciprocal',
    'reciprocal_no_nan',
    'reduce_all',
    'reduce_any',
    'reduce_euclidean_norm',
    'reduce_logsumexp',
    'reduce_max',
    'reduce_mean',
    'reduce_min',
    'reduce_prod',
    'reduce_std',
    'reduce_sum',
    'reduce_variance',
    'rint',
    'round',
    'rsqrt',
    'scalar_mul',
    'segment_max',
    'segment_mean',
    'segment_min',
    'segment_prod',
    'segment_sum',
    'sigmoid',
    'sign',
    'sin',
    'sinh',
    'softmax',
    'softplus',
    'softsign',
    'special',
    'sqrt',
    'square',
    'squared_difference',
    'subtract',
    'tan',
    'tanh',
    'top_k',
    'truediv',
    'truncatediv',
    'truncatemod',
    'unsorted_segment_max',
    'unsorted_segment_mean',
    'unsorted_segment_min',
    'unsorted_segment_prod',
    'unsorted_segment_sqrt_n',
    'unsorted_segment_sum',
    'xdivy',
    'xlog1py',
    'xlogy',
    'zero_fraction',
    'zeta',
]

_left_out.install(__name__, __all__)
