"""Update rules of ``kernels/tv_optimizers.cuh`` with their options, as Keras 3 names them.

A rule says nothing of the learning rate, the step and the loss scale, which live in device
memory; see ``optimizers.Scalar``.

Some options Keras holds in float32, whatever the dtype of the parameters. So do we, or
float64 parameters would go other ways: the weight decay, the momentum of SGD, the betas of
Lion, and those of Adam where they are raised to the power of the step. The learning rate
is such an option, too, and the caller's.
"""

from typing import NamedTuple

import numpy as np


class Rule(NamedTuple):
    """How parameters follow their gradients.

    Attributes:
        code: the rule in the kernels.
        slots: what is kept for each parameter, in the kernels' order. All begin with zeros,
            but for Adagrad's accumulator, for which Keras takes the 0.1 of float32.
        constants: of the rule, in the kernels' order, without the weight decay.
        weight_decay: the share of a parameter, times the learning rate, that is taken off
            before each update; 0 for none.
        betas: of Adam's correction for the step, or None.
    """

    code: str
    slots: tuple[str, ...]
    constants: tuple[float, ...]
    weight_decay: float
    betas: tuple[float, float] | None = None


def sgd(
    momentum: float = 0.0, *, nesterov: bool = False, weight_decay: float | None = None
) -> Rule:
    """Gradient descent, with momentum if that is not 0.

    Args:
        momentum: share of the last step that is kept.
        nesterov: whether the gradient is taken as if the step were done already.
        weight_decay: see ``Rule``.
    """
    if not momentum:
        return Rule('Sgd', (), (), _held(weight_decay))
    code = 'Nesterov' if nesterov else 'Momentum'
    return Rule(code, ('momentum',), (_held(momentum),), _held(weight_decay))


def rmsprop(
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    *,
    centered: bool = False,
    weight_decay: float | None = None,
) -> Rule:
    """Gradients divided by the root of the average of their squares.

    Args:
        rho: share of the average that is kept.
        momentum: share of the last step that is kept.
        epsilon: added to what the root is taken of.
        centered: whether the variance takes the place of the average square.
        weight_decay: see ``Rule``.
    """
    code = f'RmsProp{"Centered" if centered else ""}{"Momentum" if momentum else ""}'
    slots = ('velocity', *['momentum'] * bool(momentum), *['average_gradient'] * centered)
    return Rule(code, slots, (rho, 1 - rho, epsilon, momentum), _held(weight_decay))


def adagrad(epsilon: float = 1e-7, *, weight_decay: float | None = None) -> Rule:
    """Gradients divided by the root of the sum of all their squares so far.

    Args:
        epsilon: added to what the root is taken of.
        weight_decay: see ``Rule``.
    """
    return Rule('Adagrad', ('accumulator',), (epsilon,), _held(weight_decay))


def adam(
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    *,
    amsgrad: bool = False,
    weight_decay: float | None = None,
) -> Rule:
    """The average gradient divided by the root of the average square; AdamW by its decay.

    Powers of the betas are computed in float64. Keras computes them in the dtype of the
    parameters, so in float32 its steps are off by up to some 1e-5 of their size.

    Args:
        beta_1: share of the average gradient that is kept.
        beta_2: share of the average square that is kept.
        epsilon: added to the root.
        amsgrad: whether the largest average square so far takes the place of the last.
        weight_decay: see ``Rule``; Keras' AdamW has 0.004.
    """
    slots = ('momentum', 'velocity', *['velocity_hat'] * amsgrad)
    constants = (1 - beta_1, 1 - beta_2, epsilon)
    code = 'AmsGrad' if amsgrad else 'Adam'
    return Rule(code, slots, constants, _held(weight_decay), (_held(beta_1), _held(beta_2)))


def lion(beta_1: float = 0.9, beta_2: float = 0.99, *, weight_decay: float | None = None) -> Rule:
    """Steps of one size, in the direction of an average gradient.

    Args:
        beta_1: share of the average in the direction.
        beta_2: share of the average that is kept.
        weight_decay: see ``Rule``.
    """
    return Rule('Lion', ('momentum',), (_held(beta_1), _held(beta_2)), _held(weight_decay))


def _held(value: float | None) -> float:
    return 0.0 if value is None else float(np.float32(value))
