"""Copies between host and card, beside PyTorch's from and to pinned memory."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.on_gpu_steps import operands, session, timing

SIZES = (64 << 10, 4 << 20, 256 << 20)
_EFFORT = timing.Effort(rounds=15)


def main(step: session.Session) -> None:
    """Compares both directions; the time is that on the wall until the data is there."""
    random = np.random.default_rng(1)
    for nbytes in SIZES:
        if step.seconds_left() < 4:
            step.say(f'out of time at {nbytes} bytes')
            return
        host = random.random(nbytes // 4, np.float32)
        for direction, make in (('host to card', _uploads), ('card to host', _downloads)):
            step.attempt(f'{direction} {nbytes}', _compare, step, direction, host, make)


def _compare(
    step: session.Session,
    direction: str,
    host: np.ndarray[Any, Any],
    make: Callable[[np.ndarray[Any, Any]], dict[str, Callable[[int], Any]]],
) -> None:
    nbytes = host.nbytes
    contenders = [
        operands.contender(name, call, name.partition(' ')[0]) for name, call in make(host).items()
    ]
    row = operands.compare(
        step,
        f'{direction} {nbytes >> 10} KiB',
        contenders,
        timing.WallClock(),
        _EFFORT,
        group=direction,
        bytes=nbytes,
    )
    rates = ', '.join(
        f'{name} {nbytes / value / 1e9:.1f} GB/s' for name, value in row.get('seconds', {}).items()
    )
    step.say(f'{direction}, {nbytes >> 10} KiB: {rates}')


def _uploads(host: np.ndarray[Any, Any]) -> dict[str, Callable[[int], Any]]:
    def ours(_: int) -> Any:
        with operands.tv.device(operands.DEVICE):
            return operands.tv.constant(host)

    calls: dict[str, Callable[[int], Any]] = {
        'tensorvar': ours,
        'cupy': lambda _: operands.cupy.asarray(host),
    }
    if operands.torch:
        pageable = operands.torch.from_numpy(host)
        pinned = pageable.pin_memory()
        calls['torch'] = lambda _: pageable.to('cuda')
        calls['torch pinned'] = lambda _: pinned.to('cuda', non_blocking=True)
    return calls


def _downloads(host: np.ndarray[Any, Any]) -> dict[str, Callable[[int], Any]]:
    values = operands.share(operands.cupy.asarray(host), 'float32')
    calls: dict[str, Callable[[int], Any]] = {
        'tensorvar': lambda _: values.tensorvar.numpy(),
        'cupy': lambda _: operands.cupy.asnumpy(values.cupy),
    }
    if operands.torch:
        pinned = operands.torch.empty(host.shape, pin_memory=True)
        calls['torch'] = lambda _: values.torch.cpu()
        calls['torch pinned'] = lambda _: pinned.copy_(values.torch, non_blocking=True)
    return calls


if __name__ == '__main__':
    session.run(main)
