"""Random draws, each library's own generator; ours draws TensorFlow's numbers when seeded."""

from typing import Any

from benchmarks.cases import SIZES, Cases, label


def tensorvar_cases(tv: Any) -> Cases:
    generator = tv.random.Generator.from_seed(1)
    cases: Cases = {}
    for size in SIZES:
        cases |= {
            label('uniform, unseeded,', size): lambda n=size: tv.random.uniform([n]),
            label('normal, unseeded,', size): lambda n=size: tv.random.normal([n]),
            label('normal, seeded,', size): lambda n=size: generator.normal([n]),
            label('normal, stateless,', size): lambda n=size: tv.random.stateless_normal(
                [n], seed=[1, 2]
            ),
        }
    return cases


def numpy_cases(np: Any) -> Cases:
    unseeded, seeded = np.random.default_rng(), np.random.default_rng(1)
    cases: Cases = {}
    for size in SIZES:
        cases |= {
            label('uniform, unseeded,', size): lambda n=size: unseeded.random(n, np.float32),
            label('normal, unseeded,', size): lambda n=size: unseeded.standard_normal(
                n, np.float32
            ),
            label('normal, seeded,', size): lambda n=size: seeded.standard_normal(n, np.float32),
        }
    return cases


def torch_cases(torch: Any) -> Cases:
    generator = torch.Generator(torch.zeros(()).device).manual_seed(1)
    cases: Cases = {}
    for size in SIZES:
        cases |= {
            label('uniform, unseeded,', size): lambda n=size: torch.rand(n),
            label('normal, unseeded,', size): lambda n=size: torch.randn(n),
            label('normal, seeded,', size): lambda n=size: torch.randn(n, generator=generator),
        }
    return cases


def jax_cases(jax: Any) -> Cases:
    key = jax.random.key(1)
    return {
        label('normal, stateless,', size): lambda n=size: jax.random.normal(key, (n,))
        for size in SIZES
    }
