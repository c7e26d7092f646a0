"""The language of the programs: JSON lists whose first item says what they are.

A program is a dictionary with ``name``, ``family``, ``row``, ``dtype``, ``steps``, ``result``
and ``looser``, the factor on the table of tolerances. Steps are statements, ``result`` is an
expression. Anything that is no list is the value itself. ``interpreter`` gives the meaning.
"""

from typing import Any

Expression = Any
Statement = list[Any]
Program = dict[str, Any]


def tensor(dtype: str, shape: list[int], values: list[Any]) -> Expression:
    """``tf.constant`` of given dtype and shape; complex values are pairs."""
    return ['tensor', dtype, shape, values]


def variable(dtype: str, shape: list[int], values: list[Any], /, **keywords: Any) -> Expression:
    """``tf.Variable`` of an ndarray."""
    return ['variable', dtype, shape, values, keywords]


def array(dtype: str, shape: list[int], values: list[Any]) -> Expression:
    """A NumPy array."""
    return ['array', dtype, shape, values]


def ref(name: str) -> Expression:
    """What an earlier ``let`` named."""
    return ['ref', name]


def path(name: str) -> Expression:
    """A public name, such as ``math.add``."""
    return ['path', name]


def call(name: str, /, *arguments: Expression, **keywords: Expression) -> Expression:
    """Calls a public name."""
    return ['call', ['path', name], list(arguments), keywords]


def apply(function: Expression, *arguments: Expression) -> Expression:
    """Calls the value of an expression."""
    return ['call', function, list(arguments), {}]


def method(
    owner: Expression, name: str, /, *arguments: Expression, **keywords: Expression
) -> Expression:
    """Calls a method of a value."""
    return ['call', ['attribute', owner, name], list(arguments), keywords]


def attribute(owner: Expression, name: str) -> Expression:
    """An attribute of a value."""
    return ['attribute', owner, name]


def index(owner: Expression, key: Expression) -> Expression:
    """``owner[key]``."""
    return ['index', owner, key]


def span(start: Expression, stop: Expression, step: Expression = None) -> Expression:
    """A ``slice``."""
    return ['slice', start, stop, step]


def operator(symbol: str, *operands: Expression) -> Expression:
    """A Python operator, one of ``interpreter.OPERATORS``."""
    return ['operator', symbol, *operands]


def listed(*items: Expression) -> Expression:
    """A list."""
    return ['list', *items]


def grouped(*items: Expression) -> Expression:
    """A tuple."""
    return ['tuple', *items]


def mapping(**items: Expression) -> Expression:
    """A dictionary with text keys."""
    return ['dict', items]


def dtype(name: str) -> Expression:
    """``tf.<name>``."""
    return ['path', name]


def function(parameters: list[str], body: Expression) -> Expression:
    """A lambda."""
    return ['function', parameters, body]


def procedure(parameters: list[str], steps: list[Statement], result: Expression) -> Expression:
    """A function with statements."""
    return ['procedure', parameters, steps, result]


def described(value: Expression) -> Expression:
    """Only dtype and shape of every tensor in a value, for draws without equal numbers."""
    return ['describe', value]


def attempt(value: Expression) -> Expression:
    """The value, or the class of the error that it raises; the program goes on."""
    return ['attempt', value]


def let(name: str, value: Expression) -> Statement:
    """``name = value``."""
    return ['let', name, value]


def do(value: Expression) -> Statement:
    """Evaluates and forgets."""
    return ['do', value]


def block(context: Expression, name: str | None, *steps: Statement) -> Statement:
    """``with context as name: steps``."""
    return ['with', context, name, list(steps)]


def public_names(node: Any) -> set[str]:
    """All public names that a program or expression mentions."""
    if isinstance(node, dict):
        return set().union(*map(public_names, node.values()))
    if not isinstance(node, list):
        return set()
    if len(node) == 2 and node[0] == 'path':
        return {node[1]}
    return set().union(*map(public_names, node))
