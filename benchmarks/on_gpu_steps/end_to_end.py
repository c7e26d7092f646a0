"""tensorvar on the card, end to end: PASS or FAIL for each check."""

import gc
import importlib.util
import math
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

import tensorvar as tv
from benchmarks.on_gpu_steps import session

GPU, CPU = 'GPU:0', 'CPU:0'
MIB = 1 << 20

_random = np.random.default_rng(7)


class SkipCheckError(Exception):
    """Carries the reason why a check cannot be made here."""


def expect(condition: Any, what: str) -> None:
    """Fails the check unless the condition holds."""
    if not condition:
        raise AssertionError(what)


def close(result: Any, expected: np.ndarray[Any, Any], tolerance: float = 1e-5) -> None:
    """Fails the check unless the result is near the expected one, in float64."""
    given = np.asarray(result.numpy()).astype(np.float64)
    exact = np.asarray(expected).astype(np.float64)
    expect(given.shape == exact.shape, f'shape {given.shape}, expected {exact.shape}')
    error = np.linalg.norm(given - exact) / max(float(np.linalg.norm(exact)), 1e-30)
    expect(error <= tolerance, f'relative error {error:.2e}, allowed {tolerance:.0e}')


def on(value: Any) -> str:
    """The short name of the device that holds a value."""
    return str(value.device).rpartition('device:')[2]


def address(variable: Any) -> int:
    """Where the buffer of a variable lies on the card."""
    return int(variable._array.data.ptr)


def check_placement() -> None:
    """Variables on the CPU, computation on the card, gradients and update back."""
    with tv.device(CPU):
        weights = tv.Variable(_random.normal(size=(64, 32)).astype(np.float32), name='weights')
    images = _random.normal(size=(16, 64)).astype(np.float32)
    with tv.device(GPU), tv.GradientTape() as tape:
        product = tv.constant(images) @ weights
        loss = tv.reduce_sum(product * product)
    expect(on(product) == GPU, f'the product is on {on(product)}')
    expect(on(weights) == CPU, f'the variable is on {on(weights)}')
    close(product, images.astype(np.float64) @ weights.numpy(), 1e-5)
    gradient = tape.gradient(loss, weights)
    close(gradient, 2 * images.T.astype(np.float64) @ product.numpy(), 1e-4)
    before = weights.numpy()
    weights.assign_sub(0.01 * gradient)
    close(weights, before - 0.01 * gradient.numpy(), 1e-5)


def check_dtypes() -> None:
    """Every kind of number survives the way there and back, and is added."""
    for dtype in (tv.float32, tv.float64, tv.float16, tv.bfloat16, tv.int8, tv.int32, tv.int64,
                  tv.uint8, tv.complex64, tv.bool):  # fmt: skip
        host = np.array([1, 0, 1, 1]).astype(dtype.as_numpy_dtype)
        with tv.device(GPU):
            value = tv.constant(host, dtype)
        expect(on(value) == GPU and value.dtype == dtype, f'{dtype} is {value!r}')
        expect(np.array_equal(value.numpy(), host), f'{dtype} came back as {value.numpy()}')
        if dtype != tv.bool:
            expect(np.array_equal((value + value).numpy(), host + host), f'{dtype} + {dtype}')


def check_matmul() -> None:
    """Products in four dtypes against float64."""
    for dtype, tolerance in (
        (tv.float32, 1e-5), (tv.float64, 1e-12), (tv.float16, 2e-3), (tv.bfloat16, 1e-2)
    ):  # fmt: skip
        with tv.device(GPU):
            a = tv.cast(_random.uniform(-1, 1, (200, 136)), dtype)
            b = tv.cast(_random.uniform(-1, 1, (136, 77)), dtype)
            product = tv.matmul(a, b)
        exact = a.numpy().astype(np.float64) @ b.numpy().astype(np.float64)
        close(product, exact, tolerance)


def check_assign_in_place() -> None:
    """A write keeps the buffer's address while nobody holds it, and leaves holders alone."""
    with tv.device(GPU):
        variable = tv.Variable(tv.zeros([1000]))
        ones = tv.ones([1000])
    kept = address(variable)
    variable.assign(ones)
    variable.assign_add(ones)
    variable.assign_sub(ones * 0.5)
    expect(address(variable) == kept, 'an assign moved the buffer')
    held = variable.read_value()
    variable.assign_add(ones)
    close(held, np.full(1000, 1.5))
    close(variable, np.full(1000, 2.5))
    variable[3:5].assign([7.0, 8.0])
    expect(variable.numpy()[2:6].tolist() == [2.5, 7.0, 8.0, 2.5], 'a sliced assign is wrong')


def check_scatter() -> None:
    """Duplicates accumulate; the result is that of NumPy."""
    host = _random.uniform(-1, 1, (50, 8)).astype(np.float32)
    indices = _random.integers(0, 50, 400)
    updates = _random.uniform(-1, 1, (400, 8)).astype(np.float32)
    with tv.device(GPU):
        variable = tv.Variable(host)
        variable.scatter_add(tv.IndexedSlices(updates, indices))
        picked = tv.gather(variable, indices)
    expected = host.astype(np.float64)
    np.add.at(expected, indices, updates)
    close(variable, expected, 1e-5)
    close(picked, expected[indices], 1e-5)


def check_replicas() -> None:
    """A variable read on the card many times is copied once per version."""
    with tv.device(CPU):
        variable = tv.Variable(tv.ones([256]))
    with tv.debugging.record_placement() as log, tv.device(GPU):
        for _ in range(10):
            total = variable + 1.0
        variable.assign(tv.fill([256], 3.0))
        total = variable + 1.0
    copies = [copy for copy in log.copies if not copy.cached and copy.destination == GPU
              and copy.variable is not None]  # fmt: skip
    expect(len(copies) == 2, f'{len(copies)} copies to the card, expected 2: {copies}')
    close(total, np.full(256, 4.0))


def check_streams() -> None:
    """CuPy code of the program is ordered with ours, both ways."""
    import cupy  # noqa: PLC0415 there wherever this step runs

    own = cupy.arange(1 << 20, dtype=np.float32)
    with tv.config.stream(GPU) as stream:
        doubled = own * 2
        value = tv.experimental.dlpack.from_dlpack(doubled) + 1.0
        expect(cupy.cuda.get_current_stream() is stream, 'our stream is not the current one')
    after = cupy.from_dlpack(value) - 1
    expect(bool((after == own * 2).all()), 'work was done out of order')


def check_dlpack_with_torch() -> None:
    """Tensors travel to PyTorch and back without a copy."""
    if importlib.util.find_spec('torch') is None:
        raise SkipCheckError('PyTorch is missing')
    import torch  # noqa: PLC0415 absent on some machines

    theirs = torch.arange(1000, device='cuda', dtype=torch.float32) * 3
    ours = tv.experimental.dlpack.from_dlpack(theirs)
    expect(on(ours) == GPU, f'it came to {on(ours)}')
    close(ours + 1.0, np.arange(1000) * 3.0 + 1)
    back = torch.from_dlpack(ours * 2.0)
    expect(bool((back == theirs * 2).all()), 'what came back is wrong')


def check_guard() -> None:
    """A guard refuses an implicit copy and says what it was."""
    with tv.device(GPU):
        value = tv.ones([64])
        with tv.transfer_guard('disallow'):
            try:
                np.asarray(value)
            except tv.errors.TransferError as error:
                expect('GPU:0' in str(error), f'the error names no device: {error}')
            else:
                raise AssertionError('the copy was not refused')
            close(value * 2.0, np.full(64, 2.0))


def check_memory_limit() -> None:
    """A full device raises, names the holders, and works on."""
    gc.collect()
    tv.config.release_memory(GPU)
    used = tv.config.get_memory_info(GPU)['current']
    tv.config.set_memory_limit(GPU, used + 64 * MIB)
    try:
        with tv.device(GPU):
            large = tv.Variable(tv.zeros([8 * MIB]), name='large')  # 32 MiB of float32
            try:
                tv.ones([12 * MIB])
            except tv.errors.ResourceExhaustedError as error:
                expect('large' in str(error), f'the error names no holder: {error}')
            else:
                raise AssertionError('48 MiB fitted beside 32 MiB of 64 MiB')
            close(tv.ones([1024]) + 1.0, np.full(1024, 2.0))
            close(tv.reduce_sum(large), np.array(0.0))
    finally:
        tv.config.set_memory_limit(GPU, None)


def check_card_full() -> None:
    """More than the card has raises, too, and leaves it usable."""
    with tv.device(GPU):
        try:
            tv.zeros([1 << 40])
        except tv.errors.ResourceExhaustedError:
            pass
        else:
            raise AssertionError('4 TiB were allocated')
        close(tv.ones([8]) * 3.0, np.full(8, 3.0))


def check_log() -> None:
    """Records say device and time; the summary is text."""
    with tv.debugging.record_placement(device_times=True) as log, tv.device(GPU):
        product = tv.ones([512, 512]) @ tv.ones([512, 512])
    records = [record for record in log.records if record.op in ('MatMul', 'BatchMatMulV2')]
    expect(len(records) == 1, f'{len(records)} records of the product')
    expect(records[0].device == GPU, f'it says {records[0].device}')
    expect(records[0].clock == 'device', f'its clock is {records[0].clock}')
    expect(records[0].end_ns > records[0].start_ns, 'it took no time')
    expect('MatMul' in str(log.summary()), 'the summary lacks it')
    expect(math.isclose(float(product[0, 0].numpy()), 512), 'the product is wrong')


def check_random() -> None:
    """Seeded draws are the same on the card and on the CPU; unseeded ones look normal."""
    drawn = {}
    for device in (CPU, GPU):
        with tv.device(device):
            drawn[device] = tv.random.stateless_uniform([1000], seed=[3, 4]).numpy()
    expect(np.array_equal(drawn[CPU], drawn[GPU]), 'seeded draws differ')
    with tv.device(GPU):
        normal = tv.random.normal([1 << 20]).numpy()
        uniform = tv.random.uniform([1 << 22]).numpy()
    expect(abs(normal.mean()) < 0.01 and abs(normal.std() - 1) < 0.01, 'not normal')
    expect(0 <= uniform.min() and uniform.max() < 1, f'[{uniform.min()}, {uniform.max()}]')


def check_bad_index() -> None:
    """A bad index raises and writes nothing."""
    with tv.device(GPU):
        variable = tv.Variable(tv.zeros([4, 2]))
        try:
            variable.scatter_add(tv.IndexedSlices([[1.0, 1.0]], [9]))
        except tv.errors.InvalidArgumentError:
            pass
        else:
            raise AssertionError('index 9 of 4 was not refused')
        close(variable, np.zeros((4, 2)))


CHECKS = (
    check_placement, check_dtypes, check_matmul, check_assign_in_place, check_scatter,
    check_replicas, check_streams, check_dlpack_with_torch, check_guard, check_memory_limit,
    check_card_full, check_log, check_random, check_bad_index,
)  # fmt: skip


def main(step: session.Session, checks: tuple[Callable[[], None], ...] = CHECKS) -> None:
    """Makes the checks, and shows the traceback of the first that fails."""
    passed = 0
    for check in checks:
        name = check.__name__.removeprefix('check_')
        start = time.monotonic()
        try:
            check()
        except SkipCheckError as reason:
            step.say(f'SKIP {name}: {reason}')
            continue
        except Exception as error:  # noqa: BLE001 the other checks are made nevertheless
            traceback.print_exc()
            step.facts.setdefault('first_traceback', traceback.format_exc().splitlines())
            text = ' '.join(str(error).split())[:300]
            step.fail(f'FAIL {name}: {type(error).__name__}: {text}')
            continue
        passed += 1
        print(f'PASS {name} ({time.monotonic() - start:.1f} s)', flush=True)
    step.say(f'{passed} of {len(checks)} checks pass')


if __name__ == '__main__':
    session.run(main)
