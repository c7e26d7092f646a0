// Purpose: adds up the sums of a product whose terms were dealt out to several blocks (see
// Product::split_k in tv_matmul.cuh): C = activation(sums of split 0 + split 1 + ... + bias).
// S is the type of the sums, R that of the results.
//
// Work split: one vector of 16 bytes of sums per thread, in a grid-stride loop, the splits in
// their order: the result is the same on every run. VECTORS needs rows of whole vectors and
// aligned results.
//
// Bytes moved per result: splits * sizeof(S) read, sizeof(R) written.
// Limits: the sums of a split are dense, those of the next follow at once.
#include "tv_matmul.cuh"

namespace tv {

constexpr int REDUCE_THREADS = 256;

struct Reduction {
  u64 sums, c, bias;             // addresses
  u64 splits, all;               // vectors of one split
  u64 leading_c, stride_c;       // elements to the next row, to the next matrix
  Divisor vectors, rows;         // in a row, in a matrix
};

template <class S, class R, class Activation, bool VECTORS>
TV_DEVICE void reduce_splits(const Reduction& reduction) {
  constexpr int LENGTH = VECTORS ? larger(1, VECTOR_BYTES / sizeof(S)) : 1;
  const R* const bias = reinterpret_cast<const R*>(reduction.bias);
  for (u64 i = thread_index(); i < reduction.all; i += thread_count()) {
    const S* from = reinterpret_cast<const S*>(reduction.sums) + i * LENGTH;
    Vector<S, LENGTH> total = load_vector<S, LENGTH>(from);
#pragma unroll 4
    for (u64 split = 1; split < reduction.splits; ++split) {
      from += reduction.all * LENGTH;
      const Vector<S, LENGTH> sum = load_vector<S, LENGTH>(from);
#pragma unroll
      for (int e = 0; e < LENGTH; ++e)
        total.element[e] = Add::apply(total.element[e], sum.element[e]);
    }
    const u64 row = divide(i, reduction.vectors), matrix = divide(row, reduction.rows);
    const u64 column = (i - row * reduction.vectors.value) * LENGTH;
    R* const c = reinterpret_cast<R*>(reduction.c) + matrix * reduction.stride_c +
                 (row - matrix * reduction.rows.value) * reduction.leading_c;
    store_results<Activation, LENGTH>(c, total.element, bias, column, column + LENGTH, VECTORS);
  }
}

}  // namespace tv

// What tensorvar/_cuda/splitk_reduce.py appends, one line per kernel that it needs.
#define TV_SPLITK_REDUCE(name, S, R, Activation, VECTORS)                                     \
  TV_KERNEL(tv::REDUCE_THREADS, name)(const __grid_constant__ tv::Reduction reduction) {      \
    tv::reduce_splits<S, R, tv::Activation, VECTORS>(reduction);                              \
  }                                                                                           \
  TV_EXPORT(name)
