"""Normal draws: unseeded from the fastest generator, seeded as TensorFlow's numbers."""

from benchmarks.on_gpu_steps import operands, session

SIZES = (1 << 10, 1 << 20, 1 << 26)


def main(step: session.Session) -> None:
    """Compares draws of float32."""
    generator = operands.cupy.random.default_rng(3)
    for size in SIZES:
        if step.seconds_left() < 3:
            step.say(f'out of time at {size}')
            return
        for name, ours in (('unseeded', _unseeded), ('stateless', _stateless)):
            contenders = [
                operands.contender('tensorvar', lambda _, draw=ours, n=size: draw(n)),
                operands.contender(
                    'cupy', lambda _, n=size: generator.standard_normal(n, dtype='float32')
                ),
            ]
            if operands.torch:
                contenders.append(
                    operands.contender(
                        'torch', lambda _, n=size: operands.torch.randn(n, device='cuda')
                    )
                )
            operands.compare(
                step,
                f'normal {name} {size}',
                contenders,
                operands.event_clock(),
                group=f'normal {name}',
                bytes=4 * size,
            )


def _unseeded(size: int) -> object:
    with operands.tv.device(operands.DEVICE):
        return operands.tv.random.normal([size])


def _stateless(size: int) -> object:
    with operands.tv.device(operands.DEVICE):
        return operands.tv.random.stateless_normal([size], seed=[1, 2])


if __name__ == '__main__':
    session.run(main)
