"""Writes the kernel of a formula: one macro of ``kernels/fused.cu`` with its arguments."""

import hashlib
from collections.abc import Sequence

from tensorvar._cuda import source
from tensorvar._cuda.fused_ops import Formula, Step

_FILE = 'fused.cu'
_MOST_NAMED = 3
_DIGITS = 12


def export(
    formula: Formula, results: Sequence[str], operands: Sequence[str], length: int, unroll: int
) -> source.Export:
    """The kernel.

    Args:
        formula: what it computes.
        results: types of the results, such as ``'tv::Written<float, true>'``.
        operands: types of the operands, such as ``'tv::Dense<float, true>'``.
        length: elements per vector.
        unroll: vectors per thread and turn.
    """
    # The types have commas of their own, so this is one argument to the macro.
    pieces = (
        f'typedef tv::Group<{", ".join(results)}> Results;',
        f'typedef tv::Group<{", ".join(operands)}> Operands;',
        'template <class X, class Y>',
        f'TV_DEVICE static void apply(const X& x, Y& y, int e) {{ {body(formula)} }}',
    )
    arguments = (str(length), str(unroll), ' '.join(pieces))
    digest = hashlib.sha256('\n'.join(arguments).encode()).hexdigest()[:_DIGITS]
    return source.Export(_FILE, 'TV_FUSED', f'fused_{title(formula)}_{digest}', arguments)


def title(formula: Formula) -> str:
    """What a formula is called in profiles and printed plans: its last ops."""
    return '_'.join(step.name for step in formula.steps[-_MOST_NAMED:])


def body(formula: Formula) -> str:
    """The statements that compute one element of all results."""
    count = len(formula.inputs)
    lines = [f'const auto v{i} = tv::part<{i}>(x).element[e];' for i in range(count)]
    lines += [
        f'const auto v{count + position} = {_call(step)};'
        for position, step in enumerate(formula.steps)
    ]
    lines += [
        f'tv::part<{place}>(y).element[e] = v{value};'
        for place, value in enumerate(formula.outputs)
    ]
    return ' '.join(lines)


def _call(step: Step) -> str:
    arguments = [f'v{value}' for value in step.inputs]
    return f'{step.function}({", ".join((*arguments, *step.literals))})'
