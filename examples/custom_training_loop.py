"""A training loop by hand: module, tape, Adam in a few lines, gradients that explain."""

import tensorvar as tv

STEPS = 300


class Line(tv.Module):
    """``slope * x + offset``."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = tv.Variable(0.0, name='slope')
        self.offset = tv.Variable(0.0, name='offset')

    def __call__(self, x: tv.Tensor) -> tv.Tensor:
        """The line at ``x``."""
        return self.slope * x + self.offset


class Adam:
    """The Adam update. What it remembers lives on the device of each variable."""

    def __init__(self, variables: tuple[tv.Variable, ...], rate: float) -> None:
        self.rate = rate
        self.step = 0
        self.means = {}
        self.squares = {}
        for variable in variables:
            with tv.device(variable.device):
                self.means[variable] = tv.Variable(tv.zeros_like(variable), trainable=False)
                self.squares[variable] = tv.Variable(tv.zeros_like(variable), trainable=False)

    def apply(self, variable: tv.Variable, gradient: tv.Tensor) -> None:
        """Moves one variable against its gradient."""
        mean, square = self.means[variable], self.squares[variable]
        mean.assign(0.9 * mean + 0.1 * gradient)
        square.assign(0.99 * square + 0.01 * gradient**2)
        unbiased = mean / (1 - 0.9**self.step)
        scale = tv.sqrt(square / (1 - 0.99**self.step)) + 1e-7
        variable.assign_sub(self.rate * unbiased / scale)


def main() -> None:
    """Fits a line to noisy points, and asks why a gradient is missing."""
    print('everything runs on', tv.current_device())
    tv.random.set_seed(3)
    x = tv.random.uniform([200], -1, 1)
    y = 3 * x - 2 + tv.random.normal([200], stddev=0.1)

    line = Line()
    adam = Adam(line.trainable_variables, rate=0.05)
    for adam.step in range(1, STEPS + 1):
        with tv.GradientTape() as tape:
            loss = tv.reduce_mean((line(x) - y) ** 2)
        gradients = tape.gradient(loss, line.trainable_variables)
        for variable, gradient in zip(line.trainable_variables, gradients, strict=True):
            adam.apply(variable, gradient)
        if adam.step % 100 == 0:
            slope, offset = line.slope.numpy(), line.offset.numpy()
            print(f'step {adam.step}: loss {loss.numpy():.4f}, y = {slope:.2f} x {offset:+.2f}')

    print('\nA gradient that is None can be explained:')
    with tv.GradientTape(persistent=True) as tape:
        doubled = (line.slope * 2.0).numpy()
        result = tv.square(doubled)
    assert tape.gradient(result, line.slope) is None
    print(tape.explain(result, line.slope))


if __name__ == '__main__':
    main()
