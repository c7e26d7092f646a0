"""A step of Adam for few large and for many small variables, beside the rate of a copy."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.on_gpu_steps import card, operands, session, timing
from tensorvar._cuda import (
    arguments,
    launch,
    optimizer_rules,
    optimizers,
)

# Variables, and elements of each.
SIZES = ((200, 1 << 20), (10_000, 64), (10, 1 << 24), (1, 256 << 20), (1000, 1024))
RATE = 1e-3
# Parameter, momentum and velocity are read and written, the gradient is read.
BYTES_PER_ELEMENT = 28
_ARRAYS = 4
_TOLERANCE = 1e-6
_MOST_SETS = 8
# A launch for each variable takes too long to be measured with more of them.
_MOST_SINGLY = 1000
_RULE = optimizer_rules.adam()

Arrays = list[list[Any]]
"""Parameters, gradients, momentums, velocities."""


def main(step: session.Session) -> None:
    """Checks a step, then compares all sizes."""
    rate = operands.copy_rate(min(1 << 30, operands.free_bytes() // 16))
    step.facts['copy_bytes_per_second'] = rate
    kernels = make_kernels()
    step.attempt('two steps', _check, step, kernels)
    for count, elements in SIZES:
        if step.seconds_left() < 4:
            step.say(f'out of time at {count} of {elements}')
            return
        what = f'{count} x {elements}'
        step.attempt(what, _measure, step, kernels, count, elements, rate)


def make_kernels() -> optimizers.OptimizerKernels:
    """Our kernels, working on CuPy's arrays and stream."""
    limit = arguments.most_bytes(launch.driver().version())
    return optimizers.OptimizerKernels(card.target(), operands.cupy.asarray, limit)


def _measure(
    step: session.Session,
    kernels: optimizers.OptimizerKernels,
    count: int,
    elements: int,
    rate: float,
) -> None:
    operands.settle()
    nbytes = 4 * count * elements
    # Ours and CuPy's share arrays; PyTorch has two optimizers.
    if 4 * _ARRAYS * nbytes > operands.free_bytes():
        step.say(f'too little memory for {count} of {elements}')
        return
    sets, cold = timing.sets_beyond(operands.cache_bytes(), _ARRAYS * nbytes, most=_MOST_SETS)
    drawn = [_draw(count, elements) for _ in range(sets)]
    planned = in_turn([_planned(kernels, each) for each in drawn])
    applied = in_turn([_applied(kernels, each) for each in drawn])
    contenders = [
        operands.contender('tensorvar', planned, 'cupy'),
        operands.contender('tensorvar apply', applied, 'cupy'),
    ]
    if count <= _MOST_SINGLY:
        singly = in_turn([_singly(each) for each in drawn])
        contenders.append(operands.contender('cupy', singly))
    if operands.torch:
        for name in ('fused', 'foreach'):
            steps = in_turn([_with_torch(name, count, elements) for _ in range(sets)])
            contenders.append(operands.contender(f'torch {name}', steps, 'torch'))
    moved = BYTES_PER_ELEMENT * count * elements
    row = operands.compare(
        step,
        f'adam float32 {count} x {elements}',
        contenders,
        operands.event_clock(),
        group='adam float32',
        bytes=moved,
        cold=cold,
    )
    if 'tensorvar' in row.get('seconds', {}):
        row['of_copy'] = moved / row['seconds']['tensorvar'] / rate


def in_turn(steps: Sequence[Callable[[], Any]]) -> Callable[[int], None]:
    """A call that does the step of its number, over and over."""

    def call(number: int) -> None:
        steps[number % len(steps)]()

    return call


def _draw(count: int, elements: int) -> Arrays:
    random = operands.cupy.random.default_rng(4)

    def numbers() -> Any:
        return random.random(elements, dtype=np.float32) - np.float32(0.5)

    zeros = operands.cupy.zeros
    return [
        [numbers() for _ in range(count)],
        [numbers() for _ in range(count)],
        [zeros(elements, np.float32) for _ in range(count)],
        [zeros(elements, np.float32) for _ in range(count)],
    ]


def _operands(arrays: Arrays) -> tuple[Any, ...]:
    parameters, gradients, momentum, velocity = arrays
    slots = {'momentum': momentum, 'velocity': velocity}
    scalars = operands.cupy.asarray(optimizers.initial_scalars(RATE))
    return _RULE, parameters, gradients, slots, scalars


def _planned(kernels: optimizers.OptimizerKernels, arrays: Arrays) -> Callable[[], None]:
    given = _operands(arrays)
    update = kernels.plan(*given)

    def step() -> None:
        # `given` holds the arrays, of which the plan knows the addresses alone.
        assert given
        update()

    return step


def _applied(kernels: optimizers.OptimizerKernels, arrays: Arrays) -> Callable[[], None]:
    given = _operands(arrays)
    return lambda: kernels.apply(*given)


def _singly(arrays: Arrays) -> Callable[[], None]:
    """A fused kernel of CuPy's for each variable."""
    update = operands.cupy.ElementwiseKernel(
        'float32 g, float32 rate, float32 k1, float32 k2, float32 epsilon',
        'float32 w, float32 m, float32 v',
        'm += (g - m) * k1; v += (g * g - v) * k2; w -= m * rate / (sqrtf(v) + epsilon)',
        'adam_step',
    )
    done = [0]

    def step() -> None:
        done[0] += 1
        corrected = RATE * (1 - 0.999 ** done[0]) ** 0.5 / (1 - 0.9 ** done[0])
        for w, g, m, v in zip(*arrays, strict=True):
            update(g, corrected, 0.1, 0.001, 1e-7, w, m, v)

    return step


def _with_torch(name: str, count: int, elements: int) -> Callable[[], None]:
    torch = operands.torch
    parameters = [torch.rand(elements, device='cuda') - 0.5 for _ in range(count)]
    for each in parameters:
        each.grad = torch.rand(elements, device='cuda') - 0.5
    optimizer: Any = torch.optim.Adam(parameters, lr=RATE, eps=1e-7, **{name: True})
    return optimizer.step  # type: ignore[no-any-return]


def _check(step: session.Session, kernels: optimizers.OptimizerKernels) -> None:
    """Compares two steps of ours with CuPy's."""
    ours, theirs = _draw(3, 5003), _draw(3, 5003)
    update, single = _planned(kernels, ours), _singly(theirs)
    for _ in range(2):
        update()
        single()
    worst = max(
        float(abs(a - b).max())
        for mine, other in zip(ours, theirs, strict=True)
        for a, b in zip(mine, other, strict=True)
    )
    step.facts['largest difference'] = worst
    if not worst <= _TOLERANCE:
        step.fail(f'two steps differ by {worst:.1e} from those of CuPy')


if __name__ == '__main__':
    session.run(main)
