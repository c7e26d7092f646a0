"""nest, shapes, dtypes, specs, IndexedSlices, names, modules and aliases."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import ANY, Draw
from benchmarks.agreement.scenarios.body import Items, item
from benchmarks.agreement.syntax import Expression

call, listed, grouped, method = syntax.call, syntax.listed, syntax.grouped, syntax.method
attribute, operator = syntax.attribute, syntax.operator
A, B = syntax.ref('a'), syntax.ref('b')
ALIASES = (
    ('abs', 'math.abs'), ('add', 'math.add'), ('matmul', 'linalg.matmul'), ('acos', 'math.acos'),
    ('eye', 'linalg.eye'), ('norm', 'linalg.norm'), ('cumsum', 'math.cumsum'),
    ('nn.sigmoid', 'math.sigmoid'), ('nn.tanh', 'tanh'), ('nn.softplus', 'math.softplus'),
    ('nn.swish', 'nn.silu'), ('pow', 'math.pow'), ('reduce_sum', 'math.reduce_sum'),
    ('einsum', 'linalg.einsum'), ('tensordot', 'linalg.tensordot'), ('equal', 'math.equal'),
    ('transpose', 'linalg.matrix_transpose'), ('random.set_seed', 'random.normal'),
    ('clip_by_norm', 'clip_by_value'), ('complex', 'dtypes.complex'), ('cast', 'dtypes.cast'),
    ('as_dtype', 'dtypes.as_dtype'), ('saturate_cast', 'dtypes.saturate_cast'),
    ('linalg.l2_normalize', 'math.l2_normalize'), ('nn.l2_normalize', 'math.l2_normalize'),
    ('round', 'math.round'), ('maximum', 'math.maximum'), ('linalg.global_norm', 'norm'),
    ('nn.log_softmax', 'math.log_softmax'), ('nn.softmax', 'math.softmax'),
    ('linalg.diag', 'linalg.tensor_diag'), ('math.top_k', 'nn.top_k'), ('sort', 'argsort'),
    ('nn.zero_fraction', 'math.zero_fraction'), ('nn.in_top_k', 'math.in_top_k'),
    ('reduce_logsumexp', 'math.reduce_logsumexp'), ('argmax', 'math.argmax'),
    ('truediv', 'math.truediv'), ('divide', 'math.divide'), ('scalar_mul', 'math.scalar_mul'),
    ('floor', 'math.floor'), ('linspace', 'range'), ('linalg.trace', 'linalg.norm'),
    ('nn.softsign', 'math.softsign'), ('linalg.cross', 'linalg.matvec'),
    ('multiply', 'math.multiply'),
)  # fmt: skip


def structure(draw: Draw, depth: int = 2) -> Expression:
    """Lists, tuples and dictionaries of numbers and tensors."""
    if depth == 0 or draw.chance(0.3):
        return draw.choose([draw.integer(0, 9), 'text', None, draw.tensor('float32', [2])])
    parts = [structure(draw, depth - 1) for _ in range(draw.integer(0, 3))]
    kind = draw.integer(0, 2)
    if kind == 2:
        return syntax.mapping(**{draw.choose('zxyab') + str(at): part
                                 for at, part in enumerate(parts)})  # fmt: skip
    return listed(*parts) if kind else grouped(*parts)


def nests(seed: int) -> Items:
    """flatten, pack, map, and comparisons of structures."""
    for at in range(40):
        draw = Draw(f'{seed}/nest/{at}')
        value, other = structure(draw), structure(draw)
        flat = call('nest.flatten', value)
        wrap = syntax.function(['a'], listed(A))
        results = [
            flat, call('nest.pack_sequence_as', value, flat), call('nest.is_nested', value),
            call('nest.map_structure', wrap, value),
            call('nest.assert_same_structure', value, other),
            call('nest.assert_same_structure', value, value),
            call('nest.pack_sequence_as', value, listed(1, 2)),
        ]  # fmt: skip
        for result in draw.random.sample(results, 4):
            yield item('nest', 'float32', [], result)
    add = syntax.function(['a', 'b'], operator('+', A, B))
    pairs = [(listed(1, 2), listed(3, 4)), (listed(1, 2), listed(3)), (grouped(1), listed(2)),
             (syntax.mapping(a=1), syntax.mapping(a=2)),
             (syntax.mapping(a=1), listed(1))]  # fmt: skip
    for first, second in pairs:
        yield item('map2', 'float32', [], call('nest.map_structure', add, first, second))
        yield item('map2', 'float32', [],
                   call('nest.map_structure', add, first, second, check_types=False))  # fmt: skip


def shapes(seed: int) -> Items:
    """TensorShape arithmetic and questions."""
    for at in range(25):
        draw = Draw(f'{seed}/shape/{at}')
        given: list[Expression] = [None if draw.chance(0.2) else draw.size()
                                   for _ in range(draw.integer(0, 3))]  # fmt: skip
        shape = call('TensorShape', None if draw.chance(0.1) else listed(*given))
        other = call('TensorShape', listed(*draw.shape()))
        results: list[Expression] = [
            shape, attribute(shape, 'rank'), attribute(shape, 'dims'), method(shape, 'as_list'),
            method(shape, 'num_elements'), method(shape, 'is_fully_defined'),
            method(shape, 'concatenate', other), method(shape, 'merge_with', other),
            method(shape, 'is_compatible_with', other), operator('==', shape, other),
            syntax.index(shape, 0), syntax.index(shape, syntax.span(1, None)),
            operator('len', shape),
            operator('list', shape), operator('bool', shape), method(shape, 'with_rank', 2),
            method(shape, 'assert_is_compatible_with', other), operator('+', shape, other),
            method(shape, 'most_specific_compatible_shape', other), method(shape, 'ndims'),
            call('broadcast_static_shape', shape, other),
        ]  # fmt: skip
        for result in draw.random.sample(results, 4):
            yield item('tensor_shape', 'float32', [], result)


def dtypes(seed: int) -> Items:
    """Attributes of dtypes and the spellings they are made of."""
    names = ('name', 'size', 'is_floating', 'is_integer', 'is_complex', 'is_bool', 'is_unsigned',
             'as_datatype_enum', 'real_dtype', 'base_dtype', 'is_numpy_compatible', 'min',
             'max', 'is_quantized', 'limits')  # fmt: skip
    for dtype in ANY:
        for name in names:
            if name in ('min', 'max', 'limits') and dtype in ('bfloat16', 'float16', 'float32'):
                continue
            yield item('dtype', dtype, [], attribute(syntax.dtype(dtype), name))
        yield item('as_dtype', dtype, [], call('as_dtype', dtype))
    for text in ('float', 'nope', 'half', 'double', None, 1, 'int', 'bool'):
        yield item('as_dtype', 'float32', [], call('as_dtype', text))


def slices(seed: int) -> Items:
    """IndexedSlices and TensorSpec."""
    value = syntax.tensor('float32', [2, 2], [1.0, 2.0, 3.0, 4.0])
    index = syntax.tensor('int32', [2], [2, 0])
    plain, sized = (call('IndexedSlices', value, index, *dense)
                    for dense in ((), (syntax.tensor('int32', [2], [3, 2]),)))  # fmt: skip
    for made in (plain, sized):
        for name in ('dtype', 'shape', 'values', 'indices', 'dense_shape', 'name'):
            yield item('slices', 'float32', [], attribute(made, name))
        yield item('slices', 'float32', [], call('convert_to_tensor', made))
        yield item('slices', 'float32', [], operator('neg', made))
        yield item('slices', 'float32', [], call('math.scalar_mul', 2.0, made))
        yield item('slices', 'float32', [], call('math.add_n', listed(made, made)))
    for shape in (listed(2, None), None, listed()):
        spec = call('TensorSpec', shape, syntax.dtype('float32'), name='s')
        for name in ('shape', 'dtype', 'name'):
            yield item('spec', 'float32', [], attribute(spec, name))
        yield item('spec', 'float32', [], method(spec, 'is_compatible_with', value))
        yield item('spec', 'float32', [], operator('==', spec, spec))
        made = method(syntax.path('TensorSpec'), 'from_tensor', value)
        yield item('spec', 'float32', [], method(spec, 'is_compatible_with', made))


def names(seed: int) -> Items:
    """Name scopes, nested, absolute and wrong."""
    given: list[Expression] = ['a', 'a/b', 'a/', '', None, 1, 'x y', 'outer', '/', '0a']
    variable = syntax.let('v', syntax.variable('float32', [1], [1.0], name='w'))
    for first in given:
        inner = syntax.block(call('name_scope', first), 's', variable)
        seen = listed(syntax.ref('s'), attribute(syntax.ref('v'), 'name'))
        yield item('name_scope', 'float32', [inner], seen)
        for second in ('b', 'b/', ''):
            nested = syntax.block(call('name_scope', second), 'o', inner)
            yield item('name_scope', 'float32', [nested], seen)
    yield item('name_scope', 'float32', [], attribute(call('name_scope', 'a'), 'name'))
    for name in ('m', None, 'a b', '1'):
        made = syntax.let('m', call('Module', name=name))
        for seen in (attribute(syntax.ref('m'), part) for part in
                     ('name', 'variables', 'trainable_variables', 'submodules')):  # fmt: skip
            yield item('module', 'float32', [made], seen)
    for name in ('w', None):
        keywords = {} if name is None else {'name': name}
        made = syntax.variable('float32', [], [1.0], **keywords)
        yield item('variable_name', 'float32', [], attribute(made, 'name'))


def programs(seed: int) -> Items:
    """All programs about structures and names."""
    yield from nests(seed)
    yield from shapes(seed)
    yield from dtypes(seed)
    yield from slices(seed)
    yield from names(seed)
    for first, second in ALIASES:
        same = operator('is', syntax.path(first), syntax.path(second))
        yield item('alias', 'float32', [], same)
