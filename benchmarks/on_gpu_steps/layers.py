"""A layer, ``relu(x w + b)``, as a plan runs it: by cuBLAS and a chain, or by one kernel of ours.

PyTorch stands beside them, eager. ``matmul_table`` says who is chosen where the product alone
counts; these rows tell what is gained, or lost, by doing the rest in the same kernel.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.on_gpu_steps import multipliers, operands, session, timing

# Rows, columns and terms.
SIZES = ((4096, 4096, 4096), (32, 128, 64), (4096, 128, 64), (64, 4096, 1024), (8192, 1024, 256))
DTYPES = ('bfloat16', 'float32')
_EFFORT = timing.Effort(rounds=10)
_TOLERANCE = {'bfloat16': 1e-2, 'float32': 1e-5}
_ROOM = 16


def main(step: session.Session) -> None:
    """Compares all sizes that there is time and memory for."""
    for size in SIZES:
        for dtype in DTYPES:
            case = f'layer {" x ".join(map(str, size))} {dtype}'
            if step.seconds_left() < 4:
                step.say(f'out of time at {case}')
                return
            m, n, k = size
            if 4 * (m * k + k * n + m * n) * _ROOM > operands.free_bytes():
                step.say(f'too little memory for {case}')
                continue
            step.attempt(case, _measure, step, case, dtype, size)
            operands.settle()


def layer(xp: Any, relu: Callable[[Any], Any], x: Any, w: Any, b: Any) -> Any:
    """The layer, in the words of PyTorch and tensorvar alike."""
    return relu(xp.matmul(x, w) + b)


def _measure(step: session.Session, case: str, dtype: str, size: tuple[int, int, int]) -> None:
    m, n, k = size
    given = [operands.draw(shape, dtype) for shape in ((m, k), (k, n), (n,))]
    ours = [each.tensorvar for each in given]
    calls = {f'tensorvar, {who}': _planned(who, ours) for who in multipliers.ALL}
    _check(step, case, dtype, calls)
    torch = operands.torch
    if torch:
        torch.backends.cuda.matmul.allow_tf32 = False
        theirs = [each.torch for each in given]
        calls['torch'] = lambda: layer(torch, torch.relu, *theirs)
    contenders = [
        operands.contender(name, lambda _, call=call: call(), name.partition(',')[0])
        for name, call in calls.items()
    ]
    operands.compare(
        step, case, contenders, operands.event_clock(), _EFFORT,
        group=f'layer {dtype}', operations=2 * m * n * k,
    )  # fmt: skip


def _planned(who: str, given: list[Any]) -> Callable[[], Any]:
    """A plan by one of ``multipliers.ALL``."""
    tv = operands.tv
    plan = tv.function(lambda x, w, b: layer(tv, tv.nn.relu, x, w, b))
    with multipliers.preferred(who):
        for _ in range(2):
            plan(*given)
    return lambda: plan(*given)


def _check(step: session.Session, case: str, dtype: str, calls: dict[str, Any]) -> None:
    """Compares the plans with each other."""
    first, second = (call().numpy().astype(np.float64) for call in calls.values())
    error = float(np.linalg.norm(first - second) / max(np.linalg.norm(first), 1e-30))
    if not error <= _TOLERANCE[dtype]:
        step.fail(f'{case}: the plans differ by {error:.1e}')


if __name__ == '__main__':
    session.run(main)
