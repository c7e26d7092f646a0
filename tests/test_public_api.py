"""The public surface: ``__all__`` equals reality, and every name is documented."""

import inspect
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tensorvar as tv

# TensorFlow spells these in two places; both are one object.
ALIASES = {
    'math': [
        'abs', 'acos', 'acosh', 'add', 'add_n', 'argmax', 'argmin', 'asin', 'asinh', 'atan',
        'atan2', 'atanh', 'cos', 'cosh', 'cumsum', 'divide', 'equal', 'exp', 'floor',
        'greater', 'greater_equal', 'less', 'less_equal', 'logical_and', 'logical_not',
        'logical_or', 'maximum', 'minimum', 'multiply', 'negative', 'not_equal', 'pow',
        'reduce_all', 'reduce_any', 'reduce_logsumexp', 'reduce_max', 'reduce_mean',
        'reduce_min', 'reduce_prod', 'reduce_sum', 'round', 'scalar_mul', 'sigmoid', 'sign',
        'sin', 'sinh', 'sqrt', 'square', 'subtract', 'tan', 'tanh', 'truediv',
    ],
    'linalg': ['eye', 'matmul'],
    'dtypes': ['DType', 'as_dtype'],
}  # fmt: skip

# Modules of layer 0: what the library itself uses of them is not public.
VALUES = {'tv.dtypes', 'tv.errors'}


def namespaces() -> dict[str, types.ModuleType]:
    """The package and, recursively, the modules that it exports, by public name."""
    found: dict[str, types.ModuleType] = {}
    queue = [('tv', tv)]
    while queue:
        name, module = queue.pop()
        found[name] = module
        exported = ((each, getattr(module, each)) for each in module.__all__)
        queue += [
            (f'{name}.{each}', value)
            for each, value in exported
            if isinstance(value, types.ModuleType)
        ]
    return dict(sorted(found.items()))


NAMESPACES = namespaces()


def public_objects() -> Iterator[tuple[str, Any]]:
    """Each public function and class once, with its shortest public name."""
    seen: set[int] = set()
    for name in sorted(NAMESPACES, key=lambda each: each.count('.')):
        for attribute in NAMESPACES[name].__all__:
            value = getattr(NAMESPACES[name], attribute)
            if id(value) not in seen and (inspect.isfunction(value) or inspect.isclass(value)):
                seen.add(id(value))
                yield f'{name}.{attribute}', value


OBJECTS = dict(public_objects())
CLASSES = {name: value for name, value in OBJECTS.items() if inspect.isclass(value)}
FUNCTIONS = {name: value for name, value in OBJECTS.items() if inspect.isfunction(value)}


def described(function: Any) -> set[str]:
    """The arguments that a docstring explains, itself or by "see ``other``"."""
    texts = [inspect.getdoc(function) or '']
    for other in re.findall(r'[Ss]ee ``(?:tv\.)?([\w.]+)``', texts[0]):
        last = other.split('.')[-1]
        texts += [
            inspect.getdoc(value) or ''
            for name, value in FUNCTIONS.items()
            if name.split('.')[-1] == last
        ]
    sections = [text.partition('Args:')[2] for text in texts]
    names = [re.findall(r'^\s+(\*{0,2}\w+(?:, \*{0,2}\w+)*):', text, re.M) for text in sections]
    return {name.strip(' *') for found in names for each in found for name in each.split(',')}


def is_helper(value: Any) -> bool:
    """Whether a namespace only uses this to write its own functions and annotations."""
    if isinstance(value, types.ModuleType):
        return value not in NAMESPACES.values()
    return not getattr(value, '__module__', tv.__name__).startswith(tv.__name__)


@pytest.mark.parametrize('name', NAMESPACES)
def test_all_equals_reality(name: str) -> None:
    module = NAMESPACES[name]
    exported = set(module.__all__)
    assert len(exported) == len(module.__all__), 'a name stands twice in __all__'
    missing = [each for each in exported if not hasattr(module, each)]
    assert not missing
    unlisted = [
        each
        for each, value in vars(module).items()
        if not each.startswith('_') and each not in exported and not is_helper(value)
    ]
    assert not unlisted or name in VALUES, unlisted


@pytest.mark.parametrize('name', NAMESPACES)
def test_namespace_is_documented(name: str) -> None:
    assert NAMESPACES[name].__doc__


@pytest.mark.parametrize('name', FUNCTIONS)
def test_function_is_documented(name: str) -> None:
    function = FUNCTIONS[name]
    text = inspect.getdoc(function)
    assert text, f'{name} has no docstring'
    # Every op takes a name, as in TensorFlow.
    takes = set(inspect.signature(function).parameters) - {'self', 'name'}
    assert takes <= described(function), f'{name}: {sorted(takes - described(function))}'
    returns = inspect.signature(function).return_annotation
    if 'Args:' in text and returns not in (None, 'None'):
        assert re.search(r'Returns:|Yields:|^Whether ', text), f'{name}: no Returns section'


@pytest.mark.parametrize('name', CLASSES)
def test_class_and_its_methods_are_documented(name: str) -> None:
    cls = CLASSES[name]
    assert cls.__doc__, f'{name} has no docstring'
    undocumented = [
        attribute
        for attribute, value in vars(cls).items()
        if not attribute.startswith('_')
        and (inspect.isfunction(value) or isinstance(value, (property, classmethod, staticmethod)))
        and not inspect.getdoc(getattr(cls, attribute))
    ]
    assert not undocumented, f'{name}: {undocumented}'


@pytest.mark.parametrize(
    ('namespace', 'name'), [(space, name) for space, names in ALIASES.items() for name in names]
)
def test_an_alias_is_the_same_object(namespace: str, name: str) -> None:
    if hasattr(tv, name):
        assert getattr(getattr(tv, namespace), name) is getattr(tv, name)


def test_keywords_of_tensorflow_programs() -> None:
    assert tv.as_dtype(type_value='float32') is tv.float32
    assert tv.nest.is_nested(seq=[1])
    assert tv.custom_gradient(f=lambda x: (x, lambda dy: dy))(1.0).numpy() == 1.0


def test_public_names_do_not_clash_with_files() -> None:
    """``tensorvar/function.py`` would replace ``tv.function`` once imported."""
    for name, module in NAMESPACES.items():
        for attribute in module.__all__:
            value = getattr(module, attribute)
            if isinstance(value, types.ModuleType):
                assert value.__name__.split('.')[-1] == attribute, f'{name}.{attribute}'


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(tv.__file__).parent / 'py.typed').exists()
