"""Programs of more than one call, by family."""

from collections.abc import Callable

from benchmarks.agreement.scenarios import (
    control,
    functions,
    generators,
    gradients,
    indexing,
    operators,
    structures,
    tapes,
    variables,
)
from benchmarks.agreement.scenarios.body import Items

FAMILIES: dict[str, Callable[[int], Items]] = {
    'indexing': indexing.programs,
    'variables': variables.programs,
    'operators': operators.programs,
    'gradients': gradients.programs,
    'tapes': tapes.programs,
    'control': control.programs,
    'structures': structures.programs,
    'generators': generators.programs,
    'functions': functions.programs,
}
