"""Elementwise ops of one, two or three operands."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import (
    ANY,
    COMPLEX,
    FLOATS,
    INDEX,
    INEXACT,
    INTEGERS,
    NUMERIC,
    REAL,
    REALS,
    SIGNED,
    Draw,
)
from benchmarks.agreement.table.row import Arguments, Row, Strategy, rows

NARROW = ('float16', *REALS)
SIGNED_NUMERIC = (*INEXACT, *SIGNED)


def unary(domain: str = 'any') -> Strategy:
    """One tensor of any shape; half of the full-range draws have infinities and nan."""

    def strategy(draw: Draw, dtype: str) -> Arguments:
        shape = draw.shape()
        if domain == 'any' and dtype in FLOATS and not draw.plain and draw.chance(0.4):
            return [draw.special(dtype, shape)], {}
        if not draw.plain and draw.chance(0.1) and dtype not in COMPLEX:
            return [draw.host(dtype, shape, domain)], {}
        return [draw.tensor(dtype, shape, domain)], {'name': 'n'} if draw.chance(0.1) else {}

    return strategy


def binary(first: str = 'any', second: str = 'any') -> Strategy:
    """Two operands that broadcast; now and then one of them is host data."""

    def strategy(draw: Draw, dtype: str) -> Arguments:
        shape = draw.shape()
        other = draw.shape_like(shape)
        x = draw.tensor(dtype, shape, first)
        y = draw.tensor(dtype, other, second)
        if not draw.plain and draw.chance(0.15):
            y = draw.value(dtype, second) if dtype not in COMPLEX else ['complex', 1.5, 0.5]
        elif not draw.plain and draw.chance(0.15):
            y = draw.host(dtype, other, second)
        elif not draw.plain and draw.chance(0.1):
            x, y = y, x
        return [x, y], {}

    return strategy


def shifts(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    amounts = [draw.integer(0, 6) for _ in draw.values('bool', shape)]
    return [draw.tensor(dtype, shape), syntax.tensor(dtype, shape, amounts)], {}


def scalar_mul(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, []), draw.tensor(dtype, draw.shape())], {}


def several(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    # TensorFlow adds no bools and no strings, but gives a single one back.
    count = draw.integer(1, 4) if dtype in NUMERIC else 1
    return [syntax.listed(*(draw.tensor(dtype, shape) for _ in range(count)))], {}


def clipped(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    high = 1.5 if dtype in INEXACT else 3
    low = draw.tensor(dtype, draw.choose([[], shape])) if draw.chance(0.5) else 0
    if isinstance(low, list):
        return [draw.tensor(dtype, shape), low, draw.tensor(dtype, [], 'positive')], {}
    return [draw.tensor(dtype, shape), low, high], {}


def select(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    first, second = draw.shape_like(shape), draw.shape_like(shape)
    condition = draw.tensor('bool', draw.choose([shape, shape, []]))
    if draw.plain:
        first, second = shape, shape
    return [condition, draw.tensor(dtype, first), draw.tensor(dtype, second)], {}


def polynomial(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    count = draw.integer(0 if not draw.plain else 2, 4)
    return [syntax.listed(*(draw.tensor(dtype, []) for _ in range(count))),
            draw.tensor(dtype, shape)], {}  # fmt: skip


def cast(draw: Draw, dtype: str) -> Arguments:
    target = draw.choose(NUMERIC + ('bool',))
    return [draw.tensor(dtype, draw.shape(), 'positive'), syntax.dtype(target)], {}


def saturated(draw: Draw, dtype: str) -> Arguments:
    # TensorFlow's CPU clips no uint32 and no uint64.
    target = draw.choose(('int8', 'int16', 'uint8', 'int32', 'float16', 'float32', 'float64'))
    return [draw.tensor(dtype, draw.shape(), 'positive'), syntax.dtype(target)], {}


def bitcast(draw: Draw, dtype: str) -> Arguments:
    pairs = {
        'float32': ['int32', 'uint32', 'uint8', 'int16'],
        'float64': ['int64', 'uint8', 'float32', 'complex64'],
        'float16': ['int16', 'bfloat16', 'int8'],
        'bfloat16': ['int16', 'float16'],
        'complex64': ['int64', 'float32'],
        'complex128': ['float64', 'float32'],
    }
    width = ''.join(digit for digit in dtype if digit.isdigit()) or '8'
    target = draw.choose(pairs.get(dtype, [f'int{width}', f'uint{width}', 'uint8']))
    return [draw.tensor(dtype, draw.shape()), syntax.dtype(target)], {}


def complex_of(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    return [draw.tensor(dtype, shape), draw.tensor(dtype, draw.shape_like(shape))], {}


def polygamma(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    orders = [float(draw.integer(0, 3)) for _ in draw.values('bool', shape)]
    return [syntax.tensor(dtype, shape, orders), draw.tensor(dtype, shape, 'positive')], {}


BITS = INTEGERS
ROWS: list[Row] = [
    *rows('math.abs', unary(), (*FLOATS, *COMPLEX, *SIGNED)),
    *rows('math.negative', unary(), SIGNED_NUMERIC),
    *rows('math.sign', unary(), SIGNED_NUMERIC),
    *rows('math.square', unary(), NUMERIC),
    *rows('math.reciprocal', unary('positive'), INEXACT),
    *rows('math.reciprocal_no_nan', unary(), INEXACT),
    *rows('math.sqrt math.rsqrt math.log', unary('positive'), INEXACT, 2),
    *rows('math.exp math.sin math.cos math.sinh math.cosh math.tanh math.sigmoid math.log1p'
          ' math.expm1 math.tan', unary('small'), INEXACT, 4),
    *rows('math.sqrt math.log math.exp math.tanh math.sigmoid', unary(), INEXACT, 4,
          variant='wide'),
    *rows('math.asin math.acos math.atanh', unary('unit'), INEXACT, 4),
    *rows('math.acosh', unary('above_one'), INEXACT, 4),
    *rows('math.asinh math.atan', unary(), INEXACT, 4),
    *rows('math.erf math.erfc', unary(), FLOATS, 8),
    *rows('math.lgamma', unary(), NARROW, 8),
    *rows('math.digamma', unary('positive'), NARROW, 16),
    *rows('math.erfinv math.ndtri math.erfcinv', unary('probability'), REALS, 40),
    *rows('math.bessel_i0 math.bessel_i1 math.bessel_i0e math.bessel_i1e'
          ' math.special.bessel_i0', unary(), NARROW, 8),
    *rows('math.special.bessel_j0 math.special.bessel_j1', unary(), NARROW, 8),
    *rows('math.special.bessel_k0 math.special.bessel_k1 math.special.bessel_k0e'
          ' math.special.bessel_y0 math.special.bessel_y1', unary('positive'), NARROW, 8),
    *rows('math.special.dawsn math.special.expint math.special.fresnel_cos'
          ' math.special.fresnel_sin math.special.spence', unary('positive'), REALS, 16),
    *rows('math.ceil math.floor math.is_finite math.is_inf math.is_nan', unary(), FLOATS),
    *rows('math.rint', unary(), REALS),
    *rows('math.round', unary(), REAL),
    *rows('math.log_sigmoid math.softplus', unary(), FLOATS, 4),
    *rows('math.softsign', unary(), FLOATS, 2),
    *rows('math.conj math.real', unary(), NUMERIC),
    *rows('math.imag', unary(), ANY),
    *rows('math.angle', unary(), INEXACT, 4),
    *rows('math.logical_not', unary(), ('bool',)),
    *rows('math.logical_and math.logical_or math.logical_xor', binary(), ('bool',)),
    *rows('math.add', binary(), (*NUMERIC, 'string')),
    *rows('math.subtract math.multiply', binary(), NUMERIC, 2),
    *rows('math.divide math.truediv', binary('any', 'positive'), NUMERIC, 4),
    *rows('math.divide_no_nan', binary(), NUMERIC, 4),
    *rows('math.multiply_no_nan', binary(), INEXACT, 4),
    *rows('math.floordiv math.floormod math.mod', binary('any', 'positive'), REAL),
    *rows('truncatediv', binary('any', 'positive'), REAL),
    *rows('truncatemod', binary('any', 'positive'), (*REALS, *INDEX)),
    *rows('math.maximum math.minimum', binary(), REAL),
    *rows('math.squared_difference', binary(), (*INEXACT, 'int32', 'int64')),
    *rows('math.pow', binary('positive', 'positive'), (*INEXACT, *SIGNED), 16),
    *rows('math.xdivy math.xlogy math.xlog1py', binary('any', 'positive'), INEXACT, 4),
    *rows('math.atan2', binary(), FLOATS, 4),
    *rows('math.nextafter', binary(), REALS, gradient=False),
    *rows('math.igamma math.igammac', binary('positive', 'positive'), REALS, 40),
    *rows('math.zeta', binary('above_one', 'positive'), REALS, 40),
    *rows('math.polygamma', polygamma, REALS, 40),
    *rows('math.betainc', lambda draw, dtype: (
        [draw.tensor(dtype, shape := draw.shape(), 'positive'),
         draw.tensor(dtype, shape, 'positive'), draw.tensor(dtype, shape, 'probability')], {}),
        REALS, 40),
    *rows('math.greater math.greater_equal math.less math.less_equal', binary(), REAL),
    *rows('math.equal math.not_equal', binary(), ANY),
    *rows('math.scalar_mul', scalar_mul, NUMERIC, 2),
    *rows('math.add_n math.accumulate_n', several, ANY),
    *rows('math.polyval', polynomial, NUMERIC, 4),
    *rows('bitwise.bitwise_and bitwise.bitwise_or bitwise.bitwise_xor', binary(), BITS),
    *rows('bitwise.invert', unary(), BITS),
    *rows('bitwise.left_shift bitwise.right_shift', shifts, BITS),
    *rows('clip_by_value', clipped, REAL),
    *rows('where', select, ANY),
    *rows('cast', cast, (*NUMERIC, 'bool')),
    *rows('saturate_cast', saturated,
          tuple(dtype for dtype in NUMERIC if dtype not in ('uint32', 'uint64'))),
    *rows('bitcast', bitcast, NUMERIC),
    *rows('dtypes.complex', complex_of, REALS),
    *rows('identity stop_gradient', unary(), ANY),
]  # fmt: skip
