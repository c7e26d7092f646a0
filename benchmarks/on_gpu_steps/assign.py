"""Writes to a variable from 4 elements to 1 GiB, beside the rate of a plain copy."""

from typing import Any

from benchmarks.on_gpu_steps import operands, session, timing

GIB = 1 << 30
OPS = ('assign', 'assign_add', 'assign_sub')
# An assign reads and writes each element once, the others read two and write one.
TRANSFERS = {'assign': 2, 'assign_add': 3, 'assign_sub': 3}
_ELEMENTS = (4, 1 << 10, 1 << 16, 1 << 20)
_LARGE_BYTES = (64 << 20, 256 << 20, GIB)


def main(step: session.Session) -> None:
    """Compares every op, dtype and size; the largest only where memory allows it."""
    rate = operands.copy_rate(min(GIB, operands.free_bytes() // 16))
    step.facts['copy_bytes_per_second'] = rate
    step.say(f'a copy within the card: {rate / 1e12:.2f} TB/s, read and written bytes counted')
    for dtype, numpy_dtype in operands.DTYPES.items():
        large = [nbytes // numpy_dtype.itemsize for nbytes in _LARGE_BYTES]
        for elements in (*_ELEMENTS, *large):
            if step.seconds_left() < 4:
                step.say(f'out of time at {dtype} of {elements}')
                return
            what = f'{dtype} of {elements}'
            step.attempt(what, _measure_size, step, dtype, elements, rate)


def _measure_size(step: session.Session, dtype: str, elements: int, rate: float) -> None:
    nbytes = elements * operands.DTYPES[dtype].itemsize
    operands.settle()
    # Three libraries hold a variable and a value, and drawing takes a wide copy.
    if 16 * nbytes > operands.free_bytes():
        step.say(f'too little memory for {dtype} of {nbytes >> 20} MiB')
        return
    count, cold = timing.sets_beyond(operands.cache_bytes(), 2 * nbytes)
    targets = [operands.draw((elements,), dtype) for _ in range(count)]
    values = [operands.draw((elements,), dtype) for _ in range(count)]
    variables = [operands.tv.Variable(target.tensorvar) for target in targets]
    for op in OPS:
        moved = TRANSFERS[op] * nbytes
        row = operands.compare(
            step,
            f'{op} {dtype} {readable_bytes(nbytes)}',
            _contenders(op, variables, targets, values),
            operands.event_clock(),
            group=f'{op} {dtype}',
            bytes=moved,
            cold=cold,
        )
        if 'tensorvar' in row.get('seconds', {}):
            row['of_copy'] = moved / row['seconds']['tensorvar'] / rate


def _contenders(op: str, variables: Any, targets: Any, values: Any) -> list[timing.Contender]:
    count = len(values)

    def ours(number: int) -> None:
        which = number % count
        getattr(variables[which], op)(values[which].tensorvar)

    cupy_calls = {'assign': _cupy_assign, 'assign_add': _cupy_add, 'assign_sub': _cupy_sub}
    write = cupy_calls[op]

    def with_cupy(number: int) -> None:
        which = number % count
        write(targets[which].cupy, values[which].cupy)

    method = {'assign': 'copy_', 'assign_add': 'add_', 'assign_sub': 'sub_'}[op]

    def with_torch(number: int) -> None:
        which = number % count
        getattr(targets[which].torch, method)(values[which].torch)

    contenders = [operands.contender('tensorvar', ours), operands.contender('cupy', with_cupy)]
    if operands.torch:
        contenders.append(operands.contender('torch', with_torch))
    return contenders


def _cupy_assign(target: Any, value: Any) -> None:
    target[...] = value


def _cupy_add(target: Any, value: Any) -> None:
    target += value


def _cupy_sub(target: Any, value: Any) -> None:
    target -= value


def readable_bytes(nbytes: int) -> str:
    """A size with a fitting unit."""
    for unit, shift in (('GiB', 30), ('MiB', 20), ('KiB', 10)):
        if nbytes >> shift:
            return f'{nbytes >> shift} {unit}'
    return f'{nbytes} B'


if __name__ == '__main__':
    session.run(main)
