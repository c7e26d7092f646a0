"""What one call on four elements costs the host, and how soon calls follow each other."""

from typing import Any

from benchmarks.on_gpu_steps import operands, session, timing

ELEMENTS = 4
# Short batches: a full queue would have the host wait for the card.
_HOST_EFFORT = timing.Effort(rounds=32, batch_seconds=1e-3, most_calls=200)


def main(step: session.Session) -> None:
    """Times the host alone, then the card's rhythm."""
    x, y, v = (operands.draw((ELEMENTS,), 'float32') for _ in range(3))
    variable = operands.tv.Variable(v.tensorvar)
    programs = {
        'assign_add': (
            lambda _: variable.assign_add(x.tensorvar),
            lambda _: _add_in_place(v.cupy, x.cupy),
            lambda _: v.torch.add_(x.torch),
        ),
        'assign': (
            lambda _: variable.assign(x.tensorvar),
            lambda _: operands.cupy.copyto(v.cupy, x.cupy),
            lambda _: v.torch.copy_(x.torch),
        ),
        'a * b': (
            lambda _: x.tensorvar * y.tensorvar,
            lambda _: x.cupy * y.cupy,
            lambda _: x.torch * y.torch,
        ),
        'exp(a)': (
            lambda _: operands.tv.exp(x.tensorvar),
            lambda _: operands.cupy.exp(x.cupy),
            lambda _: operands.torch.exp(x.torch),
        ),
    }
    names = ('tensorvar', 'cupy', 'torch') if operands.torch else ('tensorvar', 'cupy')
    for name, calls in programs.items():
        pairs = zip(names, calls, strict=False)
        contenders = [operands.contender(library, call) for library, call in pairs]
        host = operands.compare(
            step, f'{name}, host alone', contenders, timing.HostClock(), _HOST_EFFORT
        )
        operands.compare(step, f'{name}, call after call', contenders, operands.event_clock())
        _say(step, name, host.get('seconds', {}))


def _say(step: session.Session, name: str, seconds: dict[str, float]) -> None:
    times = ', '.join(f'{library} {value * 1e6:.2f} us' for library, value in seconds.items())
    step.say(f'{name} on {ELEMENTS} elements, host alone: {times}')


def _add_in_place(target: Any, value: Any) -> None:
    target += value


if __name__ == '__main__':
    session.run(main)
