"""``tv.function``: what users touch."""

import functools
import types
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from tensorvar import errors
from tensorvar._function import conditions as conditions
from tensorvar._function import loops as loops
from tensorvar._function.concrete import ConcreteFunction
from tensorvar._function.engine import Engine
from tensorvar._function.printing import plan_text


class Function:
    """A Python function that is traced once for each signature and then replayed.

    Made by ``tv.function``, whose text tells more.

    Args:
        python_function: what to run.
        input_signature: see ``tv.function``.
    """

    def __init__(
        self, python_function: Callable[..., Any], input_signature: Sequence[Any] | None = None
    ) -> None:
        functools.update_wrapper(self, python_function)
        self._python_function = python_function
        self._engine = Engine(_name_of(python_function), input_signature)
        self._of_objects: dict[int, tuple[Callable[[], Any], Engine]] = {}

    @property
    def python_function(self) -> Callable[..., Any]:
        """The function that was given."""
        return self._python_function

    @property
    def input_signature(self) -> tuple[Any, ...] | None:
        """The specs of the arguments, or None."""
        return self._engine.input_signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._engine.call(self._python_function, args, kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> 'Function':
        """Binds the object if a method was decorated; each object has its own plans."""
        if instance is None:
            return self
        bound = Function.__new__(Function)
        bound._python_function = types.MethodType(self._python_function, instance)
        bound._of_objects = {}
        bound._engine = self._engine_of(instance)
        return bound

    def __getattr__(self, name: str) -> Any:
        """What the function has that was given, such as ``__name__`` of a bound method."""
        if name == '_python_function':
            # Not made yet.
            raise AttributeError(name)
        return getattr(self._python_function, name)

    def _engine_of(self, instance: Any) -> Engine:
        known = self._of_objects.get(id(instance))
        if known is not None and known[0]() is instance:
            return known[1]
        number = id(instance)
        engine = Engine(self._engine.name, self._engine.input_signature)
        try:
            alive: Callable[[], Any] = weakref.ref(
                instance, lambda _: self._of_objects.pop(number, None)
            )
        except TypeError:
            # Its class has no weak references, so the object lives as long as its plans.
            alive = functools.partial(_same, instance)
        self._of_objects[number] = alive, engine
        return engine

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The function for arguments of known specs.

        It infers the shapes of the results by the rules of the ops; nothing runs, and no
        variable changes. A look at a value that is not known raises.

        Args:
            *args: a ``tv.TensorSpec``, or a tensor as an example, for each tensor, and the
                values of other arguments; none for the input signature.
            **kwargs: the same by name.

        Returns:
            A callable with ``structured_input_signature`` and ``structured_outputs``.

        Raises:
            OperatorNotAllowedInGraphError: the function looks at a value.
            FailedPreconditionError: it makes a variable.
            InvalidArgumentError: a gradient in it needs a dimension that a spec leaves open.
        """
        return ConcreteFunction(self._engine, self._python_function, args, kwargs)

    def experimental_get_tracing_count(self) -> int:
        """How often the Python function was run to be traced."""
        return self._engine.traces

    def pretty_printed_plan(self) -> str:
        """What later calls run, for each signature and path that was seen.

        Returns:
            The code of each stretch between two branch points. Where a step begins, a note
            says what it is and on which device, what is in place, which buffer of the plan
            (``b0``) is used again, and which copies between devices remain.
        """
        return plan_text(self._engine)

    def __repr__(self) -> str:
        return f'<tv.function {self._engine.name}>'


def _same(instance: Any) -> Any:
    return instance


def _name_of(function: Any) -> str:
    return str(getattr(function, '__name__', type(function).__name__))


def function(
    func: Callable[..., Any] | None = None,
    input_signature: Sequence[Any] | None = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: str | None = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: bool | None = None,
    experimental_compile: bool | None = None,
    experimental_follow_type_hints: bool | None = None,
) -> Any:
    """Makes a function that is traced by running it, and then replayed as a plan.

    The first call with a signature runs the Python function for real and writes down the
    ops. Later calls with the same signature replay them without Python and without
    dispatch, with the same results. A signature is dtype, shape and device of tensors
    (NumPy arrays become tensors), the identity of variables, the value of all other
    arguments, and the device scope. Up to 64 signatures are kept.

    Python's control flow works as it stands, because nothing rewrites it. Where the program
    looks at one element of a tensor (``if x > 0``, ``int(n)``, ``print``), the plan
    branches: each outcome that is seen gets its own path. For a new outcome the function
    runs again, with the results computed so far handed back: ops run once, but Python
    statements before the look run again. A function that looks at more than one element,
    that has more than 8 outcomes at one look or more than 32 paths, runs eagerly from then
    on, and a warning names the line.

    ``tv.while_loop``, ``cond``, ``map_fn``, ``scan``, ``foldl``, ``foldr`` and
    ``vectorized_map`` are one step of the plan, however often they turn, if nothing in them
    looks at a value, draws random numbers, or changes a shape or dtype; their functions are
    then traced without running, as in TensorFlow. Others are traced as they run.

    Globals, attributes and other Python state are read when a path is traced, as in
    TensorFlow; so is the result of Python's ``random``. Variables may be made in the first
    call only. Tapes, transfer guards and recorders of the caller see a replay as they see
    an eager run; constants that the function makes are made once. A function with a
    ``custom_gradient`` runs eagerly under a tape of the caller. Ops that the function starts
    in other threads are not traced. Returned variables, numbers and arrays become tensors.

    Args:
        func: the function; None to use ``tv.function(...)`` as a decorator.
        input_signature: a ``tv.TensorSpec`` (or a structure of them) per argument; arguments
            become tensors of it, others are refused. There is one plan for each shape.
        autograph: accepted for TensorFlow's sake; Python's own control flow is traced,
            with or without it.
        jit_compile: accepted for TensorFlow's sake; every plan is straight-line code.
        reduce_retracing: accepted for TensorFlow's sake; plans are for concrete shapes.
        experimental_implements: accepted for TensorFlow's sake.
        experimental_autograph_options: accepted for TensorFlow's sake.
        experimental_attributes: accepted for TensorFlow's sake.
        experimental_relax_shapes: accepted for TensorFlow's sake.
        experimental_compile: accepted for TensorFlow's sake.
        experimental_follow_type_hints: accepted for TensorFlow's sake.

    Returns:
        A callable object; a decorator if ``func`` is None.

    Raises:
        TypeError: ``func`` cannot be called.

    Example:
        >>> import tensorvar as tv
        >>> v = tv.Variable(1.0)
        >>> @tv.function
        ... def double_until(limit):
        ...     while v < limit:
        ...         v.assign(v * 2.0)
        ...     return v
        >>> float(double_until(tv.constant(10.0)))
        16.0
    """
    if func is None:
        return functools.partial(function, input_signature=input_signature)
    if not callable(func):
        raise errors.InvalidTypeError(
            f'[function] {func!r:.80} was given, which is no callable object; give a function'
        )
    if isinstance(func, Function):
        func = func.python_function
    return Function(func, input_signature)
