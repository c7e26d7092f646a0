"""``tv.print``: tensors inside of text, written to a stream, a log or a file."""

import logging
import os
import pprint
import random
import sys
from collections import OrderedDict
from typing import Any

from tensorvar import errors
from tensorvar._core import nest
from tensorvar._core.array_value import ArrayValue
from tensorvar._device import scope
from tensorvar._ops import _element_text

_LEVELS = frozenset({logging.INFO, logging.WARNING, logging.ERROR})
_FILE = 'file://'
_logger = logging.getLogger('tensorvar')


def get_logger() -> logging.Logger:
    """The Python logger ``tensorvar``."""
    return _logger


def print(*inputs: Any, **kwargs: Any) -> None:
    """Prints values; of tensors the first and last elements of each dimension.

    Unlike TensorFlow's, it writes to Python's own ``sys.stderr``, shows complex numbers
    as ``(1,2)`` instead of ``?``, and takes any stream and any callable. The look at the
    values is an explicit copy, which no transfer guard refuses. A ``tv.function`` that
    calls it runs eagerly, so that it prints each time.

    Args:
        *inputs: tensors, variables, structures with them, and any other values.
        **kwargs: ``output_stream``: a stream (``sys.stderr`` if not given), a level of
            ``logging`` (INFO, WARNING or ERROR), ``'file://<path>'`` to append to a file,
            or a function that takes the text. ``summarize``: how many elements to show at
            both ends of a dimension (3); -1 shows all. ``sep``: stands between the values
            (a blank). ``end``: stands at the end (a line break). ``name``: accepted for
            TensorFlow's sake.

    Raises:
        ValueError: another keyword, or something else as ``output_stream``.

    Example:
        >>> import sys
        >>> import tensorvar as tv
        >>> tv.print('v =', tv.constant([1.0, 2.5]), output_stream=sys.stdout)
        v = [1 2.5]
    """
    stream = kwargs.pop('output_stream', sys.stderr)
    summarize = kwargs.pop('summarize', _element_text.SHOWN)
    sep, end = kwargs.pop('sep', ' '), kwargs.pop('end', os.linesep)
    kwargs.pop('name', None)
    if kwargs:
        raise errors.InvalidArgumentError(
            f'[print] Unrecognized keyword arguments for tv.print: {sorted(kwargs)}; allowed are '
            f'output_stream, summarize, sep, end and name',
            'print',
        )
    _check_stream(stream)
    limit = _element_text.SHOWN if summarize is None else int(summarize)
    text = _text(inputs, sep, limit)
    scope.leave_trace('tv.print writes text, which a replay does not')
    _write(stream, text, end)


def _check_stream(stream: Any) -> None:
    known = (
        _is_file(stream)
        or (isinstance(stream, int) and stream in _LEVELS)
        or hasattr(stream, 'write')
        or callable(stream)
    )
    if not known:
        raise errors.InvalidArgumentError(
            f'[print] Unsupported output stream, logging level, or file: {stream!r:.80}; '
            f'allowed are streams, levels of logging, functions and "file://<path>"',
            'print',
        )


def _is_file(stream: Any) -> bool:
    return isinstance(stream, str) and stream.startswith(_FILE)


def _write(stream: Any, text: str, end: str) -> None:
    if _is_file(stream):
        with open(stream.removeprefix(_FILE), 'a', encoding='utf-8') as file:
            file.write(text + end)
    elif isinstance(stream, int):
        _logger.log(stream, '%s', text)
    elif hasattr(stream, 'write'):
        stream.write(text + end)
        if hasattr(stream, 'flush'):
            stream.flush()
    else:
        stream(text)


def _text(inputs: tuple[Any, ...], sep: str, limit: int) -> str:
    if len(inputs) == 1 and isinstance(inputs[0], ArrayValue):
        alone = _element_text.alone(inputs[0])
        if alone is not None:
            return alone
    placeholder = _placeholder(inputs)
    template = sep.join(_template(each, placeholder) for each in inputs)
    template = template.replace(f"'{placeholder}'", placeholder)
    first, *others = template.split(placeholder)
    values = [leaf for leaf in nest.flatten(list(inputs)) if isinstance(leaf, ArrayValue)]
    shown = [_element_text.of(value, limit) for value in values]
    return first + ''.join(text + other for text, other in zip(shown, others, strict=True))


def _template(value: Any, placeholder: str) -> str:
    """The text of a value in which the placeholder stands for each tensor."""
    if isinstance(value, str):
        return value
    if isinstance(value, OrderedDict):
        # The order in which ``nest.flatten`` gives the tensors.
        value = OrderedDict(sorted(value.items()))
    leaves = [placeholder if isinstance(leaf, ArrayValue) else leaf for leaf in nest.flatten(value)]
    packed = nest.pack_sequence_as(value, leaves)
    return packed if packed is placeholder else pprint.pformat(packed)


def _placeholder(inputs: tuple[Any, ...]) -> str:
    """A text that the other values do not contain; short, for it counts in the layout."""
    rest = nest.map_structure(lambda leaf: '' if isinstance(leaf, ArrayValue) else leaf, inputs)
    text = ' '.join(pprint.pformat(each) for each in rest)
    digits = random.Random(5)
    placeholder = '{}'
    while placeholder in text:
        placeholder += str(digits.randint(0, 9))
    return placeholder
