"""The table of ops: a row per public path and way of calling it.

To add an op, add a row to the module of its family; its strategy draws a valid call.
"""

from benchmarks.agreement.table import (
    arrays,
    checks,
    elementwise,
    linear_algebra,
    neural,
    random_numbers,
    reductions,
    selection,
    signals,
)
from benchmarks.agreement.table.row import Row

FAMILIES: dict[str, list[Row]] = {
    'elementwise': elementwise.ROWS,
    'reductions': reductions.ROWS,
    'arrays': arrays.ROWS,
    'selection': selection.ROWS,
    'linear_algebra': linear_algebra.ROWS,
    'neural': neural.ROWS,
    'random': random_numbers.ROWS,
    'signals': signals.ROWS,
    'checks': checks.ROWS,
}
