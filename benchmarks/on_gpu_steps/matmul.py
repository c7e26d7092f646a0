"""Products as a program asks for them: square, thin and odd ones, beside PyTorch and CuPy.

float32 is multiplied once in IEEE arithmetic and once as tf32. CuPy multiplies float32 as it
is, unless its environment variable says otherwise, so it is absent from the tf32 rows;
PyTorch is told which of the two to do. Who multiplies for tensorvar is chosen by the table
that ``matmul_table`` measured in this run, as it will be once the table is in
``kernels/tables``; without one it is cuBLAS.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from benchmarks.on_gpu_steps import card, operands, session, timing
from tensorvar._cuda import matmul_table

KINDS = ('bfloat16', 'float16', 'float32 tf32', 'float32 ieee')


class Size(NamedTuple):
    """Rows, columns and terms; ``'4096'`` in words where all are the same."""

    m: int
    n: int
    k: int

    def __str__(self) -> str:
        return str(self.m) if self.m == self.n == self.k else ' x '.join(map(str, self[:]))


SQUARES = tuple(Size(side, side, side) for side in (4096, 2048, 8192, 1024, 512))
THIN = (
    Size(64, 2112, 7168), Size(128, 7168, 16384), Size(128, 128, 16384), Size(1, 4096, 4096),
    Size(8, 4096, 4096),
)  # fmt: skip
ODD = (Size(1000, 1000, 1000), Size(4095, 4097, 4099))
GROUPS = {'square': SQUARES, 'thin': THIN, 'odd': ODD}

_WARM_UP_SECONDS = 2.0
_WARM_UP_SIDE = 4096
_TOLERANCE = {
    'bfloat16': 1e-2, 'float16': 2e-3, 'float32 tf32': 1e-3, 'float32 ieee': 1e-5,
}  # fmt: skip
_CHECKED = Size(512, 512, 512)


def main(step: session.Session) -> None:
    """Warms the card up, checks the results at one size, then compares all sizes."""
    path = card.table_path(step.path.parent, card.target().name)
    if not path.exists():
        step.say('no table of this run: cuBLAS multiplies for tensorvar')
        _compare(step)
        return
    step.say('tensorvar chooses by the table of this run')
    table = matmul_table.read(path)
    with mock.patch.object(matmul_table, 'rows', return_value=table):
        _compare(step)


def _compare(step: session.Session) -> None:
    _warm_up()
    for kind in KINDS:
        step.attempt(f'{kind} {_CHECKED}', _check, step, kind)
    for group, sizes in GROUPS.items():
        for size in sizes:
            for kind in KINDS:
                if step.seconds_left() < 4:
                    step.say(f'out of time at {kind} {size}')
                    return
                step.attempt(f'{kind} {size}', _measure, step, kind, group, size)


def _warm_up() -> None:
    """Has the clocks of the card rise before anything is measured."""
    matrix = operands.draw((_WARM_UP_SIDE, _WARM_UP_SIDE), 'float32').cupy
    effort = timing.Effort(rounds=1, batch_seconds=_WARM_UP_SECONDS / 3)
    timing.measure(
        [operands.contender('cupy', lambda _: matrix @ matrix)], operands.event_clock(), effort
    )


def _measure(step: session.Session, kind: str, group: str, size: Size) -> None:
    operands.settle()
    dtype, _, precision = kind.partition(' ')
    elements = size.m * size.k + size.k * size.n + size.m * size.n
    nbytes = elements * operands.DTYPES[dtype].itemsize
    count, cold = timing.sets_beyond(operands.cache_bytes(), nbytes, most=32)
    pairs = [_draw(size, dtype) for _ in range(count)]
    multiply = _ours(precision)

    def ours(number: int) -> None:
        a, b = pairs[number % count]
        multiply(a.tensorvar, b.tensorvar)

    def with_cupy(number: int) -> None:
        a, b = pairs[number % count]
        operands.cupy.matmul(a.cupy, b.cupy)

    def with_torch(number: int) -> None:
        a, b = pairs[number % count]
        operands.torch.matmul(a.torch, b.torch)

    contenders = [operands.contender('tensorvar', ours)]
    if precision != 'tf32':
        contenders.append(operands.contender('cupy', with_cupy))
    if operands.torch:
        operands.torch.backends.cuda.matmul.allow_tf32 = precision == 'tf32'
        contenders.append(operands.contender('torch', with_torch))
    operands.compare(
        step,
        f'{kind} {size}',
        contenders,
        operands.event_clock(),
        group=f'matmul {group} {kind}',
        operations=2 * size.m * size.n * size.k,
        cold=cold,
    )


def _draw(size: Size, dtype: str) -> tuple[operands.Values, operands.Values]:
    return operands.draw((size.m, size.k), dtype), operands.draw((size.k, size.n), dtype)


def _ours(precision: str) -> Callable[[Any, Any], Any]:
    """Our product; a precision is that of float32, whatever the default is."""
    multiply = operands.tv.matmul
    return functools.partial(multiply, precision=precision) if precision else multiply


def _check(step: session.Session, kind: str) -> None:
    """Compares our product with that in float64."""
    dtype, _, precision = kind.partition(' ')
    a, b = _draw(_CHECKED, dtype)
    product = _ours(precision)(a.tensorvar, b.tensorvar).numpy()
    exact = a.tensorvar.numpy().astype(np.float64) @ b.tensorvar.numpy().astype(np.float64)
    difference = product.astype(np.float64) - exact
    error = float(np.linalg.norm(difference) / np.linalg.norm(exact))
    step.facts[f'error {kind}'] = error
    if not error <= _TOLERANCE[kind]:
        step.fail(f'{kind} {_CHECKED}: relative error {error:.1e}')


if __name__ == '__main__':
    session.run(main)
