"""Assignment in place, and the transposed copy: ``kernels/assign.cu``, ``transpose.cu``."""

import numpy as np

from benchmarks.on_gpu_steps.families.machine import (
    BFLOAT16,
    FLOAT16,
    FLOAT32,
    INT8,
    Host,
    Machine,
    equal,
)

OPS = {
    'assign': lambda old, value: value,
    'assign_add': lambda old, value: old + value,
    'assign_sub': lambda old, value: old - value,
}
_SIZES = (1, 3, 17, 257, 4097)
_DTYPES = (FLOAT32, BFLOAT16, FLOAT16, INT8)


def check_assign(machine: Machine) -> None:
    """Every op and dtype, in vectors and where addresses allow none; a number, a row, a cast."""
    random = np.random.default_rng(1)
    for dtype in _DTYPES:
        for op in OPS:
            for size in _SIZES:
                old, value = (random.integers(-50, 51, size).astype(dtype) for _ in range(2))
                for begin in {0, min(1, size - 1)}:
                    _assign(machine, op, old, value, begin)
    for op in OPS:
        old, row = (random.integers(-50, 51, shape).astype('f4') for shape in ((9, 20), 20))
        target = machine.put(old)
        machine.run(machine.kernels.assign.assign, op, target, machine.put(row))
        equal(machine.get(target), OPS[op](old, np.broadcast_to(row, old.shape)), f'{op} of a row')
        target = machine.put(old)
        machine.run(machine.kernels.assign.assign, op, target, np.float32(3))
        expected = OPS[op](old, np.full_like(old, 3))
        equal(machine.get(target), expected, f'{op} of a number')
    _cast(machine, random.uniform(-9, 9, 1000).astype(FLOAT32))


def _assign(machine: Machine, op: str, old: Host, value: Host, begin: int) -> None:
    target = machine.put(old)
    given = machine.put(value)
    machine.run(machine.kernels.assign.assign, op, target[begin:], given[begin:])
    expected = old.copy()
    expected[begin:] = OPS[op](old[begin:], value[begin:]).astype(old.dtype)
    equal(machine.get(target), expected, f'{op} {old.dtype} {len(old)} from {begin}')


def _cast(machine: Machine, values: Host) -> None:
    for dtype in (FLOAT16, BFLOAT16, INT8):
        target = machine.poisoned(values.shape, dtype)
        machine.run(machine.kernels.assign.cast, target, machine.put(values))
        equal(machine.get(target), values.astype(dtype), f'float32 to {dtype}')


def check_transpose(machine: Machine) -> None:
    """Tiles through shared memory, for elements of 1 to 16 bytes."""
    for name in ('uint8', 'float16', 'float32', 'complex64', 'complex128'):
        for shape in ((33, 65), (3, 64, 128)):
            host = np.arange(np.prod(shape)).astype(name).reshape(shape)
            source = machine.put(host)
            target = machine.poisoned((*shape[:-2], shape[-1], shape[-2]), host.dtype)
            turned = source.swapaxes(-1, -2)
            machine.run(machine.kernels.assign.assign, 'assign', target, turned)
            equal(machine.get(target), host.swapaxes(-1, -2), f'{name} {shape} transposed')
