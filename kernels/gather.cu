// Purpose: copies rows of a dense table: destination[i, :] = source[indices[i], :]. A row is
// bytes to it; P is the widest piece, 16 to 1 bytes, that divides the row and both
// addresses. I is the type of the indices.
//
// Work split: one piece per thread, in a grid-stride loop; neighbouring threads take
// neighbouring pieces of a row and read its index from the cache.
//
// Bytes moved per row: the row read and written, and sizeof(I) read.
// Limits: an index outside the table gives a row of zeros, and *error becomes the largest
// position of such an index, plus one. The operands must not overlap.
#include "tv_core.cuh"

namespace tv {

constexpr int GATHER_THREADS = 256;

template <class P, class I>
TV_DEVICE void gather_rows(P* destination, const P* source, const I* indices, u64 count,
                           u64 rows, const Divisor& pieces, u64* error) {
  const u64 all = count * pieces.value;
  for (u64 i = thread_index(); i < all; i += thread_count()) {
    const u64 row = divide(i, pieces);
    const u64 piece = i - row * pieces.value;
    // A negative index is a very large one.
    const u64 index = static_cast<u64>(static_cast<i64>(indices[row]));
    if (index < rows) {
      destination[i] = source[index * pieces.value + piece];
    } else {
      destination[i] = P{};
      if (piece == 0) atomicMax(error, row + 1);
    }
  }
}

}  // namespace tv

// What tensorvar/_cuda/rows.py appends, one line per kernel that it needs.
#define TV_GATHER_ROWS(name, P, I)                                                         \
  TV_KERNEL(tv::GATHER_THREADS, name)                                                      \
  (P * destination, const P* source, const I* indices, tv::u64 count, tv::u64 rows,        \
   const tv::Divisor pieces, tv::u64* error) {                                             \
    tv::gather_rows<P, I>(destination, source, indices, count, rows, pieces, error);       \
  }                                                                                        \
  TV_EXPORT(name)
