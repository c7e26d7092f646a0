// Purpose: table[indices[i], :] = table[indices[i], :] (op) updates[i, :] where indices may
// repeat, with the same result on every run. `order` sorts the indices and keeps equal ones
// in their order; a place is a position in it. D is the type of table and updates, C the one
// that is computed with, I that of the indices, LENGTH elements are done at once: 16 bytes,
// or one. `stride` is the distance of two updates in elements, 0 if one serves all.
//
// Work split, one thread per place and LENGTH columns:
//   fold    Few updates of a row are done one after the other by the thread at the first,
//           which is what NumPy does. More than PIECE are cut where the place is a multiple
//           of PIECE, each piece is folded by the thread at its first place, and goes to
//           `partial`: two rows for each window of PIECE places, for a piece that goes on
//           from the window before and for one that begins. PIECE of 0 cuts nothing: for
//           division, and for products of floats, of which a part may overflow.
//   join    A block looks at 32 windows; for each row that begins there and was cut, its
//           threads fold runs of partial results, then the runs pairwise, then the table.
//   last    The thread at the last update of a row copies it; P is a piece of a row.
// Everything is folded in an order that the indices alone decide. 16-bit floats are rounded
// once, when the table is written.
//
// Bytes moved per element: sizeof(D) of each update read; of each row that is touched
// sizeof(D) read and written; per place and thread 3 times the index and the order, mostly
// from the caches; 2/PIECE * sizeof(C) of partial results where rows are cut.
// Limits: an index outside the table writes nothing, and *error becomes the largest position
// seen of such an index, plus one.
#include "tv_rows.cuh"

namespace tv {

// Updates that are loaded before the first is used. More would take registers, and with them
// blocks of a multiprocessor, which wait for loads, too.
template <int LENGTH>
constexpr int AHEAD = LENGTH == 1 ? 4 : LENGTH <= 4 ? 3 : 2;
// That a block of join looks at.
constexpr int WINDOWS = 32;

// What makes one result of two pieces.
template <class Op> struct Joint { typedef Op type; };
template <> struct Joint<Sub> { typedef Add type; };

template <class C, class D, int LENGTH>
TV_DEVICE Vector<C, LENGTH> load_as(const D* from) {
  const Vector<D, LENGTH> loaded = load_vector<D, LENGTH>(from);
  Vector<C, LENGTH> result;
#pragma unroll
  for (int e = 0; e < LENGTH; ++e) result.element[e] = convert<C>(loaded.element[e]);
  return result;
}

template <class D, class C, int LENGTH>
TV_DEVICE void store_as(D* to, const Vector<C, LENGTH>& values) {
  Vector<D, LENGTH> result;
#pragma unroll
  for (int e = 0; e < LENGTH; ++e) result.element[e] = convert<D>(values.element[e]);
  store_vector<D, LENGTH>(to, result);
}

// Folds the updates from `place` on that are of one row, none at `end` or behind it. ALL says
// that all of them are, so that nobody has to look.
template <class Op, bool ALL, class C, class D, class I, int LENGTH>
TV_DEVICE void fold(Vector<C, LENGTH>& total, const D* updates, const SortedRows<I>& sorted,
                    u64 row, u64 place, u64 end, u64 stride) {
  constexpr int MOST = AHEAD<LENGTH>;
  int found = MOST;
#pragma unroll 1
  for (; found == MOST; place += MOST) {
    u64 position[MOST];
#pragma unroll
    for (int a = 0; a < MOST; ++a)
      if (place + a < end) position[a] = sorted.order[place + a];
    found = 0;
#pragma unroll
    for (int a = 0; a < MOST; ++a)
      found += place + a < end && (ALL || row_at(sorted.indices, position[a]) == row);
    // As they are: to convert one would be to wait for it before the next is asked for.
    Vector<D, LENGTH> update[MOST];
#pragma unroll
    for (int a = 0; a < MOST; ++a)
      if (a < found) update[a] = load_vector<D, LENGTH>(updates + position[a] * stride);
#pragma unroll
    for (int a = 0; a < MOST; ++a) {
      if (a >= found) continue;
#pragma unroll
      for (int e = 0; e < LENGTH; ++e)
        total.element[e] = Op::apply(total.element[e], convert<C>(update[a].element[e]));
    }
  }
}

// Whether the row that goes on at this place, a multiple of PIECE, has more than PIECE
// updates.
template <u64 PIECE, class I>
TV_DEVICE bool goes_on_in_pieces(const SortedRows<I>& sorted, u64 place, u64 row) {
  if (sorted.row(place - PIECE) == row) return true;
  return sorted.holds(sorted.first(row, place - PIECE + 1, place) + PIECE, row);
}

// Where a thread stands in the next round over all threads: one place further. Always at the
// same one, a thread would meet pieces in every round or in none, as the threads are mostly a
// multiple of PIECE places. A grid for which the card has room has fewer than 2^31 threads.
TV_DEVICE u32 next_turn(u32 turn, u64 vectors) {
  const u32 threads = gridDim.x * blockDim.x;
  turn += vectors < threads ? static_cast<u32>(vectors) : 0;
  return turn < threads ? turn : turn - threads;
}

template <class Op, class C, class D, class I, int LENGTH, u64 PIECE>
TV_DEVICE void scatter_fold(D* table, const D* updates, const SortedRows<I>& sorted, u64 rows,
                            const Divisor& vectors, u64 stride, C* partial, u64* error) {
  const u64 all = sorted.count * vectors.value;
  const u64 width = vectors.value * LENGTH;
  constexpr u64 CUT = PIECE ? PIECE : 1;
  u32 turn = static_cast<u32>(thread_index());
  u64 begin = 0;
  for (; begin < all; begin += thread_count(), turn = next_turn(turn, vectors.value)) {
    const u64 i = begin + turn;
    if (i >= all) continue;
    const u64 place = divide(i, vectors);
    const u64 column = (i - place * vectors.value) * LENGTH;
    const u64 row = sorted.row(place);
    const bool first = sorted.begins(place, row);
    if (!first && (PIECE == 0 || place % CUT)) continue;
    if (row >= rows) {
      if (first && column == 0) atomicMax(error, sorted.order[place] + 1);
      continue;
    }
    const D* const from = updates + column;
    const bool alone = first && !sorted.holds(place + 1, row);
    if (alone || (first && !(PIECE && sorted.holds(place + PIECE, row)))) {
      const u64 end = alone ? place + 1 : sorted.count;
      D* const to = table + row * width + column;
      Vector<C, LENGTH> total = load_as<C, D, LENGTH>(to);
      fold<Op, false, C, D, I, LENGTH>(total, from, sorted, row, place, end, stride);
      store_as<D, C, LENGTH>(to, total);
      continue;
    }
    if constexpr (PIECE != 0) {
      if (!first && !goes_on_in_pieces<PIECE>(sorted, place, row)) continue;
      const u64 window = place / PIECE;
      u64 end = (window + 1) * PIECE < sorted.count ? (window + 1) * PIECE : sorted.count;
      if (sorted.row(end - 1) != row) end = sorted.past(row, place, end - 1);
      Vector<C, LENGTH> total =
          load_as<C, D, LENGTH>(from + sorted.order[place] * stride);
      typedef typename Joint<Op>::type Join;
      fold<Join, true, C, D, I, LENGTH>(total, from, sorted, row, place + 1, end, stride);
      store_vector<C, LENGTH>(partial + (2 * window + first) * width + column, total);
    }
  }
}

// The first place of the row that begins in a window, not the last of all, and is cut; or
// `count` if there is none. Two such rows cannot begin in one window.
template <u64 PIECE, class I>
TV_DEVICE u64 cut_row_of(const SortedRows<I>& sorted, u64 window) {
  const u64 low = window * PIECE, next = low + PIECE;
  const u64 row = sorted.row(next);
  if (sorted.row(next - 1) != row || !sorted.begins(low, row)) return sorted.count;
  const u64 place = sorted.first(row, low, next - 1);
  return sorted.holds(place + PIECE, row) ? place : sorted.count;
}

// The partial results of one column of a row: that of the window where it begins, then
// those of the windows into which it goes on.
template <class C>
struct Partials {
  const C* begin;
  u64 width;
  TV_DEVICE C at(u64 number) const {
    return number ? begin[2 * number * width] : begin[width];
  }
};

template <class Op, class C, class D, class I, u64 PIECE>
TV_DEVICE void join_row(D* table, const C* partial, const SortedRows<I>& sorted, u64 place,
                        u64 row, u64 width, u32 lane_bits, u64 tile, C* runs) {
  typedef typename Joint<Op>::type Join;
  const u64 window = place / PIECE;
  u64 last = window + 1, beyond = (sorted.count + PIECE - 1) / PIECE;
  while (last + 1 < beyond) {
    const u64 middle = last + (beyond - last) / 2;
    if (sorted.row(middle * PIECE) == row) last = middle;
    else beyond = middle;
  }
  const u64 pieces = last - window + 1;
  const u32 run_bits = ROW_THREAD_BITS - lane_bits, most = 1u << run_bits;
  const u32 run = threadIdx.x >> lane_bits;
  const u64 length = (pieces + most - 1) >> run_bits;
  const u32 lane = threadIdx.x & ((1u << lane_bits) - 1);
  const u64 column = (tile << lane_bits) + lane;
  const u64 begin = run * length;
  const bool mine = column < width && begin < pieces;
  C* const total = runs + threadIdx.x;
  if (mine) {
    const Partials<C> all = {partial + 2 * window * width + column, width};
    const u64 end = begin + length < pieces ? begin + length : pieces;
    C sum = all.at(begin);
#pragma unroll 4
    for (u64 i = begin + 1; i < end; ++i) sum = Join::apply(sum, all.at(i));
    *total = sum;
  }
  __syncthreads();
  for (u32 step = 1; step < most; step *= 2) {
    if (mine && run % (2 * step) == 0 && begin + step * length < pieces)
      *total = Join::apply(*total, total[step << lane_bits]);
    __syncthreads();
  }
  if (mine && run == 0) {
    D* const to = table + row * width + column;
    *to = convert<D>(Op::apply(convert<C>(*to), *total));
  }
  // The next row writes to `runs`.
  __syncthreads();
}

template <class Op, class C, class D, class I, u64 PIECE>
TV_DEVICE void scatter_join(D* table, const C* partial, const SortedRows<I>& sorted, u64 rows,
                            u64 width, u32 lane_bits, const Divisor& tiles) {
  TV_SHARED(C, runs, [ROW_THREADS]);
  TV_SHARED(u64, found, [WINDOWS]);
  const u64 windows = (sorted.count + PIECE - 1) / PIECE;
  const u64 units = (windows + WINDOWS - 1) / WINDOWS * tiles.value;
  for (u64 unit = blockIdx.x; unit < units; unit += gridDim.x) {
    const u64 group = divide(unit, tiles);
    if (threadIdx.x < WINDOWS) {
      const u64 window = group * WINDOWS + threadIdx.x;
      found[threadIdx.x] =
          window + 1 < windows ? cut_row_of<PIECE>(sorted, window) : sorted.count;
    }
    __syncthreads();
    for (int i = 0; i < WINDOWS; ++i) {
      const u64 place = found[i];
      if (place == sorted.count) continue;
      const u64 row = sorted.row(place);
      if (row < rows)
        join_row<Op, C, D, I, PIECE>(table, partial, sorted, place, row, width, lane_bits,
                                     unit - group * tiles.value, runs);
    }
    // The next unit writes to `found`.
    __syncthreads();
  }
}

template <class P, class I>
TV_DEVICE void scatter_last(P* table, const P* updates, const SortedRows<I>& sorted, u64 rows,
                            const Divisor& pieces, u64 stride, u64* error) {
  const u64 all = sorted.count * pieces.value;
  for (u64 i = thread_index(); i < all; i += thread_count()) {
    const u64 place = divide(i, pieces);
    const u64 piece = i - place * pieces.value;
    const u64 row = sorted.row(place);
    if (sorted.holds(place + 1, row)) continue;
    const u64 position = sorted.order[place];
    if (row < rows)
      store_piece(table + row * pieces.value + piece,
                  load_piece(updates + position * stride + piece));
    else if (piece == 0) atomicMax(error, position + 1);
  }
}

}  // namespace tv

// What tensorvar/_cuda/scatter_plan.py appends, one line per kernel that it needs.
#define TV_SCATTER_FOLD(name, Op, C, D, I, LENGTH, PIECE)                                  \
  TV_ROW_KERNEL(name)                                                                      \
  (D * table, const D* updates, const I* indices, const tv::u64* order, tv::u64 count,     \
   tv::u64 rows, const tv::Divisor vectors, tv::u64 stride, C* partial, tv::u64* error) {  \
    tv::scatter_fold<tv::Op, C, D, I, LENGTH, PIECE>(                                      \
        table, updates, tv::SortedRows<I>{indices, order, count}, rows, vectors, stride,   \
        partial, error);                                                                   \
  }                                                                                        \
  TV_EXPORT(name)

#define TV_SCATTER_JOIN(name, Op, C, D, I, PIECE)                                          \
  TV_ROW_KERNEL(name)                                                                      \
  (D * table, const C* partial, const I* indices, const tv::u64* order, tv::u64 count,     \
   tv::u64 rows, tv::u64 width, tv::u64 lane_bits, const tv::Divisor tiles) {                  \
    tv::scatter_join<tv::Op, C, D, I, PIECE>(                                              \
        table, partial, tv::SortedRows<I>{indices, order, count}, rows, width,             \
        static_cast<tv::u32>(lane_bits), tiles);                                           \
  }                                                                                        \
  TV_EXPORT(name)

#define TV_SCATTER_LAST(name, P, I)                                                        \
  TV_ROW_KERNEL(name)                                                                      \
  (P * table, const P* updates, const I* indices, const tv::u64* order, tv::u64 count,     \
   tv::u64 rows, const tv::Divisor pieces, tv::u64 stride, tv::u64* error) {               \
    tv::scatter_last<P, I>(table, updates, tv::SortedRows<I>{indices, order, count}, rows, \
                           pieces, stride, error);                                         \
  }                                                                                        \
  TV_EXPORT(name)
