"""Products of square matrices, with the rounding of each library as it comes."""

import inspect

import numpy as np

from benchmarks.on_gpu_steps import operands, session, timing

SIZES = (512, 1024, 2048, 4096, 8192)
KINDS = ('bfloat16', 'float16', 'tf32', 'float32')
_WARM_UP_SECONDS = 2.0
_TOLERANCE = {'bfloat16': 1e-2, 'float16': 2e-3, 'tf32': 1e-3, 'float32': 1e-5}
_CHECKED = 512


def main(step: session.Session) -> None:
    """Warms the card up, checks the results at one size, then compares all sizes."""
    _warm_up()
    for kind in KINDS:
        if kind == 'tf32' and not _has_precision():
            step.say('tf32: tensorvar.matmul has no such precision yet')
            continue
        for size in SIZES:
            if step.seconds_left() < 4:
                step.say(f'out of time at {kind} of {size}')
                return
            _measure(step, kind, size)


def _has_precision() -> bool:
    return 'precision' in inspect.signature(operands.tv.matmul).parameters


def _warm_up() -> None:
    """Has the clocks of the card rise before anything is measured."""
    matrix = operands.draw((4096, 4096), 'float32').cupy
    effort = timing.Effort(rounds=1, batch_seconds=_WARM_UP_SECONDS / 3)
    timing.measure(
        [operands.contender('cupy', lambda _: matrix @ matrix)], operands.event_clock(), effort
    )


def _measure(step: session.Session, kind: str, size: int) -> None:
    operands.settle()
    dtype = 'float32' if kind == 'tf32' else kind
    nbytes = 3 * size * size * operands.DTYPES[dtype].itemsize
    count, cold = timing.sets_beyond(operands.cache_bytes(), nbytes, most=32)
    pairs = [
        [operands.draw((size, size), dtype), operands.draw((size, size), dtype)]
        for _ in range(count)
    ]
    if size == _CHECKED:
        _check(step, kind, *pairs[0])
    keywords = {'precision': 'tf32'} if kind == 'tf32' else {}

    def ours(number: int) -> None:
        a, b = pairs[number % count]
        operands.tv.matmul(a.tensorvar, b.tensorvar, **keywords)

    def with_cupy(number: int) -> None:
        a, b = pairs[number % count]
        operands.cupy.matmul(a.cupy, b.cupy)

    def with_torch(number: int) -> None:
        a, b = pairs[number % count]
        operands.torch.matmul(a.torch, b.torch)

    contenders = [operands.contender('tensorvar', ours)]
    if kind != 'tf32':
        contenders.append(operands.contender('cupy', with_cupy))
    if operands.torch:
        operands.torch.backends.cuda.matmul.allow_tf32 = kind == 'tf32'
        contenders.append(operands.contender('torch', with_torch))
    operands.compare(
        step,
        f'{kind} {size}',
        contenders,
        operands.event_clock(),
        group=f'matmul {kind}',
        operations=2 * size**3,
        cold=cold,
    )


def _check(step: session.Session, kind: str, a: operands.Values, b: operands.Values) -> None:
    """Compares our product with that in float64."""
    keywords = {'precision': 'tf32'} if kind == 'tf32' else {}
    product = operands.tv.matmul(a.tensorvar, b.tensorvar, **keywords).numpy()
    exact = a.tensorvar.numpy().astype(np.float64) @ b.tensorvar.numpy().astype(np.float64)
    difference = product.astype(np.float64) - exact
    error = float(np.linalg.norm(difference) / np.linalg.norm(exact))
    step.facts[f'error {kind}'] = error
    if not error <= _TOLERANCE[kind]:
        step.fail(f'{kind} {_CHECKED}: relative error {error:.1e}')


if __name__ == '__main__':
    session.run(main)
