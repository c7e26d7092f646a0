// Purpose: copies rows of a dense table: destination[i, :] = source[indices[i], :]. A row is
// bytes to it; P is the widest piece, 16 to 1 bytes, that divides the row and both
// addresses. I is the type of the indices. And row numbers of index tuples, for gathers and
// scatters by more than one index.
//
// Work split:
//   rows    narrow rows: one piece per thread, in a grid-stride loop; neighbouring threads
//           take neighbouring pieces and read the index from the cache
//   wide    a warp takes 32 * AT_ONCE pieces of one row; its first lane reads the index for
//           all, and each lane loads all its pieces before it stores the first
//   row numbers   one tuple per thread
//
// Bytes moved per row: the row read and written, and sizeof(I) read. Per tuple: depth *
// sizeof(I) read, 8 written.
// Limits: an index outside the table gives a row of zeros, and *error becomes the largest
// position of such an index, plus one. A tuple with an index outside its dimension has the
// row number -1. The operands must not overlap.
#include "tv_rows.cuh"

namespace tv {

constexpr int AT_ONCE = 4;
constexpr int MOST_EXTENTS = 8;

template <class P, class I>
TV_DEVICE void gather_rows(P* destination, const P* source, const I* indices, u64 count,
                           u64 rows, const Divisor& pieces, u64* error) {
  const u64 all = count * pieces.value;
  for (u64 i = thread_index(); i < all; i += thread_count()) {
    const u64 position = divide(i, pieces);
    const u64 piece = i - position * pieces.value;
    const u64 row = row_at(indices, position);
    if (row < rows) {
      store_piece(destination + i, load_piece(source + row * pieces.value + piece));
    } else {
      store_piece(destination + i, P{});
      if (piece == 0) atomicMax(error, position + 1);
    }
  }
}

// `chunks` divides by the number of parts of a row that a warp takes at a time.
template <class P, class I>
TV_DEVICE void gather_wide(P* destination, const P* source, const I* indices, u64 count,
                           u64 rows, u64 pieces, const Divisor& chunks, u64* error) {
  const u64 lane = threadIdx.x % 32;
  const u64 warps = thread_count() / 32;
  for (u64 unit = thread_index() / 32; unit < count * chunks.value; unit += warps) {
    const u64 position = divide(unit, chunks);
    const u64 chunk = unit - position * chunks.value;
    u64 row = 0;
    if (lane == 0) row = row_at(indices, position);
    row = __shfl_sync(~0u, row, 0);
    const u64 first = chunk * (32 * AT_ONCE) + lane;
    if (row >= rows && lane == 0 && chunk == 0) atomicMax(error, position + 1);
    P values[AT_ONCE];
#pragma unroll
    for (int a = 0; a < AT_ONCE; ++a) {
      values[a] = P{};
      if (row < rows && first + 32 * a < pieces)
        values[a] = load_piece(source + row * pieces + first + 32 * a);
    }
#pragma unroll
    for (int a = 0; a < AT_ONCE; ++a)
      if (first + 32 * a < pieces)
        store_piece(destination + position * pieces + first + 32 * a, values[a]);
  }
}

struct Extents {
  u64 depth;
  u64 extent[MOST_EXTENTS];
};

template <class I>
TV_DEVICE void number_rows(i64* numbers, const I* tuples, u64 count, const Extents& extents) {
  for (u64 i = thread_index(); i < count; i += thread_count()) {
    u64 number = 0;
    bool inside = true;
    for (u64 d = 0; d < extents.depth; ++d) {
      const u64 index = row_at(tuples, i * extents.depth + d);
      inside = inside && index < extents.extent[d];
      number = number * extents.extent[d] + index;
    }
    numbers[i] = inside ? static_cast<i64>(number) : -1;
  }
}

}  // namespace tv

// What tensorvar/_cuda/gather_plan.py appends, one line per kernel that it needs.
#define TV_GATHER_ROWS(name, P, I)                                                         \
  TV_ROW_KERNEL(name)                                                                      \
  (P * destination, const P* source, const I* indices, tv::u64 count, tv::u64 rows,        \
   const tv::Divisor pieces, tv::u64* error) {                                             \
    tv::gather_rows<P, I>(destination, source, indices, count, rows, pieces, error);       \
  }                                                                                        \
  TV_EXPORT(name)

#define TV_GATHER_WIDE(name, P, I)                                                         \
  TV_ROW_KERNEL(name)                                                                      \
  (P * destination, const P* source, const I* indices, tv::u64 count, tv::u64 rows,        \
   tv::u64 pieces, const tv::Divisor chunks, tv::u64* error) {                             \
    tv::gather_wide<P, I>(destination, source, indices, count, rows, pieces, chunks,       \
                          error);                                                          \
  }                                                                                        \
  TV_EXPORT(name)

#define TV_ROW_NUMBERS(name, I)                                                            \
  TV_ROW_KERNEL(name)                                                                      \
  (tv::i64 * numbers, const I* tuples, tv::u64 count,                                      \
   const __grid_constant__ tv::Extents extents) {                                          \
    tv::number_rows<I>(numbers, tuples, count, extents);                                   \
  }                                                                                        \
  TV_EXPORT(name)
