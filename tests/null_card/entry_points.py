"""Puts functions of Python in the place of CUDA's runtime and driver, below CuPy.

CuPy links the runtime into its extension modules, so no library can stand in for it. But these
modules call it through two of their own, which offer each function twice: as an attribute, and
as a capsule with a C function for the other extension modules, which take it when they are
imported. Here both are replaced, before anything else of CuPy is imported. What has no
replacement goes to the real runtime, which finds no card and fails: that tells what to add.
"""

import ctypes
import itertools
import types
from collections.abc import Callable, Iterator
from typing import Any

import cupy_backends.cuda.api.driver
import cupy_backends.cuda.api.runtime

_CUDA_VERSION = 13_000
_ALIGNMENT = 512
_CHIP = {'major': 9, 'minor': 0}
_MULTIPROCESSORS = 132
_MEMORY = 140 << 30
# More would be taken from the host for nothing.
_LARGEST = 8 << 30
_MILLISECONDS = 40.0

_PROPERTIES = {
    **_CHIP,
    'name': b'null card',
    'totalGlobalMem': _MEMORY,
    'multiProcessorCount': _MULTIPROCESSORS,
    'pciDomainID': 0,
    'pciBusID': 0,
    'pciDeviceID': 0,
    'l2CacheSize': 60 << 20,
    'sharedMemPerBlock': 48 << 10,
    'sharedMemPerBlockOptin': 227 << 10,
    'regsPerMultiprocessor': 1 << 16,
    'maxThreadsPerBlock': 1024,
    'maxGridSize': ((1 << 31) - 1, (1 << 16) - 1, (1 << 16) - 1),
    'warpSize': 32,
}

# CuPy has no constants for these two.
_COMPUTE_CAPABILITY = {75: _CHIP['major'], 76: _CHIP['minor']}
# By the names of CuPy's constants; of all others the value is 1.
_ATTRIBUTES = {
    'cudaDevAttrMaxBlockDimX': 1024,
    'cudaDevAttrMaxGridDimX': (1 << 31) - 1,
    'cudaDevAttrMaxSharedMemoryPerBlock': 48 << 10,
    'cudaDevAttrMaxSharedMemoryPerBlockOptin': 227 << 10,
    'cudaDevAttrMaxThreadsPerBlock': 1024,
    'cudaDevAttrMaxThreadsPerMultiProcessor': 2048,
    'cudaDevAttrMultiProcessorCount': _MULTIPROCESSORS,
    'cudaDevAttrWarpSize': 32,
}

_libc = ctypes.CDLL(None)
_libc.calloc.restype = ctypes.c_void_p
_libc.calloc.argtypes = (ctypes.c_size_t, ctypes.c_size_t)
_libc.free.argtypes = (ctypes.c_void_p,)


class _Card:
    """Functions of the runtime that do more than nothing, under CUDA's names."""

    def __init__(self, attributes: dict[int, int]) -> None:
        self._attributes = attributes
        self._handles = itertools.count(1)
        # What calloc gave, by the aligned address in it.
        self._blocks: dict[int, int] = {}
        self._capturing: set[int] = set()

    def malloc(self, nbytes: int) -> int:
        if nbytes > _LARGEST:
            raise MemoryError(f'a test wants {nbytes} bytes of the null card')
        block: int = _libc.calloc(1, nbytes + _ALIGNMENT)
        address = block + -block % _ALIGNMENT
        self._blocks[address] = block
        return address

    def free(self, address: int) -> None:
        _libc.free(self._blocks.pop(address, None))

    def hostAlloc(self, nbytes: int, flags: int) -> int:
        return self.malloc(nbytes)

    def freeHost(self, address: int) -> None:
        self.free(address)

    def memcpy(self, to: int, source: int, nbytes: int, *_: int) -> None:
        ctypes.memmove(to, source, nbytes)

    def memcpyAsync(self, to: int, source: int, nbytes: int, *_: int) -> None:
        ctypes.memmove(to, source, nbytes)

    def memcpyPeerAsync(
        self, to: int, card: int, source: int, other: int, nbytes: int, stream: int
    ) -> None:
        ctypes.memmove(to, source, nbytes)

    def memset(self, to: int, value: int, nbytes: int) -> None:
        ctypes.memset(to, value, nbytes)

    def memsetAsync(self, to: int, value: int, nbytes: int, stream: int) -> None:
        ctypes.memset(to, value, nbytes)

    def memGetInfo(self) -> tuple[int, int]:
        return _MEMORY, _MEMORY

    def getDeviceProperties(self, card: int) -> dict[str, Any]:
        return dict(_PROPERTIES)

    def deviceGetAttribute(self, attribute: int, card: int) -> int:
        return self._attributes.get(attribute, 1)

    def streamBeginCapture(self, stream: int, *mode: int) -> None:
        self._capturing.add(stream)

    def streamEndCapture(self, stream: int) -> int:
        self._capturing.remove(stream)
        return self._new_handle()

    def streamIsCapturing(self, stream: int) -> int:
        return int(stream in self._capturing)

    def _new_handle(self, *_: object) -> int:
        """Of a new stream, event, graph, module or function."""
        return next(self._handles)


def _always(value: object) -> Callable[..., Any]:
    return lambda *_: value


_DO_NOTHING = (
    '_deviceEnsurePeerAccess', '_ensure_context', 'check_status', 'deviceEnablePeerAccess',
    'deviceSynchronize', 'eventDestroy', 'eventRecord', 'eventSynchronize', 'graphDestroy',
    'graphExecDestroy', 'graphLaunch', 'graphUpload', 'launchHostFunc', 'profilerStart',
    'profilerStop', 'setDevice', 'streamAddCallback', 'streamDestroy', 'streamSynchronize',
    'streamWaitEvent', 'funcSetAttribute', 'launchCooperativeKernel', 'launchKernel',
    'moduleUnload',
)  # fmt: skip

_MAKE_A_HANDLE = (
    'eventCreate', 'eventCreateWithFlags', 'graphInstantiate', 'streamCreate',
    'streamCreateWithFlags', 'streamCreateWithPriority', 'ctxGetCurrent', 'moduleGetFunction',
    'moduleLoad', 'moduleLoadData',
)  # fmt: skip

_TELL = {
    '_getCUDAMajorVersion': _CUDA_VERSION // 1000,
    'deviceCanAccessPeer': 1,
    'driverGetVersion': _CUDA_VERSION,
    'eventElapsedTime': _MILLISECONDS,
    'eventQuery': 0,
    'getDevice': 0,
    'getDeviceCount': 1,
    'pointerGetMemoryType': 0,
    'runtimeGetVersion': _CUDA_VERSION,
    'streamGetFlags': 1,
    'streamGetPriority': 0,
    'streamQuery': 0,
    'ctxGetDevice': 0,
    'funcGetAttribute': 0,
    'occupancyMaxActiveBlocksPerMultiprocessor': 2,
    'occupancyMaxPotentialBlockSize': (_MULTIPROCESSORS, 256),
}


def install() -> None:
    """Replaces the functions; CuPy must not be imported yet."""
    runtime = cupy_backends.cuda.api.runtime
    driver = cupy_backends.cuda.api.driver
    attributes = {getattr(runtime, name): value for name, value in _ATTRIBUTES.items()}
    card = _Card(_COMPUTE_CAPABILITY | attributes)
    functions = {
        **{name: _always(None) for name in _DO_NOTHING},
        **{name: _always(value) for name, value in _TELL.items()},
        **dict.fromkeys(_MAKE_A_HANDLE, card._new_handle),
        **{name: getattr(card, name) for name in vars(_Card) if not name.startswith('_')},
    }
    missing = functions.keys() - runtime.__pyx_capi__.keys() - driver.__pyx_capi__.keys()
    if missing:
        raise AttributeError(f'this CuPy has no {sorted(missing)}; see entry_points.py')
    for module in (runtime, driver):
        for name in functions.keys() & module.__pyx_capi__.keys():
            _replace(module, name, functions[name])


# Of CuPy's C functions, as their capsules are called. The last two arguments of each are
# for Cython: whether to skip a Python override, and those that may be left out.
_TYPES = {
    'PyObject *': ctypes.py_object,
    'int': ctypes.c_int,
    'unsigned int': ctypes.c_uint,
    'intptr_t': ctypes.c_ssize_t,
    'size_t': ctypes.c_size_t,
    'float': ctypes.c_float,
}
_SKIP, _OPTIONAL = 'int __pyx_skip_dispatch', '*__pyx_optional_args'

_capsule_name = ctypes.pythonapi.PyCapsule_GetName
_capsule_name.restype = ctypes.c_void_p
_capsule_name.argtypes = (ctypes.py_object,)
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)

# Neither the functions nor the old capsules, whose names the new ones have, may go.
_kept: list[object] = []


def _replace(module: types.ModuleType, name: str, function: Callable[..., Any]) -> None:
    old = module.__pyx_capi__[name]
    label = _capsule_name(old)
    result, arguments = _parse(ctypes.string_at(label).decode())
    known = sum(argument is not None for argument in arguments)
    prototype = ctypes.PYFUNCTYPE(result, *[kind or ctypes.c_void_p for kind in arguments])
    in_c = prototype(lambda *values: function(*values[:known]))
    address = ctypes.cast(in_c, ctypes.c_void_p)
    _kept.extend((old, in_c))
    module.__pyx_capi__[name] = _new_capsule(address, label, None)
    setattr(module, name, function)


def _parse(signature: str) -> tuple[Any, list[Any]]:
    """The types in ``'int (intptr_t, int __pyx_skip_dispatch)'``; None for what is Cython's."""
    result, _, rest = signature.partition('(')
    return _TYPES[result.strip()], list(_arguments(rest))


def _arguments(text: str) -> Iterator[Any]:
    for argument in text.rstrip(')').split(', '):
        if argument == _SKIP or argument.endswith(_OPTIONAL):
            yield None
        elif argument != 'void':
            yield _TYPES[argument]
