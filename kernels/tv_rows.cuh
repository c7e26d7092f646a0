// Purpose: what the kernels on rows share: row numbers, rows in sorted order, pieces of rows
// that are only moved, and the ops that assignment does not have.
#pragma once
#include "tv_types.cuh"

// That one block fits is all that is asked for: to fit one more, the compiler would keep a
// few registers in memory.
#ifdef TV_CPU
#define TV_ROW_KERNEL(name) TV_KERNEL(tv::ROW_THREADS, name)
#else
#define TV_ROW_KERNEL(name) \
  extern "C" __global__ void __launch_bounds__(tv::ROW_THREADS, 1) name
#endif

namespace tv {

constexpr int ROW_THREAD_BITS = 8;
constexpr int ROW_THREADS = 1 << ROW_THREAD_BITS;

template <class I>
TV_DEVICE u64 row_at(const I* indices, u64 position) {
  // A negative index is a very large one.
  return static_cast<u64>(static_cast<i64>(indices[position]));
}

// A piece of 1 to 16 bytes.
template <class P>
TV_DEVICE P load_piece(const P* from) {
  if constexpr (sizeof(P) == VECTOR_BYTES) {
    const Vector<u32, 4> words = load_vector<u32, 4>(reinterpret_cast<const u32*>(from));
    return P{words.element[0], words.element[1], words.element[2], words.element[3]};
  } else {
    return *from;
  }
}

template <class P>
TV_DEVICE void store_piece(P* to, P piece) {
  if constexpr (sizeof(P) == VECTOR_BYTES)
    store_16_bytes(to, piece.x, piece.y, piece.z, piece.w);
  else
    *to = piece;
}

// Indices in the order of their rows; `order` keeps equal ones in their order. A place is
// a position in that order.
template <class I>
struct SortedRows {
  const I* indices;
  const u64* order;
  u64 count;

  TV_DEVICE u64 row(u64 place) const { return row_at(indices, order[place]); }
  TV_DEVICE bool holds(u64 place, u64 row) const {
    return place < count && this->row(place) == row;
  }
  TV_DEVICE bool begins(u64 place, u64 row) const {
    return place == 0 || this->row(place - 1) != row;
  }
  // The first place of a row from `low` to `high`; `high` is of that row.
  TV_DEVICE u64 first(u64 row, u64 low, u64 high) const {
    while (low < high) {
      const u64 middle = low + (high - low) / 2;
      if (this->row(middle) == row) high = middle;
      else low = middle + 1;
    }
    return high;
  }
  // The first place behind a row; `low` is of that row, and none from `high` on.
  TV_DEVICE u64 past(u64 row, u64 low, u64 high) const {
    while (low + 1 < high) {
      const u64 middle = low + (high - low) / 2;
      if (this->row(middle) == row) low = middle;
      else high = middle;
    }
    return high;
  }
};

// Integers are divided towards zero, and by zero to zero; the least one by -1 wraps.
// Complex numbers as NumPy does: scaled by the larger part of the divisor.
struct Div {
  template <class T> TV_DEVICE static T apply(T a, T b) {
    if constexpr (is_complex<T>) {
      return divide_complex(a, b);
    } else if constexpr (is_float<T>) {
      return a / b;
    } else {
      if (b == 0) return 0;
      if constexpr (static_cast<T>(-1) < static_cast<T>(1))
        if (b == static_cast<T>(-1)) return Sub::apply(static_cast<T>(0), a);
      return static_cast<T>(a / b);
    }
  }

  template <class R> TV_DEVICE static Complex<R> divide_complex(Complex<R> a, Complex<R> b) {
    const R across = b.real < 0 ? -b.real : b.real;
    const R up = b.imaginary < 0 ? -b.imaginary : b.imaginary;
    if (across >= up) {
      if (across == 0 && up == 0) return {a.real / across, a.imaginary / across};
      const R ratio = b.imaginary / b.real;
      const R scale = R(1) / (b.real + b.imaginary * ratio);
      return {(a.real + a.imaginary * ratio) * scale, (a.imaginary - a.real * ratio) * scale};
    }
    const R ratio = b.real / b.imaginary;
    const R scale = R(1) / (b.imaginary + b.real * ratio);
    return {(a.real * ratio + a.imaginary) * scale, (a.imaginary * ratio - a.real) * scale};
  }
};

// Subtraction of bools.
struct Xor {
  template <class T> TV_DEVICE static T apply(T a, T b) {
    return T{static_cast<u8>(a.byte ^ b.byte)};
  }
};

}  // namespace tv
