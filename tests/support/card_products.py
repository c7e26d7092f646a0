"""Products of the tables on a card, several times each."""

from typing import Any

import numpy as np

from tests.support import matmul_cases

_ALIGNMENT = 64


def on_card(card: Any, operand: matmul_cases.Operand) -> tuple[Any, Any]:
    """The memory of an operand on the card, and where the matrices are in it."""
    begin = -operand.memory.ctypes.data % _ALIGNMENT
    there = card.from_host(operand.memory[begin:])
    offset = operand.matrices.address - operand.memory.ctypes.data - begin
    return there, operand.matrices._replace(address=there.data.ptr + offset)


def multiply(card: Any, family: Any, case: Any, made: matmul_cases.Operands, runs: int = 4) -> bool:
    """Multiplies on the card, and brings back the results of the last run.

    Returns:
        False where the chip has no such kernel.
    """
    (_a, a), (_b, b) = (on_card(card, each) for each in (made.a, made.b))
    _bias = None if made.bias is None else card.from_host(made.bias.copy())
    found = []
    for _ in range(runs):
        results, c = on_card(card, made.c)
        bias = None if _bias is None else _bias.data.ptr
        problem = made.problem._replace(a=a, b=b, c=c, bias=bias)
        if not family.supports(problem):
            return False
        nbytes = family.workspace(problem) if case.split else 0
        scratch = card.empty((max(nbytes, 1),), np.dtype(np.uint8))
        card.call(family.multiply, problem, scratch.data.ptr if nbytes else 0)
        found.append(card.to_host(results))
    # A race would show as bits that change.
    for each in found:
        assert np.array_equal(each, found[0]), case
    begin = -made.c.memory.ctypes.data % _ALIGNMENT
    made.c.memory[begin:] = found[0]
    return True


def check_margins(case: Any, made: matmul_cases.Operands, before: np.ndarray) -> None:
    """Fails where a product wrote beside its results, which were 77 before."""
    made.c.stored[...] = 77
    assert np.array_equal(made.c.memory, before), f'{case}: it wrote beside the results'
