// Purpose: destination[indices[i], :] = destination[indices[i], :] (op) updates[i, :], where
// indices may repeat. D is the type of both, C the one that is computed with, I that of the
// indices.
//
// Work split: one element of an update per thread, in a grid-stride loop.
//   sorted   `order` sorts the indices and keeps equal ones in their order. The thread at
//            the first of equal indices does them all, one after the other, so the result
//            is the same on every run, the last one wins for Set, and 16-bit floats are
//            rounded once. Many equal indices leave little to do in parallel.
//   atomic   each thread adds by itself: integers give the same on every run, sums of
//            floats may differ in the last bits. For the types that have the instruction:
//            32 and 64 bits, complex as two; Min and Max for integers.
//
// Bytes moved per element: sizeof(D) of the update read, sizeof(D) of the destination read
// and written, once for equal indices when sorted; the indices, and the order when sorted.
// Limits: an index outside the table writes nothing, and *error becomes the largest position
// seen of such an index, plus one.
#include "tv_types.cuh"

namespace tv {

constexpr int SCATTER_THREADS = 256;

template <class I>
TV_DEVICE u64 row_at(const I* indices, u64 position) {
  // A negative index is a very large one.
  return static_cast<u64>(static_cast<i64>(indices[position]));
}

template <class Op, class C, class D, class I>
TV_DEVICE void scatter_sorted(D* destination, const D* updates, const I* indices,
                              const u64* order, u64 count, u64 rows, const Divisor& width,
                              u64* error) {
  const u64 all = count * width.value;
  for (u64 i = thread_index(); i < all; i += thread_count()) {
    u64 place = divide(i, width);
    const u64 column = i - place * width.value;
    const u64 row = row_at(indices, order[place]);
    if (place && row_at(indices, order[place - 1]) == row) continue;
    if (row >= rows) {
      if (column == 0) atomicMax(error, order[place] + 1);
      continue;
    }
    D* const at = destination + row * width.value + column;
    C value = convert<C>(*at);
    do {
      value = Op::apply(value, convert<C>(updates[order[place] * width.value + column]));
      ++place;
    } while (place < count && row_at(indices, order[place]) == row);
    *at = convert<D>(value);
  }
}

// Integers are added as unsigned, which wraps.
template <class Op, class D>
TV_DEVICE void apply_atomically(D* to, D value) {
  if constexpr (is_complex<D>) {
    apply_atomically<Op>(&to->real, value.real);
    apply_atomically<Op>(&to->imaginary, value.imaginary);
  } else if constexpr (same<Op, Min>) {
    atomicMin(to, value);
  } else if constexpr (same<Op, Max>) {
    atomicMax(to, value);
  } else if constexpr (is_float<D>) {
    atomicAdd(to, same<Op, Sub> ? -value : value);
  } else {
    typedef typename Wrapping<D>::type W;
    const W wrapped = static_cast<W>(value);
    atomicAdd(reinterpret_cast<W*>(to), same<Op, Sub> ? W(0) - wrapped : wrapped);
  }
}

template <class Op, class D, class I>
TV_DEVICE void scatter_atomic(D* destination, const D* updates, const I* indices, u64 count,
                              u64 rows, const Divisor& width, u64* error) {
  const u64 all = count * width.value;
  for (u64 i = thread_index(); i < all; i += thread_count()) {
    const u64 place = divide(i, width);
    const u64 column = i - place * width.value;
    const u64 row = row_at(indices, place);
    if (row < rows) apply_atomically<Op>(destination + row * width.value + column, updates[i]);
    else if (column == 0) atomicMax(error, place + 1);
  }
}

}  // namespace tv

// What tensorvar/_cuda/rows.py appends, one line per kernel that it needs.
#define TV_SCATTER_SORTED(name, Op, C, D, I)                                               \
  TV_KERNEL(tv::SCATTER_THREADS, name)                                                     \
  (D * destination, const D* updates, const I* indices, const tv::u64* order,              \
   tv::u64 count, tv::u64 rows, const tv::Divisor width, tv::u64* error) {                 \
    tv::scatter_sorted<tv::Op, C, D, I>(destination, updates, indices, order, count, rows, \
                                        width, error);                                     \
  }                                                                                        \
  TV_EXPORT(name)

#define TV_SCATTER_ATOMIC(name, Op, D, I)                                                  \
  TV_KERNEL(tv::SCATTER_THREADS, name)                                                     \
  (D * destination, const D* updates, const I* indices, tv::u64 count, tv::u64 rows,       \
   const tv::Divisor width, tv::u64* error) {                                              \
    tv::scatter_atomic<tv::Op, D, I>(destination, updates, indices, count, rows, width,    \
                                     error);                                               \
  }                                                                                        \
  TV_EXPORT(name)
