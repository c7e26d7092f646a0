"""Elementwise ops as ``kernels/tv_formulas.cuh`` has them, and formulas made of them."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorvar import dtypes
from tensorvar._cuda import element_types

DType = np.dtype[Any]
_BOOL = dtypes.bool_.numpy
_ROUNDED, _ANSWER = 'tv::rounded<tv::op::{}>', 'tv::answer<tv::op::{}>'


class Step(NamedTuple):
    """One op of a formula.

    Attributes:
        name: of the op.
        function: what the kernels call it; empty for an op that gives its input.
        inputs: numbers of values: first the formula's inputs, then the results of its steps.
        literals: arguments after the inputs, as C++ writes them.
        dtype: of the result.
    """

    name: str
    function: str
    inputs: tuple[int, ...]
    literals: tuple[str, ...]
    dtype: DType


class Formula(NamedTuple):
    """Elementwise ops that feed each other.

    Attributes:
        inputs: dtypes of the values that come from outside.
        steps: the ops, in order.
        outputs: numbers of the values that leave it, all different; no inputs.
    """

    inputs: tuple[DType, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    def dtype(self, value: int) -> DType:
        """The dtype of a value."""
        count = len(self.inputs)
        return self.inputs[value] if value < count else self.steps[value - count].dtype


class _Op(NamedTuple):
    """How an op is written.

    Attributes:
        allowed: dtypes of its inputs.
        function: see ``Step``.
        literals: makes those of ``Step`` from the attributes; None for an op, or a use of
            one, that the kernels lack.
    """

    allowed: frozenset[DType]
    function: str
    literals: Callable[[Mapping[str, Any]], tuple[str, ...] | None]


def step(
    op: str,
    inputs: Sequence[int],
    given: Sequence[DType],
    attributes: Mapping[str, Any],
    result: DType,
) -> Step | None:
    """An op as a step of a formula, or None if the kernels cannot do it.

    Args:
        op: its name.
        inputs: see ``Step``.
        given: dtypes of the inputs.
        attributes: of the op.
        result: dtype of its result.
    """
    known = _OPS.get(op)
    if known is None or not known.allowed.issuperset((*given, result)):
        return None
    literals = known.literals(attributes)
    if literals is None:
        return None
    function = known.function
    if op == 'Cast':
        function = function.format(element_types.element_type(op, result).code)
    elif op == 'Gelu' and attributes['approximate']:
        function = _ROUNDED.format('GeluFit')
    return Step(op, function, tuple(inputs), literals, result)


def _none(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    return ()


def _alpha(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    # Exact, whatever the number.
    return (float(attributes['alpha']).hex(),)


def _channels_last(attributes: Mapping[str, Any]) -> tuple[str, ...] | None:
    return None if attributes['channels_first'] else ()


_REAL = dtypes.REAL
_FLOATS = dtypes.FLOATING
_ANY = _REAL | dtypes.BOOLEAN


def _rows(
    form: str,
    allowed: frozenset[DType],
    names: str,
    literals: Callable[[Mapping[str, Any]], tuple[str, ...] | None] = _none,
) -> dict[str, _Op]:
    return {name: _Op(allowed, form.format(name), literals) for name in names.split()}


def _answers(allowed: frozenset[DType], names: str) -> dict[str, _Op]:
    return _rows(_ANSWER, allowed | {_BOOL}, names)


_OPS: dict[str, _Op] = {
    **_rows('tv::rounded<tv::{}>', _REAL, 'Sub Mul'),
    'AddV2': _Op(_REAL, 'tv::rounded<tv::Add>', _none),
    'BiasAdd': _Op(_REAL, 'tv::rounded<tv::Add>', _channels_last),
    'Maximum': _Op(_REAL, 'tv::rounded<tv::Max>', _none),
    'Minimum': _Op(_REAL, 'tv::rounded<tv::Min>', _none),
    **_rows(
        _ROUNDED, _REAL,
        'Abs AddN ClipByValue Neg Relu Relu6 Relu6Grad ReluGrad Round Sign Square '
        'SquaredDifference',
    ),
    **_rows(
        _ROUNDED, _FLOATS,
        'Ceil DivNoNan Elu EluGrad Erf Exp Expm1 Floor FloorDiv Gelu Log Log1p MulNoNan Pow '
        'RealDiv Reciprocal Rsqrt Selu SeluGrad Sigmoid SigmoidGrad Softplus Softsign Sqrt '
        'Tanh TanhGrad Xdivy Xlogy',
    ),
    **_rows(_ROUNDED, _FLOATS, 'LeakyRelu LeakyReluGrad', _alpha),
    **_answers(_REAL, 'Greater GreaterEqual Less LessEqual'),
    **_answers(_ANY, 'Equal NotEqual'),
    **_answers(_FLOATS, 'IsFinite IsInf IsNan'),
    **_answers(frozenset(), 'LogicalAnd LogicalNot LogicalOr LogicalXor'),
    'Rint': _Op(_FLOATS, _ROUNDED.format('Round'), _none),
    'SelectV2': _Op(_ANY, 'tv::choose', _none),
    'Cast': _Op(_ANY, 'tv::convert<{}>', _none),
    'BroadcastTo': _Op(_ANY, '', _none),
}  # fmt: skip

INEXACT = frozenset({
    'Elu', 'Erf', 'Exp', 'Expm1', 'Gelu', 'Log', 'Log1p', 'Pow', 'Selu', 'Sigmoid', 'Softplus',
    'Tanh', 'Xlogy',
})  # fmt: skip
"""Ops whose last bits differ between libraries; all others have NumPy's."""


@functools.cache
def names() -> tuple[str, ...]:
    """The ops that there are."""
    return tuple(sorted(_OPS))
