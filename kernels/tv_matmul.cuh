// Purpose: what all products of matrices share: how a product is described, which tile a
// block takes, how a term is added, and what is done to a sum before it is stored.
#pragma once
#include "tv_formulas.cuh"

namespace tv {

// C = activation(A B + bias) for a batch; lengths in elements. The host keeps the number of
// blocks below 2^31.
struct Product {
  u64 a, b, c, bias;                      // addresses; bias is 0 where there is none
  u64 m, n, k, batch;
  u64 leading_a, leading_b, leading_c;    // from one stored row to the next
  u64 stride_a, stride_b, stride_c;       // from one matrix of the batch to the next
  u64 split_k, split_stride;              // terms per split, from one split's sums to the next
  u64 row_tiles, column_tiles;
  u64 vector_results;                     // whether groups of results may be stored at once
};

// Where a block works.
struct Place {
  u64 row_tile, column_tile, matrix, split;
};

// Blocks that run at the same time take tiles of a few rows, column after column, so that
// the second level cache holds what they share.
constexpr u32 ROW_TILES_TOGETHER = 8;

// Read anew each time: what follows from it need not stay in registers from the beginning of
// a kernel to its end.
TV_DEVICE u32 block_index() {
#ifdef TV_CPU
  return blockIdx.x;
#else
  u32 index;
  asm volatile("mov.u32 %0, %%ctaid.x;" : "=r"(index));
  return index;
#endif
}

TV_DEVICE Place find_place(const Product& product) {
  const u32 block = block_index();
  const u32 rows = static_cast<u32>(product.row_tiles);
  const u32 columns = static_cast<u32>(product.column_tiles);
  const u32 rest = block / (rows * columns);
  const u32 tile = block % (rows * columns);
  const u32 first = tile / (ROW_TILES_TOGETHER * columns) * ROW_TILES_TOGETHER;
  const u32 together = rows - first < ROW_TILES_TOGETHER ? rows - first : ROW_TILES_TOGETHER;
  const u32 inside = tile - first * columns;
  const u32 batch = static_cast<u32>(product.batch);
  return {first + inside % together, inside / together, rest % batch, rest / batch};
}

// a * b + c, rounded once where the chip can. Integers wrap.
template <class T>
TV_DEVICE T multiply_add(T a, T b, T c) {
  if constexpr (is_complex<T>) {
    return T{multiply_add(-a.imaginary, b.imaginary, multiply_add(a.real, b.real, c.real)),
             multiply_add(a.imaginary, b.real, multiply_add(a.real, b.imaginary, c.imaginary))};
  } else if constexpr (is_float<T>) {
#ifdef TV_CPU
    return a * b + c;
#else
    if constexpr (same<T, float>) return __fmaf_rn(a, b, c);
    else return __fma_rn(a, b, c);
#endif
  } else {
    return Add::apply(Mul::apply(a, b), c);
  }
}

// c0 += a b0 and c1 += a b1. Chips from sm_100 on do both in one instruction, which the
// compiler does not form by itself (NVRTC 13.5).
template <class T>
TV_DEVICE void multiply_add_pair(T a, T b0, T b1, T& c0, T& c1) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000 && __CUDA_ARCH__ < 1200
  if constexpr (same<T, float>) {
    asm("{ .reg .b64 a, b, c; mov.b64 a, {%2, %2}; mov.b64 b, {%3, %4}; mov.b64 c, {%0, %1};"
        " fma.rn.f32x2 c, a, b, c; mov.b64 {%0, %1}, c; }"
        : "+f"(c0), "+f"(c1) : "f"(a), "f"(b0), "f"(b1));
    return;
  }
#endif
  c0 = multiply_add(a, b0, c0);
  c1 = multiply_add(a, b1, c1);
}

struct Identity {
  template <class T> TV_DEVICE static T apply(T x) { return x; }
};

// What a bias and an activation make of the sum of column `column`; whoever stores it rounds
// it to R. As ops do one by one, the product, the sum with the bias and the activation are
// each rounded, so that the results are theirs, bit for bit.
template <class Activation, class R, class C>
TV_DEVICE C finish(C sum, const R* bias, u64 column) {
  if (bias) sum = Add::apply(convert<C>(convert<R>(sum)), convert<C>(bias[column]));
  if constexpr (same<Activation, Identity>) return sum;
  else return Activation::apply(convert<C>(convert<R>(sum)));
}

// COUNT neighbouring results of a row, of which only those left of column n exist.
template <class Activation, int COUNT, class R, class C>
TV_DEVICE void store_results(R* row, const C* sums, const R* bias, u64 column, u64 n,
                             bool vectors) {
  if (vectors && column + COUNT <= n) {
    Vector<R, COUNT> results;
#pragma unroll
    for (int i = 0; i < COUNT; ++i)
      results.element[i] = convert<R>(finish<Activation>(sums[i], bias, column + i));
    store_vector<R, COUNT>(row + column, results);
  } else {
#pragma unroll
    for (int i = 0; i < COUNT; ++i)
      if (column + i < n)
        row[column + i] = convert<R>(finish<Activation>(sums[i], bias, column + i));
  }
}

}  // namespace tv
