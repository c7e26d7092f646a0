"""Device names: every accepted spelling in, one canonical form out."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tensorvar import errors

if TYPE_CHECKING:
    from tensorvar._device.device import Device

AUTO = 'auto'

# CUDA is another word for GPU. TPU is a device type that tensorvar never has, but the
# name is one: programs written for TensorFlow get the usual fallback.
_TYPES = {'CPU': 'CPU', 'GPU': 'GPU', 'CUDA': 'GPU', 'TPU': 'TPU'}
# A UUID may be shortened, but 'GPU-0' is more likely a slip for 'GPU:0'.
_UUID = re.compile(r'GPU-([0-9a-f]{4}[0-9a-f-]*|simulated-[0-9]+)', re.IGNORECASE)
_LEAST_LIKENESS = 0.5
_INDEX = re.compile(r'-?[0-9]+')
_EXAMPLES = "'GPU:0', '/device:GPU:0', 'GPU:auto' or '/job:localhost/replica:0/task:0/device:GPU:0'"


class DeviceSpec:
    """A device name taken apart; parts that are None are open.

    Two specs are equal if all parts are, whatever the spelling they came from.

    Args:
        job: name of the job, ``'localhost'`` in a single process.
        replica: number of the replica.
        task: number of the task.
        device_type: ``'CPU'`` or ``'GPU'``; case does not matter.
        device_index: number of the device.

    Raises:
        InvalidArgumentError: a number is not one.

    Example:
        >>> DeviceSpec.from_string('/gpu:1') == DeviceSpec(device_type='GPU', device_index=1)
        True
    """

    __slots__ = ('_parts',)

    def __init__(
        self,
        job: str | None = None,
        replica: int | str | None = None,
        task: int | str | None = None,
        device_type: str | None = None,
        device_index: int | str | None = None,
    ) -> None:
        kind = str(device_type).upper() if device_type else None
        self._parts = (
            str(job) if job is not None else None,
            _number('replica', replica),
            _number('task', task),
            _TYPES.get(kind, kind) if kind else None,
            _number('device_index', device_index),
        )

    @property
    def job(self) -> str | None:
        """Name of the job, or None."""
        return self._parts[0]

    @property
    def replica(self) -> int | None:
        """Number of the replica, or None."""
        return self._parts[1]

    @property
    def task(self) -> int | None:
        """Number of the task, or None."""
        return self._parts[2]

    @property
    def device_type(self) -> str | None:
        """``'CPU'``, ``'GPU'`` or None."""
        return self._parts[3]

    @property
    def device_index(self) -> int | None:
        """Number of the device, or None."""
        return self._parts[4]

    @classmethod
    def from_string(cls, spec: str) -> DeviceSpec:
        """Reads a device name.

        Args:
            spec: a name in any spelling, such as ``'/job:worker/GPU:1'`` or ``'cuda:0'``.

        Returns:
            The spec. ``'GPU'`` and ``'GPU:*'`` leave the index open.

        Raises:
            InvalidArgumentError: the text is no device name, or it names a card by
                UUID or ``auto``, which only a device scope can look up.
        """
        parsed = parse(spec, op='DeviceSpec')
        if parsed.selector is not None:
            raise errors.InvalidArgumentError(
                f'[DeviceSpec] {spec!r} selects a card of this machine; a spec holds job, replica, '
                f'task, type and index; give the name to tv.device'
            )
        return parsed.spec

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """Reads a device name; ``self`` is not changed, as in TensorFlow.

        Args:
            spec: a name in any spelling.

        Returns:
            A new spec.
        """
        return type(self).from_string(spec)

    def to_string(self) -> str:
        """The name, such as ``'/job:worker/device:GPU:1'``; open parts are left out."""
        names = ('job', 'replica', 'task')
        text = ''.join(
            f'/{name}:{part}'
            for name, part in zip(names, self._parts, strict=False)
            if part is not None
        )
        if self.device_type is None:
            return text
        index = '*' if self.device_index is None else self.device_index
        return f'{text}/device:{self.device_type}:{index}'

    def replace(self, **parts: Any) -> DeviceSpec:
        """A spec with some parts replaced.

        Args:
            **parts: constructor arguments; None opens a part.

        Returns:
            A new spec.
        """
        return type(self)(**{**self._as_dict(), **parts})

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """A spec with the parts of ``dev``, and those of ``self`` where ``dev`` is open.

        Args:
            dev: the spec that wins.

        Returns:
            A new spec.
        """
        merged = self._as_dict()
        merged.update((name, part) for name, part in dev._as_dict().items() if part is not None)
        return type(self)(**merged)

    def _as_dict(self) -> dict[str, Any]:
        names = ('job', 'replica', 'task', 'device_type', 'device_index')
        return dict(zip(names, self._parts, strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DeviceSpec):
            return NotImplemented
        return self._parts == other._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    def __repr__(self) -> str:
        parts = ', '.join(f'{name}={part}' for name, part in self._as_dict().items())
        return f'<DeviceSpec({parts})>'


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceName:
    """A parsed name.

    Attributes:
        text: the name as it was given.
        spec: its parts.
        selector: ``'auto'``, the UUID of a card, or None.
    """

    text: str
    spec: DeviceSpec
    selector: str | None = None


def parse(text: str, devices: Sequence[Device] = (), op: str = 'device') -> DeviceName:
    """Reads a device name in any spelling.

    Args:
        text: such as ``'GPU:0'``, ``'/gpu:0'``, ``'cuda'``, ``'GPU:auto'``,
            ``'GPU-<uuid>'`` or a full name.
        devices: the devices there are; an error lists them.
        op: name of the public function, for the error.

    Returns:
        The parsed name.

    Raises:
        InvalidArgumentError: the text is no device name; says the nearest one.
    """
    try:
        return _parse(text)
    except _MalformedNameError as problem:
        raise bad_name(text, str(problem), devices, op) from None


def bad_name(
    text: str, problem: str, devices: Sequence[Device], op: str = 'device'
) -> errors.InvalidArgumentError:
    """The error for a text that is no device name; it says the nearest one.

    Args:
        text: what was given.
        problem: what is wrong with it.
        devices: the devices there are.
        op: name of the public function.
    """
    nearest = _nearest(text, [device.short for device in devices])
    hint = f'did you mean {nearest!r}? ' if nearest else ''
    here = 'the devices here are ' + ', '.join(device.label for device in devices) + '; '
    return errors.InvalidArgumentError(
        f'[{op}] {text!r} is no device name: {problem}; {here if devices else ""}'
        f'{hint}names look like {_EXAMPLES}'
    )


# Programs enter scopes with the same few names all the time.
@functools.lru_cache(maxsize=256)
def _parse(text: str) -> DeviceName:
    parts: dict[str, Any] = {}
    for piece in text.split('/'):
        part = _read_piece(piece) if piece else {}
        if part is None:
            raise _MalformedNameError(f'{piece!r} is no part of one')
        twice = parts.keys() & part.keys()
        if twice:
            raise _MalformedNameError(f'it has two parts of the sort {min(twice)!r}')
        parts.update(part)
    selector = parts.pop('selector', None)
    return DeviceName(text, DeviceSpec(**parts), selector)


class _MalformedNameError(ValueError):
    """Says what is wrong with a name."""


def _read_piece(piece: str) -> Mapping[str, Any] | None:
    key, colon, value = piece.partition(':')
    if key == 'job' and value:
        return {'job': value}
    if key in ('replica', 'task'):
        return {key: int(value)} if value.isdecimal() else None
    if key == 'device' and colon:
        return _read_device(value)
    if _UUID.fullmatch(piece):
        return {'device_type': 'GPU', 'selector': piece}
    return _read_device(piece)


def _read_device(text: str) -> Mapping[str, Any] | None:
    name, colon, index = text.partition(':')
    kind = _TYPES.get(name.upper())
    if kind is None:
        return None
    if not colon or index == '*':
        return {'device_type': kind}
    if kind == 'GPU' and index.lower() == AUTO:
        return {'device_type': kind, 'selector': AUTO}
    if _INDEX.fullmatch(index):
        return {'device_type': kind, 'device_index': int(index)}
    return None


def _nearest(text: str, known: Sequence[str]) -> str | None:
    word = text.strip().strip('/').rpartition('/')[2].upper()
    word = word.removeprefix('DEVICE:').removeprefix('PHYSICAL_DEVICE:').replace('CUDA', 'GPU')
    names = list(dict.fromkeys([*known, 'CPU:0', 'GPU:0']))

    def likeness(name: str) -> float:
        return difflib.SequenceMatcher(None, word, name).ratio()

    best = max(names, key=likeness)  # the first of equal ones, which is the lowest
    return best if likeness(best) >= _LEAST_LIKENESS else None


def _number(name: str, value: int | str | None) -> int | None:
    if value is None:
        return None
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise errors.InvalidArgumentError(
            f'[DeviceSpec] {name} is {value!r}; allowed are whole numbers and None; give a number'
        ) from error
