"""A module imports only from lower layers or from its own folder; no import is hidden."""

import ast
import graphlib

from tests.support import source_tree

# Folders by layer. Two folders of one layer do not see each other.
FOLDERS = {
    '_device': 1,
    '_backend': 2,
    '_cuda': 2,
    '_core': 3,
    '_ops': 4,
    '_function': 5,
    'config': 5,
    'math': 5,
    'nn': 5,
    '_report': 6,
    '_keras': 6,
    'distribute': 6,
}
# Single files: values without state, and what users touch first. Files and folders that
# are not listed must be public: they are the namespaces of layer 5.
FILES = {
    'errors': 0,
    'dtypes': 0,
    '_fork': 0,
    '_left_out': 0,
    '_optional': 0,
    '_shapes': 0,
    '_sizes': 0,
    '_tables': 0,
    '_version': 0,
    'cli': 6,
    '__main__': 6,
    'pytest_fixtures': 6,
}


def layer(module: source_tree.Module) -> int:
    if not module.parts:
        return 6
    name = module.folder or module.parts[0]
    known = FOLDERS if module.folder else FILES
    assert name in known or not name.startswith('_'), f'{module.path}: give it a layer here'
    return known.get(name, 5)


def test_modules_import_only_from_lower_layers_or_their_own_folder() -> None:
    modules = source_tree.modules()
    wrong = []
    for module in modules.values():
        for imported in module.imports():
            if not imported.internal:
                continue
            target = modules[imported.target]
            own_folder = target.folder == module.folder and layer(target) == layer(module)
            if layer(target) >= layer(module) and not own_folder:
                wrong.append(
                    f'{module.path}:{imported.line}: layer {layer(module)} imports '
                    f'{target.name} of layer {layer(target)}'
                )
    assert not wrong, '\n'.join(wrong)


def test_no_import_is_hidden_in_a_function() -> None:
    hidden = [
        f'{module.path}:{imported.line}: {imported.target}'
        for module in source_tree.modules().values()
        for imported in module.imports()
        if imported.in_function
    ]
    assert not hidden, 'move to the top of the file:\n' + '\n'.join(hidden)


def test_only_the_loader_imports_by_name() -> None:
    wrong = [
        f'{module.path}:{node.lineno}'
        for module in source_tree.modules().values()
        for node in ast.walk(module.tree)
        if module.name != 'tensorvar._optional'
        and isinstance(node, (ast.Name, ast.Attribute))
        and ast.unparse(node) in ('__import__', 'importlib.import_module')
    ]
    assert not wrong, 'use _optional.load:\n' + '\n'.join(wrong)


def test_there_is_no_import_cycle() -> None:
    graph = {
        module.name: {
            imported.target
            for imported in module.imports()
            if imported.internal and not imported.types_only and imported.target != module.name
        }
        for module in source_tree.modules().values()
    }
    graphlib.TopologicalSorter(graph).prepare()


def test_the_package_never_imports_what_stands_beside_it() -> None:
    beside = {'tests', 'benchmarks', 'examples', 'kernels', 'conftest'}
    wrong = [
        f'{module.path}:{imported.line}: {imported.target}'
        for module in source_tree.modules().values()
        for imported in module.imports()
        if imported.target in beside
    ]
    assert not wrong, '\n'.join(wrong)
