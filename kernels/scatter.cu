// Purpose: table[indices[i], :] = table[indices[i], :] (op) updates[i, :] by instructions
// that add or compare in memory, where indices may repeat. D is the type of table and
// updates, I that of the indices. `stride` is the distance of two updates in elements, 0 if
// one serves all.
//
// Work split: one thread per LENGTH elements of an update, in a grid-stride loop. LENGTH is
// what one instruction adds (see tv_atomics.cuh): neighbouring threads then add to
// neighbouring addresses.
//
// Results: integers, and the extremes of floats, are the same on every run. Sums of floats
// may differ in the last bits, as the order varies; 16-bit floats are rounded with each
// addition. scatter_sorted.cu rounds once, and gives the same on every run.
//
// Bytes moved per element: sizeof(D) of the update read, sizeof(D) of the table read and
// written in the cache; the indices. Limits: an index outside the table writes nothing, and
// *error becomes the largest position seen of such an index, plus one. Many updates of one
// row wait for each other.
#include "tv_atomics.cuh"
#include "tv_rows.cuh"

namespace tv {

// Integers are added as unsigned, which wraps.
template <class Op, class D, int LENGTH>
TV_DEVICE void apply_atomically(D* to, Vector<D, LENGTH> values) {
  constexpr bool FLOATING = is_float<D> || same<D, Half> || same<D, BFloat16>;
  if constexpr (FLOATING && (same<Op, Add> || same<Op, Sub>)) {
#pragma unroll
    for (int e = 0; e < LENGTH; ++e)
      if (same<Op, Sub>) values.element[e] = negated(values.element[e]);
    reduce_add(to, values);
  } else if constexpr (FLOATING) {
    reduce_extreme<same<Op, Max>>(to, values.element[0]);
  } else if constexpr (same<Op, Min>) {
    atomicMin(to, values.element[0]);
  } else if constexpr (same<Op, Max>) {
    atomicMax(to, values.element[0]);
  } else {
    typedef typename Wrapping<D>::type W;
    const W wrapped = static_cast<W>(values.element[0]);
    atomicAdd(reinterpret_cast<W*>(to), same<Op, Sub> ? W(0) - wrapped : wrapped);
  }
}

template <class Op, class D, class I, int LENGTH>
TV_DEVICE void scatter_atomic(D* table, const D* updates, const I* indices, u64 count,
                              u64 rows, const Divisor& vectors, u64 stride, u64* error) {
  const u64 all = count * vectors.value;
  const u64 width = vectors.value * LENGTH;
  for (u64 i = thread_index(); i < all; i += thread_count()) {
    const u64 position = divide(i, vectors);
    const u64 column = (i - position * vectors.value) * LENGTH;
    const u64 row = row_at(indices, position);
    if (row < rows)
      apply_atomically<Op, D, LENGTH>(
          table + row * width + column,
          load_vector<D, LENGTH>(updates + position * stride + column));
    else if (column == 0) atomicMax(error, position + 1);
  }
}

}  // namespace tv

// What tensorvar/_cuda/scatter_plan.py appends, one line per kernel that it needs.
#define TV_SCATTER_ATOMIC(name, Op, D, I, LENGTH)                                          \
  TV_ROW_KERNEL(name)                                                                      \
  (D * table, const D* updates, const I* indices, tv::u64 count, tv::u64 rows,             \
   const tv::Divisor vectors, tv::u64 stride, tv::u64* error) {                            \
    tv::scatter_atomic<tv::Op, D, I, LENGTH>(table, updates, indices, count, rows,         \
                                             vectors, stride, error);                      \
  }                                                                                        \
  TV_EXPORT(name)
