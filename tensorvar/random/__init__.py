"""Random numbers, seeds and generators.

Seeded draws give TensorFlow's CPU numbers on every device: integers, bits and uniform
floats exactly, normal values to the last places. Draws without a seed come from the
fastest generator of their device.
"""

from tensorvar import _left_out
from tensorvar._ops.binomial_draws import stateless_binomial as stateless_binomial
from tensorvar._ops.categorical_draws import categorical as categorical
from tensorvar._ops.categorical_draws import stateless_categorical as stateless_categorical
from tensorvar._ops.gamma_draws import gamma as gamma
from tensorvar._ops.gamma_draws import stateless_gamma as stateless_gamma
from tensorvar._ops.generator_state import create_rng_state as create_rng_state
from tensorvar._ops.poisson_draws import poisson as poisson
from tensorvar._ops.poisson_draws import stateless_poisson as stateless_poisson
from tensorvar._ops.random_generator import Generator as Generator
from tensorvar._ops.random_generator import get_global_generator as get_global_generator
from tensorvar._ops.random_generator import set_global_generator as set_global_generator
from tensorvar._ops.random_ops import normal as normal
from tensorvar._ops.random_ops import shuffle as shuffle
from tensorvar._ops.random_ops import truncated_normal as truncated_normal
from tensorvar._ops.random_ops import uniform as uniform
from tensorvar._ops.random_seed import set_seed as set_seed
from tensorvar._ops.stateless_random import Algorithm as Algorithm
from tensorvar._ops.stateless_random import fold_in as fold_in
from tensorvar._ops.stateless_random import split as split
from tensorvar._ops.stateless_random import stateless_normal as stateless_normal
from tensorvar._ops.stateless_random import stateless_truncated_normal as stateless_truncated_normal
from tensorvar._ops.stateless_random import stateless_uniform as stateless_uniform
from tensorvar.random import experimental as experimental

__all__ = [
    'Algorithm',
    'Generator',
    'categorical',
    'create_rng_state',
    'experimental',
    'fold_in',
    'gamma',
    'get_global_generator',
    'normal',
    'poisson',
    'set_global_generator',
    'set_seed',
    'shuffle',
    'split',
    'stateless_binomial',
    'stateless_categorical',
    'stateless_gamma',
    'stateless_normal',
    'stateless_poisson',
    'stateless_truncated_normal',
    'stateless_uniform',
    'truncated_normal',
    'uniform',
]

_left_out.install(__name__, __all__)
