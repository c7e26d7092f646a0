"""The way from operators and conversions to the executor.

Tensors have operators, operators run ops, and the executor makes tensors. This module
breaks that circle: the executor puts its functions here when it is loaded.
"""

from collections.abc import Callable
from typing import Any

run: Callable[..., Any]
run_pair: Callable[..., Any]
create: Callable[..., Any]
