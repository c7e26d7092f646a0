"""Random numbers, seeds and generators.

Seeded draws give TensorFlow's CPU numbers on every device: integers, bits and uniform
floats exactly, normal values to the last places. Draws without a seed come from the
fastest generator of their device.
"""

from tensorvar import _left_out
from tensorvar._ops.binomial_draws import stateless_binomial
from tensorvar._ops.categorical_draws import categorical, stateless_categorical
from tensorvar._ops.gamma_draws import gamma, stateless_gamma
from tensorvar._ops.generator_state import create_rng_state
from tensorvar._ops.poisson_draws import poisson, stateless_poisson
from tensorvar._ops.random_generator import Generator, get_global_generator, set_global_generator
from tensorvar._ops.random_ops import normal, shuffle, truncated_normal, uniform
from tensorvar._ops.random_seed import set_seed
from tensorvar._ops.stateless_random import (
    Algorithm,
    fold_in,
    split,
    stateless_normal,
    stateless_truncated_normal,
    stateless_uniform,
)
from tensorvar.random import experimental

__all__ = [
    'Algorithm', 'Generator', 'categorical', 'create_rng_state', 'experimental', 'fold_in',
    'gamma', 'get_global_generator', 'normal', 'poisson', 'set_global_generator', 'set_seed',
    'shuffle', 'split', 'stateless_binomial', 'stateless_categorical', 'stateless_gamma',
    'stateless_normal', 'stateless_poisson', 'stateless_truncated_normal', 'stateless_uniform',
    'truncated_normal', 'uniform',
]  # fmt: skip

_left_out.install(__name__, __all__)
