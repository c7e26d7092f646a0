"""Runs a program with any module that has TensorFlow's names."""

import operator
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from benchmarks.agreement import outcome
from benchmarks.agreement.syntax import Expression, Program, Statement

OPERATORS: dict[str, Callable[..., Any]] = {
    '+': operator.add,
    '-': operator.sub,
    '*': operator.mul,
    '/': operator.truediv,
    '//': operator.floordiv,
    '%': operator.mod,
    '**': operator.pow,
    '@': operator.matmul,
    '&': operator.and_,
    '|': operator.or_,
    '^': operator.xor,
    '<': operator.lt,
    '<=': operator.le,
    '>': operator.gt,
    '>=': operator.ge,
    '==': operator.eq,
    '!=': operator.ne,
    '<<': operator.lshift,
    'neg': operator.neg,
    'pos': operator.pos,
    'abs': operator.abs,
    'invert': operator.invert,
    'is': operator.is_,
    'in': lambda item, container: item in container,
    '[:]=': operator.setitem,
    'bool': bool,
    'int': int,
    'float': float,
    'complex': complex,
    'len': len,
    'list': list,
    'round': round,
    'hash': hash,
    'index': operator.index,
    'ndarray': np.asarray,
    'repr': repr,
    'squares': lambda value: [item * item for item in flat(value) if is_inexact(item)],
}


def flat(value: Any) -> list[Any]:
    """The tensors of nested lists and tuples."""
    if isinstance(value, (list, tuple)):
        return [item for part in value for item in flat(part)]
    return [value]


def is_inexact(value: Any) -> bool:
    """Whether a value is a tensor with a gradient."""
    dtype = getattr(value, 'dtype', None)
    return dtype is not None and bool(dtype.is_floating or dtype.is_complex)


def host_array(dtype: str, shape: list[int], values: list[Any]) -> np.ndarray:
    """The ndarray that three parts of the program text describe."""
    if dtype == 'string':
        texts = np.empty(len(values), dtype=object)
        texts[:] = [str(value) for value in values]
        return texts.reshape(shape)
    numpy_dtype = np.dtype(ml_dtypes.bfloat16 if dtype == 'bfloat16' else dtype)
    if numpy_dtype.kind == 'c':
        values = [complex(*pair) for pair in values]
    return np.array(values, dtype=numpy_dtype).reshape(shape)


class Interpreter:
    """The names of one running program.

    Args:
        tf: the module that stands for TensorFlow.
        names: what the names in the program mean.
    """

    def __init__(self, tf: Any, names: dict[str, Any] | None = None) -> None:
        self.tf = tf
        self.names = {} if names is None else names

    def execute(self, statement: Statement) -> None:
        """Runs one statement."""
        match statement:
            case ['let', name, value]:
                self.names[name] = self.evaluate(value)
            case ['do', value]:
                self.evaluate(value)
            case ['with', context, name, steps]:
                with self.evaluate(context) as entered:
                    if name is not None:
                        self.names[name] = entered
                    for step in steps:
                        self.execute(step)
            case _:
                raise AssertionError(f'no statement: {statement!r}')

    def evaluate(self, node: Expression) -> Any:
        """The value of an expression."""
        if not isinstance(node, list):
            return node
        kind, *parts = node
        return getattr(self, '_' + kind)(*parts)

    def _tensor(self, dtype: str, shape: list[int], values: list[Any]) -> Any:
        return self.tf.constant(host_array(dtype, shape, values), getattr(self.tf, dtype))

    def _variable(self, dtype: str, shape: list[int], values: list[Any], keywords: Any) -> Any:
        given = {name: self.evaluate(value) for name, value in keywords.items()}
        initial = host_array(dtype, shape, values)
        return self.tf.Variable(initial, dtype=getattr(self.tf, dtype), **given)

    def _array(self, dtype: str, shape: list[int], values: list[Any]) -> np.ndarray:
        return host_array(dtype, shape, values)

    def _ref(self, name: str) -> Any:
        return self.names[name]

    def _path(self, name: str) -> Any:
        return resolve(self.tf, name)

    def _call(self, function: Expression, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        called = self.evaluate(function)
        given = [self.evaluate(argument) for argument in arguments]
        named = {name: self.evaluate(value) for name, value in keywords.items()}
        return called(*given, **named)

    def _attribute(self, owner: Expression, name: str) -> Any:
        return getattr(self.evaluate(owner), name)

    def _index(self, owner: Expression, key: Expression) -> Any:
        return self.evaluate(owner)[self.evaluate(key)]

    def _slice(self, *limits: Expression) -> slice:
        return slice(*map(self.evaluate, limits))

    def _ellipsis(self) -> Any:
        return ...

    def _operator(self, symbol: str, *operands: Expression) -> Any:
        return OPERATORS[symbol](*map(self.evaluate, operands))

    def _list(self, *items: Expression) -> list[Any]:
        return [self.evaluate(item) for item in items]

    def _tuple(self, *items: Expression) -> tuple[Any, ...]:
        return tuple(self.evaluate(item) for item in items)

    def _dict(self, items: dict[str, Any]) -> dict[str, Any]:
        return {key: self.evaluate(value) for key, value in items.items()}

    def _complex(self, real: float, imaginary: float) -> complex:
        return complex(real, imaginary)

    def _function(self, parameters: list[str], body: Expression) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            inner = {**self.names, **dict(zip(parameters, arguments, strict=True))}
            return Interpreter(self.tf, inner).evaluate(body)

        return run

    def _procedure(
        self, parameters: list[str], steps: list[Statement], result: Expression
    ) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            inner = {**self.names, **dict(zip(parameters, arguments, strict=True))}
            interpreter = Interpreter(self.tf, inner)
            for step in steps:
                interpreter.execute(step)
            return interpreter.evaluate(result)

        return run

    def _describe(self, value: Expression) -> Any:
        return outcome.described(self.evaluate(value))

    def _attempt(self, value: Expression) -> Any:
        try:
            return self.evaluate(value)
        except Exception as error:  # noqa: BLE001  what it raises is the observation
            return error


def resolve(module: Any, name: str) -> Any:
    """The object that a dotted public name means.

    Raises:
        AttributeError: the module does not have it.
    """
    found = module
    for part in name.split('.'):
        found = getattr(found, part)
    return found


def run(tf: Any, program: Program) -> Any:
    """What a program ends in, as data: a value or the class of an error."""
    interpreter = Interpreter(tf)
    try:
        for step in program['steps']:
            interpreter.execute(step)
        value = interpreter.evaluate(program['result'])
        return outcome.encode(value)
    except Exception as error:  # noqa: BLE001  the error is the outcome
        return outcome.encode(error)
