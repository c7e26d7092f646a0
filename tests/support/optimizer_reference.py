"""What the optimizers must give, in NumPy, in the order in which Keras 3 computes."""

from typing import Any, NamedTuple

import numpy as np

from tensorvar._cuda import optimizer_rules
from tests.support import kernel_reference

RULES = {
    'sgd': optimizer_rules.sgd(),
    'sgd decay': optimizer_rules.sgd(weight_decay=0.01),
    'momentum': optimizer_rules.sgd(0.9),
    'nesterov': optimizer_rules.sgd(0.9, nesterov=True),
    'rmsprop': optimizer_rules.rmsprop(),
    'rmsprop momentum': optimizer_rules.rmsprop(0.8, 0.9, 1e-5),
    'rmsprop centered': optimizer_rules.rmsprop(centered=True),
    'rmsprop centered momentum': optimizer_rules.rmsprop(
        0.95, 0.5, 1e-3, centered=True, weight_decay=0.004
    ),
    'adagrad': optimizer_rules.adagrad(),
    'adam': optimizer_rules.adam(),
    'amsgrad': optimizer_rules.adam(0.8, 0.99, amsgrad=True),
    'adamw': optimizer_rules.adam(weight_decay=0.004),
    'lion': optimizer_rules.lion(),
    'lion decay': optimizer_rules.lion(0.95, 0.98, weight_decay=0.1),
}


class Rates(NamedTuple):
    """What all elements share in one step.

    Attributes:
        step: its number, 1 for the first.
        learning_rate: in float64.
        factor: of the gradients, in float64.
    """

    step: int
    learning_rate: float
    factor: float = 1.0


def corrected_rate(rule: optimizer_rules.Rule, rates: Rates) -> float:
    """The learning rate with Adam's correction for the step."""
    if rule.betas is None:
        return rates.learning_rate
    power_1, power_2 = (np.float64(beta) ** rates.step for beta in rule.betas)
    return float(rates.learning_rate * np.sqrt(1 - power_2) / (1 - power_1))


def stepped(
    rule: optimizer_rules.Rule,
    parameter: np.ndarray,
    gradient: np.ndarray,
    slots: dict[str, np.ndarray],
    rates: Rates,
    *,
    master: np.ndarray | None = None,
    decays: bool = True,
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray | None]:
    """Parameter, slots and master after one step, as new arrays."""
    computed: Any = np.float64 if parameter.dtype == np.float64 else np.float32
    weight = kernel_reference.convert(parameter if master is None else master, np.dtype(computed))
    rate = computed(rates.learning_rate)
    with np.errstate(all='ignore'):
        scaled = kernel_reference.convert(gradient, np.dtype(computed)) * computed(rates.factor)
        if decays and rule.weight_decay:
            weight = weight - weight * computed(rule.weight_decay) * rate
        values = [computed(value) for value in rule.constants]
        corrected = computed(corrected_rate(rule, rates))
        change, kept = _FAMILIES[rule.code](values, scaled, slots, rate, corrected)
        weight = weight + change if rule.code in ('Momentum', 'Nesterov') else weight - change
    assert all(array.dtype == computed for array in kept.values())
    assert weight.dtype == computed
    written = kernel_reference.convert(weight, parameter.dtype)
    return written, kept, None if master is None else weight


Slots = dict[str, np.ndarray]
Change = tuple[np.ndarray, Slots]


def _sgd(values: list[Any], g: np.ndarray, slots: Slots, rate: Any, _: Any) -> Change:
    return g * rate, {}


def _momentum(values: list[Any], g: np.ndarray, slots: Slots, rate: Any, _: Any) -> Change:
    m = slots['momentum'] * values[0] - g * rate
    return m, {'momentum': m}


def _nesterov(values: list[Any], g: np.ndarray, slots: Slots, rate: Any, _: Any) -> Change:
    m = slots['momentum'] * values[0] - g * rate
    return m * values[0] - g * rate, {'momentum': m}


def _rmsprop(values: list[Any], g: np.ndarray, slots: Slots, rate: Any, _: Any) -> Change:
    rho, rest, epsilon, momentum = values
    kept = {'velocity': rho * slots['velocity'] + rest * np.square(g)}
    below = kept['velocity']
    if 'average_gradient' in slots:
        kept['average_gradient'] = rho * slots['average_gradient'] + rest * g
        below = below - np.square(kept['average_gradient'])
    change = rate * g / np.sqrt(below + epsilon)
    if 'momentum' in slots:
        change = kept['momentum'] = momentum * slots['momentum'] + change
    return change, kept


def _adagrad(values: list[Any], g: np.ndarray, slots: Slots, rate: Any, _: Any) -> Change:
    total = slots['accumulator'] + np.square(g)
    return rate * g / np.sqrt(total + values[0]), {'accumulator': total}


def _adam(values: list[Any], g: np.ndarray, slots: Slots, _: Any, corrected: Any) -> Change:
    m, v = slots['momentum'], slots['velocity']
    m = m + (g - m) * values[0]
    v = v + (np.square(g) - v) * values[1]
    kept = {'momentum': m, 'velocity': v}
    if 'velocity_hat' in slots:
        v = kept['velocity_hat'] = np.maximum(slots['velocity_hat'], v)
    return m * corrected / (np.sqrt(v) + values[2]), kept


def _lion(values: list[Any], g: np.ndarray, slots: Slots, rate: Any, _: Any) -> Change:
    m = slots['momentum']
    one = values[0].dtype.type(1)
    change = rate * np.sign(m * values[0] + g * (one - values[0]))
    return change, {'momentum': m * values[1] + g * (one - values[1])}


_FAMILIES = {
    'Sgd': _sgd,
    'Momentum': _momentum,
    'Nesterov': _nesterov,
    'RmsProp': _rmsprop,
    'RmsPropMomentum': _rmsprop,
    'RmsPropCentered': _rmsprop,
    'RmsPropCenteredMomentum': _rmsprop,
    'Adagrad': _adagrad,
    'Adam': _adam,
    'AmsGrad': _adam,
    'Lion': _lion,
}
