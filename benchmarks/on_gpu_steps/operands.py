"""The libraries that are compared, and equal data for each of them."""

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import cupy
import ml_dtypes
import numpy as np

import tensorvar as tv
from benchmarks.on_gpu_steps import session, timing
from benchmarks.on_gpu_steps.timing import Contender, Lane

DEVICE = 'GPU:0'
DTYPES = {
    'float32': np.dtype(np.float32),
    'float16': np.dtype(np.float16),
    'bfloat16': np.dtype(ml_dtypes.bfloat16),
    'int8': np.dtype(np.int8),
}

_SEED = 20


absent: dict[str, str] = {}
"""Why a library is not compared with, by its name."""


def optional(name: str) -> ModuleType | None:
    """A library that may be missing, or useless here; ``absent`` then says why."""
    if importlib.util.find_spec(name) is None:
        absent[name] = 'not installed'
        return None
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        absent[name] = f'does not load: {" ".join(str(error).split())[:100]}'
        return None


def _torch_with_card() -> Any:
    found: Any = optional('torch')
    if found is not None and not found.cuda.is_available():
        absent['torch'] = f'version {found.__version__} sees no card'
        return None
    return found


torch: Any = _torch_with_card()


def jax_with_card() -> Any:
    """JAX, or None where it is missing or sees no card."""
    found: Any = optional('jax')
    if found is None:
        return None
    try:
        found.devices('gpu')
    except RuntimeError as error:
        absent['jax'] = f'version {found.__version__} sees no card: {str(error)[:100]}'
        return None
    return found


def lane(name: str) -> Lane:
    """Where a library queues its work; the host's clock has to do for others."""
    if name == 'tensorvar':
        with tv.config.stream(DEVICE) as stream:
            return Lane(stream, stream.synchronize)
    if name == 'torch':
        # PyTorch works on the null stream, as CuPy does.
        return Lane(cupy.cuda.Stream.null, torch.cuda.synchronize)
    return Lane(cupy.cuda.Stream.null, cupy.cuda.Stream.null.synchronize)


LANES = {'tensorvar': lane('tensorvar'), 'cupy': lane('cupy')} | (
    {'torch': lane('torch')} if torch else {}
)


def contender(name: str, call: Any, library: str | None = None) -> Contender:
    """One that works where its library does."""
    return Contender(name, call, LANES[library or name])


def event_clock() -> timing.EventClock:
    """The clock of the card."""
    return timing.EventClock(cupy.cuda)


def settle() -> None:
    """Waits for everything, and has every library give free memory back."""
    cupy.cuda.runtime.deviceSynchronize()
    tv.config.release_memory(DEVICE)
    cupy.get_default_memory_pool().free_all_blocks()
    if torch:
        torch.cuda.empty_cache()


def cache_bytes() -> int:
    """Size of the card's cache."""
    return int(cupy.cuda.runtime.getDeviceProperties(0)['l2CacheSize'])


def free_bytes() -> int:
    """Memory that is free on the card now."""
    return int(cupy.cuda.runtime.memGetInfo()[0])


@dataclass(frozen=True)
class Values:
    """The same numbers three times, in memory of each library's own."""

    tensorvar: Any
    cupy: Any
    torch: Any


_generator = cupy.random.default_rng(_SEED)


def draw(shape: Sequence[int], dtype: str, scale: float = 1.0) -> Values:
    """Numbers drawn evenly from [-scale, scale]; for int8 from [-100, 100]."""
    if dtype == 'int8':
        drawn = _generator.integers(-100, 101, tuple(shape), dtype=np.int64).astype(np.int8)
    else:
        drawn = _generator.random(tuple(shape), dtype=np.float32) * (2 * scale) - scale
    return share(drawn, dtype)


def share(array: Any, dtype: str) -> Values:
    """Copies a CuPy array for each library, as ``dtype``."""
    cupy.cuda.Stream.null.synchronize()
    ours = tv.Variable(tv.cast(tv.experimental.dlpack.from_dlpack(array), dtype)).value()
    theirs = None
    if torch:
        theirs = torch.from_dlpack(array).to(getattr(torch, dtype), copy=True)
    copied = array.astype(DTYPES.get(dtype, dtype))
    cupy.cuda.runtime.deviceSynchronize()
    return Values(ours, copied, theirs)


def copy_rate(nbytes: int) -> float:
    """Bytes per second that the card copies within itself, read and written ones counted."""
    pairs = [[cupy.empty(nbytes, np.uint8) for _ in range(2)] for _ in range(2)]
    stream, runtime = cupy.cuda.Stream.null, cupy.cuda.runtime

    def copy(number: int) -> None:
        target, source = pairs[number % 2]
        runtime.memcpyAsync(
            target.data.ptr, source.data.ptr, nbytes, runtime.memcpyDeviceToDevice, stream.ptr
        )

    for _, source in pairs:
        source[...] = _generator.integers(0, 256, nbytes, dtype=np.int64).astype(np.uint8)
    measured = timing.measure([contender('cupy', copy)], event_clock())
    return 2 * nbytes / measured.seconds['cupy']


def compare(
    step: session.Session,
    case: str,
    contenders: Sequence[Contender],
    clock: timing.Clock,
    effort: timing.Effort | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Measures a case and adds it to the findings; a contender that fails is left out.

    Ours fails the step with that; another library is said to have failed. A row says which
    libraries are absent.
    """
    able = [each for each in contenders if _works(step, case, each)]
    if not able:
        return {}
    measured = timing.measure(able, clock, effort)
    row = {'case': case, **vars(measured), **more}
    if absent:
        row['absent'] = dict(absent)
    step.add(row)
    return row


def _works(step: session.Session, case: str, each: Contender) -> bool:
    try:
        each.call(0)
        each.lane.wait()
    except Exception as error:  # noqa: BLE001 the others are compared nevertheless
        tell = step.fail if each.name.startswith('tensorvar') else step.say
        tell(f'{case}: {each.name}: {type(error).__name__}: {" ".join(str(error).split())[:200]}')
        return False
    return True
