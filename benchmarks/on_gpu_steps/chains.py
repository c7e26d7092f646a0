"""Chains of elementwise ops: one by one, and as what each library makes of them at once.

What PyTorch compiles, which takes seconds, is compared with our plan after all else.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.on_gpu_steps import operands, session, timing

# Elements: few show the cost of the calls, many that of the memory.
SIZES = (4, 1 << 20, 1 << 26)
DTYPES = ('float32', 'bfloat16')
# A plain chain reads two operands and writes one result, whatever is between.
_ARRAYS = 3
_EFFORT = timing.Effort(rounds=12, batch_seconds=10e-3)
_TOLERANCE = {'float32': 1e-5, 'bfloat16': 0.05}
_ROOM = 24


def main(step: session.Session) -> None:
    """Checks the chain, then compares all sizes."""
    for measure in (_measure, _measure_compiled) if operands.torch else (_measure,):
        for dtype in DTYPES:
            for size in SIZES:
                if step.seconds_left() < 4:
                    step.say(f'out of time at {size} {dtype}')
                    return
                if size * operands.DTYPES[dtype].itemsize * _ROOM > operands.free_bytes():
                    step.say(f'too little memory for {size} {dtype}')
                    continue
                step.attempt(f'{size} {dtype}', measure, step, dtype, size)
                operands.settle()


def chain(xp: Any, x: Any, y: Any) -> Any:
    """Eight ops, in the words of NumPy, PyTorch and tensorvar alike."""
    z = x * y + x
    return xp.tanh(z) * 0.5 + xp.exp(-(z * z)) - y


def _measure(step: session.Session, dtype: str, size: int) -> None:
    x, y = (operands.draw((size,), dtype) for _ in range(2))
    tv, cupy, torch = operands.tv, operands.cupy, operands.torch
    plan = tv.function(lambda x, y: chain(tv, x, y))
    calls: dict[str, Callable[[], Any]] = {
        'tensorvar': lambda: chain(tv, x.tensorvar, y.tensorvar),
        'tensorvar plan': lambda: plan(x.tensorvar, y.tensorvar),
        'cupy': lambda: chain(cupy, x.cupy, y.cupy),
    }
    if dtype == 'float32':
        # It knows no bfloat16.
        fused = cupy.fuse()(lambda x, y: chain(cupy, x, y))
        calls['cupy fuse'] = lambda: fused(x.cupy, y.cupy)
    if torch:
        calls['torch'] = lambda: chain(torch, x.torch, y.torch)
    _check(step, dtype, calls)
    _compare(step, f'chain of 8 ops, {size} {dtype}', dtype, size, calls)


def _measure_compiled(step: session.Session, dtype: str, size: int) -> None:
    x, y = (operands.draw((size,), dtype) for _ in range(2))
    tv, torch = operands.tv, operands.torch
    plan = tv.function(lambda x, y: chain(tv, x, y))
    compiled = torch.compile(lambda x, y: chain(torch, x, y))
    calls: dict[str, Callable[[], Any]] = {
        'tensorvar': lambda: plan(x.tensorvar, y.tensorvar),
        'torch compiled': lambda: compiled(x.torch, y.torch),
    }
    _compare(step, f'chain of 8 ops, {size} {dtype}, plan', dtype, size, calls)


def _compare(
    step: session.Session, case: str, dtype: str, size: int, calls: dict[str, Callable[[], Any]]
) -> None:
    contenders = [
        operands.contender(name, lambda _, call=call: call(), name.partition(' ')[0])
        for name, call in calls.items()
    ]
    nbytes = _ARRAYS * size * operands.DTYPES[dtype].itemsize
    operands.compare(step, case, contenders, operands.event_clock(), _EFFORT, bytes=nbytes)


def _check(step: session.Session, dtype: str, calls: dict[str, Callable[[], Any]]) -> None:
    """Compares the plan with the ops one by one; the first call is the trace."""
    calls['tensorvar plan']()
    plan, eager = (
        calls[name]().numpy().astype('float64') for name in ('tensorvar plan', 'tensorvar')
    )
    worst = float(abs(plan - eager).max())
    if worst > _TOLERANCE[dtype]:
        step.fail(f'a plan of {dtype} differs from the ops one by one by {worst:.3g}')


if __name__ == '__main__':
    session.run(main)
