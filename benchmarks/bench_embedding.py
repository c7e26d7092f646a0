"""An embedding table of 10,000 x 64 floats, of which a call touches 1,024 rows.

JAX updates the table by compiled functions to which the old one is donated.
"""

from typing import Any

from benchmarks.cases import Cases

ROWS, WIDTH, COUNT = 10_000, 64, 1_024
RATE = 0.01
IDS = [(7919 * number) % ROWS for number in range(COUNT)]


def tensorvar_cases(tv: Any) -> Cases:
    table = tv.Variable(tv.fill([ROWS, WIDTH], 0.5))
    ids, updates = tv.constant(IDS), tv.fill([COUNT, WIDTH], 0.001)
    slices = tv.IndexedSlices(updates, ids)

    def step() -> Any:
        with tv.GradientTape() as tape:
            loss = tv.reduce_sum(tv.gather(table, ids) ** 2)
        gradient = tape.gradient(loss, table)
        table.scatter_sub(tv.IndexedSlices(RATE * gradient.values, gradient.indices))
        return loss

    return {
        'gather': lambda: tv.gather(table, ids),
        'scatter_add': lambda: table.scatter_add(slices),
        'gradient of gather, and update': step,
    }


def numpy_cases(np: Any) -> Cases:
    table = np.full((ROWS, WIDTH), 0.5, np.float32)
    ids, updates = np.asarray(IDS), np.full((COUNT, WIDTH), 0.001, np.float32)

    def step() -> Any:
        chosen = table[ids]
        np.add.at(table, ids, chosen * np.float32(-2 * RATE))
        return (chosen**2).sum()

    return {
        'gather': lambda: np.take(table, ids, axis=0),
        'scatter_add': lambda: np.add.at(table, ids, updates),
        'gradient of gather, and update': step,
    }


def torch_cases(torch: Any) -> Cases:
    table = torch.full((ROWS, WIDTH), 0.5)
    ids, updates = torch.tensor(IDS), torch.full((COUNT, WIDTH), 0.001)
    learned = torch.full((ROWS, WIDTH), 0.5, requires_grad=True)

    def step() -> Any:
        chosen = torch.nn.functional.embedding(ids, learned, sparse=True)
        loss = (chosen**2).sum()
        [gradient] = torch.autograd.grad(loss, [learned])
        with torch.no_grad():
            learned.add_(gradient, alpha=-RATE)
        return loss

    return {
        'gather': lambda: torch.index_select(table, 0, ids),
        'scatter_add': lambda: table.index_add_(0, ids, updates),
        'gradient of gather, and update': step,
    }


def jax_cases(jax: Any) -> Cases:
    np = jax.numpy
    tables = [np.full((ROWS, WIDTH), 0.5) for _ in range(2)]
    ids, updates = np.asarray(IDS), np.full((COUNT, WIDTH), 0.001)
    add = jax.jit(lambda table, ids, updates: table.at[ids].add(updates), donate_argnums=0)

    def loss_of(chosen: Any) -> Any:
        return (chosen**2).sum()

    def update(table: Any, ids: Any) -> Any:
        loss, slope = jax.value_and_grad(loss_of)(table[ids])
        return table.at[ids].add(-RATE * slope), loss

    run = jax.jit(update, donate_argnums=0)

    def scatter_add() -> Any:
        tables[0] = add(tables[0], ids, updates)
        return tables[0]

    def step() -> Any:
        tables[1], loss = run(tables[1], ids)
        return loss

    return {
        'gather': lambda: np.take(tables[0], ids, axis=0),
        'scatter_add': scatter_add,
        'gradient of gather, and update': step,
    }
