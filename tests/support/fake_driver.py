"""A stand-in for libcuda: notes each launch with its arguments by value."""

import ctypes
from typing import Any, NamedTuple

from tensorvar._cuda import launch


class Launched(NamedTuple):
    grid: tuple[int, ...]
    block: tuple[int, ...]
    shared: int
    stream: int
    attributes: list[tuple[int, bytes]]
    function: int
    arguments: bytes
    in_one: bool


class FakeLibrary:
    """The functions that ``launch.Driver`` calls.

    Attributes:
        fails: return code by name of the function.
        layout: what ``cuFuncGetParamInfo`` tells.
        launched: every launch so far.
        calls: names of the other functions called.
        encoded: arguments of each tensor map after the first, by value; map n is 128
            bytes of n.
    """

    def __init__(self, layout: tuple[tuple[int, int], ...]) -> None:
        self.fails: dict[str, int] = {}
        self.layout = layout
        self.launched: list[Launched] = []
        self.calls: list[str] = []
        self.encoded: list[tuple[Any, ...]] = []

    def cuDriverGetVersion(self, version: Any) -> int:
        version._obj.value = 12000
        return self._done('cuDriverGetVersion')

    def cuModuleLoadData(self, module: Any, image: bytes) -> int:
        assert image
        module._obj.value = 11
        return self._done('cuModuleLoadData')

    def cuModuleGetFunction(self, function: Any, module: Any, name: bytes) -> int:
        assert module.value == 11
        assert name
        function._obj.value = 2**40 + 22
        return self._done('cuModuleGetFunction')

    def cuFuncGetParamInfo(self, function: Any, index: Any, offset: Any, size: Any) -> int:
        if 'cuFuncGetParamInfo' in self.fails:
            return self.fails['cuFuncGetParamInfo']
        if index.value >= len(self.layout):
            return 1
        offset._obj.value, size._obj.value = self.layout[index.value]
        return 0

    def cuFuncSetAttribute(self, function: Any, attribute: int, value: int) -> int:
        return self._done(f'cuFuncSetAttribute {attribute} {value}')

    def cuLaunchKernelEx(self, config: Any, function: Any, parameters: Any, extra: Any) -> int:
        given = self._given(parameters, extra)
        found: launch.LaunchConfig = config._obj
        attributes = [
            (found.attributes[i].identifier, bytes(found.attributes[i].value))
            for i in range(found.attribute_count)
        ]
        self.launched.append(
            Launched(
                tuple(found.grid),
                tuple(found.block),
                found.shared,
                found.stream or 0,
                attributes,
                function.value,
                given,
                extra is not None,
            )
        )
        return self.fails.get('cuLaunchKernelEx', 0)

    def _given(self, parameters: Any, extra: Any) -> bytes:
        """The memory of the parameters, in which gaps are zeros, or the buffer as it came."""
        if extra is not None:
            assert parameters is None
            assert (extra[0], extra[2], extra[4]) == (1, 2, None)
            return ctypes.string_at(extra[1], ctypes.c_size_t.from_address(extra[3]).value)
        memory = bytearray(sum(self.layout[-1]))
        for place, (offset, size) in zip(parameters, self.layout, strict=True):
            memory[offset : offset + size] = ctypes.string_at(place, size)
        return bytes(memory)

    def cuTensorMapEncodeTiled(self, to: Any, *values: Any) -> int:
        assert to.value % 128 == 0
        ctypes.memset(to, len(self.encoded) + 1, 128)
        self.encoded.append(tuple(_value(value) for value in values))
        return self._done('cuTensorMapEncodeTiled')

    def cuGetErrorName(self, status: int, text: Any) -> int:
        text._obj.value = {700: b'CUDA_ERROR_ILLEGAL_ADDRESS'}.get(status)
        return 0

    def cuGetErrorString(self, status: int, text: Any) -> int:
        text._obj.value = {700: b'an illegal memory access was encountered'}.get(status)
        return 0

    def _done(self, name: str) -> int:
        self.calls.append(name)
        return self.fails.get(name.partition(' ')[0], 0)


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, ctypes.Array) else value.value
