"""Writes to a variable: whole, added to, sliced, scattered."""

from typing import Any

from benchmarks.cases import LARGE, SIZES, Cases, label

ROWS = 1024


def tensorvar_cases(tv: Any) -> Cases:
    cases: Cases = {}
    for size in SIZES:
        variable, value = tv.Variable(tv.zeros([size])), tv.ones([size])
        cases[label('assign', size)] = lambda v=variable, x=value: v.assign(x)
        cases[label('assign_add', size)] = lambda v=variable, x=value: v.assign_add(x)
    table = tv.Variable(tv.zeros([ROWS, LARGE // ROWS]))
    row = tv.ones([LARGE // ROWS])
    cases['sliced assign of a row'] = lambda: table[7].assign(row)
    indices = tv.constant(list(range(0, ROWS, 8)))
    updates = tv.ones([ROWS // 8, LARGE // ROWS])
    indexed = tv.IndexedSlices(updates, indices)
    cases['scatter_add of 128 rows'] = lambda: table.scatter_add(indexed)
    return cases


def numpy_cases(np: Any) -> Cases:
    cases: Cases = {}
    for size in SIZES:
        array, value = np.zeros(size, np.float32), np.ones(size, np.float32)
        cases[label('assign', size)] = lambda v=array, x=value: np.copyto(v, x)
        cases[label('assign_add', size)] = lambda v=array, x=value: np.add(v, x, out=v)
    table = np.zeros((ROWS, LARGE // ROWS), np.float32)
    row = np.ones(LARGE // ROWS, np.float32)
    cases['sliced assign of a row'] = lambda: np.copyto(table[7], row)
    indices = np.arange(0, ROWS, 8)
    updates = np.ones((ROWS // 8, LARGE // ROWS), np.float32)
    cases['scatter_add of 128 rows'] = lambda: np.add.at(table, indices, updates)
    return cases


def torch_cases(torch: Any) -> Cases:
    cases: Cases = {}
    for size in SIZES:
        tensor, value = torch.zeros(size), torch.ones(size)
        cases[label('assign', size)] = lambda v=tensor, x=value: v.copy_(x)
        cases[label('assign_add', size)] = lambda v=tensor, x=value: v.add_(x)
    table = torch.zeros(ROWS, LARGE // ROWS)
    row = torch.ones(LARGE // ROWS)
    cases['sliced assign of a row'] = lambda: table[7].copy_(row)
    indices = torch.arange(0, ROWS, 8)
    updates = torch.ones(ROWS // 8, LARGE // ROWS)
    cases['scatter_add of 128 rows'] = lambda: table.index_add_(0, indices, updates)
    return cases
