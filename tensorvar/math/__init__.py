"""Elementwise maths, comparisons, reductions and segment sums."""

from tensorvar import _left_out
from tensorvar._ops.arg_reduction import argmax, argmin
from tensorvar._ops.beta_functions import betainc, lbeta, nextafter, zeta
from tensorvar._ops.bincount import bincount, confusion_matrix
from tensorvar._ops.comparison import (
    equal,
    greater,
    greater_equal,
    is_finite,
    is_inf,
    is_nan,
    less,
    less_equal,
    not_equal,
)
from tensorvar._ops.complex_parts import abs, angle, conj, imag, real
from tensorvar._ops.composites import (
    accumulate_n,
    is_non_decreasing,
    is_strictly_increasing,
    polyval,
    reciprocal_no_nan,
)
from tensorvar._ops.cumulative import cumprod, cumsum
from tensorvar._ops.cumulative_logsumexp import cumulative_logsumexp
from tensorvar._ops.division import (
    divide,
    divide_no_nan,
    floordiv,
    floormod,
    truediv,
    truncatediv,
    truncatemod,
    xdivy,
)
from tensorvar._ops.division import floormod as mod
from tensorvar._ops.elementwise_binary import (
    add,
    add_n,
    maximum,
    minimum,
    multiply,
    multiply_no_nan,
    scalar_mul,
    squared_difference,
    subtract,
)
from tensorvar._ops.elementwise_unary import negative, reciprocal, rsqrt, sign, sqrt, square
from tensorvar._ops.exponential import exp, expm1, log, log1p, sigmoid
from tensorvar._ops.hyperbolic import acosh, asinh, atanh, cosh, sinh, tanh
from tensorvar._ops.incomplete_gamma import igamma, igammac
from tensorvar._ops.logical import logical_and, logical_not, logical_or, logical_xor
from tensorvar._ops.modified_bessel import bessel_i0, bessel_i0e, bessel_i1, bessel_i1e
from tensorvar._ops.normalization import l2_normalize
from tensorvar._ops.permutation_inverse import invert_permutation
from tensorvar._ops.power import pow, xlog1py, xlogy
from tensorvar._ops.reduction import (
    reduce_all,
    reduce_any,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_sum,
)
from tensorvar._ops.rounding import ceil, floor, rint, round
from tensorvar._ops.segment import unsorted_segment_sum
from tensorvar._ops.segment_reduction import (
    segment_max,
    segment_mean,
    segment_min,
    segment_prod,
    segment_sum,
)
from tensorvar._ops.smooth_activation import log_sigmoid, softplus, softsign
from tensorvar._ops.softmax import log_softmax, softmax
from tensorvar._ops.sparsity import zero_fraction
from tensorvar._ops.special_functions import (
    digamma,
    erf,
    erfc,
    erfcinv,
    erfinv,
    lgamma,
    ndtri,
    polygamma,
)
from tensorvar._ops.statistics import (
    count_nonzero,
    reduce_euclidean_norm,
    reduce_logsumexp,
    reduce_std,
    reduce_variance,
)
from tensorvar._ops.top_k import in_top_k, top_k
from tensorvar._ops.trigonometric import acos, asin, atan, atan2, cos, sin, tan
from tensorvar._ops.unsorted_segment import (
    unsorted_segment_max,
    unsorted_segment_mean,
    unsorted_segment_min,
    unsorted_segment_prod,
    unsorted_segment_sqrt_n,
)
from tensorvar.math import special

__all__ = [
    'abs', 'accumulate_n', 'acos', 'acosh', 'add', 'add_n', 'angle', 'argmax', 'argmin', 'asin',
    'asinh', 'atan', 'atan2', 'atanh', 'bessel_i0', 'bessel_i0e', 'bessel_i1', 'bessel_i1e',
    'betainc', 'bincount', 'ceil', 'confusion_matrix', 'conj', 'cos', 'cosh', 'count_nonzero',
    'cumprod', 'cumsum', 'cumulative_logsumexp', 'digamma', 'divide', 'divide_no_nan', 'equal',
    'erf', 'erfc', 'erfcinv', 'erfinv', 'exp', 'expm1', 'floor', 'floordiv', 'floormod',
    'greater', 'greater_equal', 'igamma', 'igammac', 'imag', 'in_top_k', 'invert_permutation',
    'is_finite', 'is_inf', 'is_nan', 'is_non_decreasing', 'is_strictly_increasing',
    'l2_normalize', 'lbeta', 'less', 'less_equal', 'lgamma', 'log', 'log1p', 'log_sigmoid',
    'log_softmax', 'logical_and', 'logical_not', 'logical_or', 'logical_xor', 'maximum',
    'minimum', 'mod', 'multiply', 'multiply_no_nan', 'ndtri', 'negative', 'nextafter',
    'not_equal', 'polygamma', 'polyval', 'pow', 'real', 'reciprocal', 'reciprocal_no_nan',
    'reduce_all', 'reduce_any', 'reduce_euclidean_norm', 'reduce_logsumexp', 'reduce_max',
    'reduce_mean', 'reduce_min', 'reduce_prod', 'reduce_std', 'reduce_sum', 'reduce_variance',
    'rint', 'round', 'rsqrt', 'scalar_mul', 'segment_max', 'segment_mean', 'segment_min',
    'segment_prod', 'segment_sum', 'sigmoid', 'sign', 'sin', 'sinh', 'softmax', 'softplus',
    'softsign', 'special', 'sqrt', 'square', 'squared_difference', 'subtract', 'tan', 'tanh',
    'top_k', 'truediv', 'truncatediv', 'truncatemod', 'unsorted_segment_max',
    'unsorted_segment_mean', 'unsorted_segment_min', 'unsorted_segment_prod',
    'unsorted_segment_sqrt_n', 'unsorted_segment_sum', 'xdivy', 'xlog1py', 'xlogy',
    'zero_fraction', 'zeta',
]  # fmt: skip

_left_out.install(__name__, __all__)
