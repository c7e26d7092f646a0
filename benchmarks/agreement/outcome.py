"""What a program ended in, as JSON: ``[kind, ...]``.

Tensors and variables are both ``tensor``: an assign of TensorFlow returns another object
than the variable, ours returns the variable. Values are numbers in C order, complex ones
as pairs; text is Latin-1.
"""

from typing import Any

import numpy as np

Outcome = list[Any]


def encode(value: Any) -> Outcome:
    """The data of one result, whatever it is made of."""
    if isinstance(value, BaseException):
        return ['error', [base.__name__ for base in type(value).__mro__[:-2]], str(value)[:160]]
    if isinstance(value, (list, tuple)):
        kind = 'list' if isinstance(value, list) else 'tuple'
        return [kind, [encode(item) for item in value], list(getattr(value, '_fields', ()))]
    if isinstance(value, dict):
        return ['dict', {str(key): encode(item) for key, item in value.items()}]
    if value is None or isinstance(value, (bool, int, float, str)):
        return ['python', type(value).__name__, value]
    if isinstance(value, (complex, bytes)):
        return ['python', type(value).__name__, repr(value)]
    if isinstance(value, (np.ndarray, np.generic)):
        return ['ndarray', *_array(np.asarray(value))]
    return _encode_object(value)


def _encode_object(value: Any) -> Outcome:
    name = type(value).__name__
    if hasattr(value, 'dense_shape') and hasattr(value, 'indices'):
        dense = None if value.dense_shape is None else encode(value.dense_shape)
        return ['slices', encode(value.values), encode(value.indices), dense]
    if name == 'TensorShape':
        return ['shape', None if value.rank is None else value.as_list()]
    if name == 'Dimension':
        # TensorFlow's class for a number that may be unknown; ours are plain numbers.
        return encode(value.value)
    if name == 'DType':
        return ['dtype', value.name]
    if hasattr(value, 'numpy'):
        array = np.asarray(value.numpy())
        return ['tensor', value.dtype.name, *_array(array)[1:]]
    return ['object', name]


def _array(array: np.ndarray) -> list[Any]:
    if array.dtype.kind in 'OSU':
        texts = [item if isinstance(item, str) else item.decode('latin-1') for item in array.flat]
        return ['string', list(array.shape), texts]
    return [array.dtype.name, list(array.shape), _numbers(array)]


def _numbers(array: np.ndarray) -> list[Any]:
    flat = array.ravel()
    if flat.dtype.kind == 'c':
        return [_numbers(pair) for pair in flat.view(flat.real.dtype).reshape(-1, 2)]
    if flat.dtype.kind in 'biu':
        return flat.tolist()
    if flat.dtype.itemsize == 8:
        return flat.tolist()
    if flat.dtype.itemsize == 4:
        # The shortest text that gives the same float32 back.
        return [float(str(number)) for number in flat]
    return [float(f'{number:.5g}') for number in flat.astype(np.float32).tolist()]


def described(value: Any) -> Any:
    """Dtype and shape in place of every tensor; the rest of the structure stays."""
    if isinstance(value, (list, tuple)):
        return [described(item) for item in value]
    if hasattr(value, 'numpy'):
        return [value.dtype, value.shape]
    return value


def ends_in_values(result: Outcome) -> bool:
    """Whether the program came to its end."""
    return bool(result[0] != 'error')


def is_empty(result: Outcome) -> bool:
    """Whether nothing in the result has an element."""
    match result:
        case ['tensor' | 'ndarray', _, shape, _]:
            return 0 in shape
        case ['list' | 'tuple', items, _]:
            return all(map(is_empty, items))
        case ['slices', values, *_]:
            return is_empty(values)
    return False
