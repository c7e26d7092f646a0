"""The package's source, parsed: what the tests of its structure look at."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = 'tensorvar'


@dataclass(frozen=True)
class Import:
    """One imported module of the package, or one imported foreign top-level package."""

    target: str
    line: int
    types_only: bool
    in_function: bool

    @property
    def internal(self) -> bool:
        """Whether the target belongs to the package."""
        return self.target.split('.')[0] == PACKAGE


@dataclass(frozen=True)
class Module:
    """One source file.

    Attributes:
        name: dotted, a package without ``__init__``.
        path: of the file.
    """

    name: str
    path: Path

    @property
    def parts(self) -> tuple[str, ...]:
        """The dotted name below the package, split."""
        return tuple(self.name.split('.')[1:])

    @property
    def folder(self) -> str:
        """The first folder below the package, or an empty string."""
        is_package = self.path.name == '__init__.py'
        return self.parts[0] if len(self.parts) > 1 or (is_package and self.parts) else ''

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.path.read_text(), str(self.path))

    def imports(self) -> list[Import]:
        """Everything imported anywhere in the file."""
        return list(self._imports(self.tree, types_only=False, in_function=False))

    def _imports(self, node: ast.AST, types_only: bool, in_function: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.Import, ast.ImportFrom)):
                for target in self._targets(child):
                    yield Import(target, child.lineno, types_only, in_function)
                continue
            yield from self._imports(
                child,
                types_only
                or (isinstance(child, ast.If) and 'TYPE_CHECKING' in ast.dump(child.test)),
                in_function or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)),
            )

    def _targets(self, node: ast.Import | ast.ImportFrom) -> list[str]:
        if isinstance(node, ast.Import):
            return [_module_or_foreign(alias.name) for alias in node.names]
        source = self._absolute(node)
        return [_module_or_foreign(f'{source}.{alias.name}') for alias in node.names]

    def _absolute(self, node: ast.ImportFrom) -> str:
        if node.level == 0:
            return node.module or ''
        package = self.name.split('.')
        keep = len(package) - node.level + (self.path.name == '__init__.py')
        return '.'.join(package[:keep] + ([node.module] if node.module else []))


@lru_cache
def modules() -> dict[str, Module]:
    """All source files of the package by dotted name."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob('*.py')):
        parts = path.relative_to(ROOT).with_suffix('').parts
        name = '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)
        found[name] = Module(name, path)
    return found


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.unparse(node.test)


def _module_or_foreign(dotted: str) -> str:
    """The longest prefix that is a module of the package; else the foreign package's name."""
    parts = dotted.split('.')
    if parts[0] != PACKAGE:
        return parts[0]
    while '.'.join(parts) not in modules():
        parts.pop()
    return '.'.join(parts)
