"""The op families. Importing this package registers every op."""

from tensorvar._core.op_registry import provide
from tensorvar._ops import assign as assign
from tensorvar._ops import creation
from tensorvar._ops import resource_scatter as resource_scatter

provide('zeros', creation.zeros)
provide('zeros_like', creation.zeros_like)
provide('ones_like', creation.ones_like)
