// Purpose: products with at most 8 rows or at most 8 columns, which are as fast as the large
// operand can be read: y[s, j] = activation(sum over k of x[s, k] w[j, k] + bias). x is the
// thin operand with up to THIN rows, w the large one. T is the type of both, S the one that
// is multiplied and added in, R that of the results and the bias.
//
// Work split: a block brings a part of x to shared memory, once, and reads its part of w
// straight from global memory in pieces of 16 bytes, several of them per thread before the
// first is used.
//   rows      the k of one j are neighbours. A warp takes LINES of the j; its lanes take
//             pieces along k and add up by shuffles.
//   columns   the j of one k are neighbours. LANES threads lie side by side along j, the
//             others of the block take other k; the sums meet in shared memory.
// Where that gives too few blocks the k are dealt out to several, whose sums
// splitk_reduce.cu adds up. VECTORS says that w may be read 16 bytes at once and that its
// rows are whole vectors.
// Sums are added in an order that depends on the shapes only: the same result on every run.
//
// Bytes moved: w once, x once per block (from the second level cache), the results.
// Limits: fewer than 2^31 blocks.
#include "tv_matmul.cuh"

namespace tv {

// Lengths in elements.
struct ThinProduct {
  u64 x, w, y, bias;                    // addresses; bias is 0 where there is none
  u64 thin, width, k;                   // rows of x, rows of w, terms
  u64 x_row, x_k;                       // from one s to the next, from one k to the next
  u64 leading_w;                        // from one stored row to the next
  u64 y_row, y_column;                  // from one s to the next, from one j to the next
  u64 stride_x, stride_w, stride_y;     // from one matrix of the batch to the next
  u64 batch, strips;                    // parts of the width, one per block
  u64 split_k, split_stride;            // terms per split, from one split's sums to the next
  u64 bias_along_rows;                  // whether the bias belongs to s and not to j
};

// The part of a product that a block does.
template <class T>
struct ThinPart {
  const T *x, *w;
  u64 strip, y, k;    // y and k: where its results and terms begin

  TV_DEVICE ThinPart(const ThinProduct& product) {
    const u32 rest = blockIdx.x / static_cast<u32>(product.strips);
    const u64 matrix = rest % static_cast<u32>(product.batch);
    const u64 split = rest / static_cast<u32>(product.batch);
    strip = blockIdx.x % static_cast<u32>(product.strips);
    k = split * product.split_k;
    x = reinterpret_cast<const T*>(product.x) + matrix * product.stride_x + k * product.x_k;
    w = reinterpret_cast<const T*>(product.w) + matrix * product.stride_w;
    y = matrix * product.stride_y + split * product.split_stride;
  }

  TV_DEVICE u64 terms(const ThinProduct& product) const {
    const u64 left = product.k - k;
    return left < product.split_k ? left : product.split_k;
  }
};

// A part of x in shared memory, zeros where it has fewer than THIN rows.
constexpr int THIN_ELEMENTS = 4096;

template <class S, class T, int THIN, bool BY_K>
TV_DEVICE void fetch_thin(S* part, const T* x, int ks, const ThinProduct& product) {
  constexpr int KS = THIN_ELEMENTS / THIN;
  for (int i = threadIdx.x; i < THIN_ELEMENTS; i += blockDim.x) {
    const int s = i / KS, k = i % KS;
    const bool there = static_cast<u64>(s) < product.thin && k < ks;
    part[BY_K ? k * THIN + s : i] =
        there ? convert<S>(x[s * product.x_row + k * product.x_k]) : S(0);
  }
}

template <class Activation, class R, class S>
TV_DEVICE void store_thin(const ThinProduct& product, u64 y, u64 s, u64 j, S sum) {
  if (s >= product.thin || j >= product.width) return;
  reinterpret_cast<R*>(product.y)[y + s * product.y_row + j * product.y_column] =
      convert<R>(finish<Activation>(sum, reinterpret_cast<const R*>(product.bias),
                                    product.bias_along_rows ? s : j));
}

template <class T, bool VECTORS>
constexpr int PIECE = VECTORS ? VECTOR_BYTES / static_cast<int>(sizeof(T)) : 1;

constexpr int ROWS_THREADS = 256;

template <class T, class S, class R, class Activation, int THIN, int LINES, bool VECTORS>
TV_DEVICE void multiply_thin_rows(const ThinProduct& product) {
  constexpr int LENGTH = PIECE<T, VECTORS>, KS = THIN_ELEMENTS / THIN, STEP = 32 * LENGTH;
  [[maybe_unused]] constexpr int UNROLL = larger(1, (THIN > 2 ? 4 : 8) / LINES);
  TV_SHARED(S, part, [THIN_ELEMENTS]);
  const ThinPart<T> mine(product);
  const u64 first = (mine.strip * (ROWS_THREADS / 32) + threadIdx.x / 32) * LINES;
  const int lane = threadIdx.x % 32;
  const u64 terms = mine.terms(product);
  S sums[LINES][THIN] = {};
  for (u64 begin = 0; begin < terms; begin += KS) {
    const int ks = terms - begin < KS ? static_cast<int>(terms - begin) : KS;
    __syncthreads();
    fetch_thin<S, T, THIN, false>(part, mine.x + begin * product.x_k, ks, product);
    __syncthreads();
#pragma unroll UNROLL
    for (int k = lane * LENGTH; k < ks; k += STEP) {
      Vector<T, LENGTH> pieces[LINES];
#pragma unroll
      for (int l = 0; l < LINES; ++l) {
        // A line that does not exist is read as the last one that does.
        const u64 j = first + l < product.width ? first + l : product.width - 1;
        pieces[l] = load_vector<T, LENGTH>(mine.w + j * product.leading_w + mine.k + begin + k);
      }
#pragma unroll
      for (int s = 0; s < THIN; ++s)
#pragma unroll
        for (int e = 0; e < LENGTH; ++e) {
          const S x = part[s * KS + k + e];
#pragma unroll
          for (int l = 0; l < LINES; ++l)
            sums[l][s] = multiply_add(convert<S>(pieces[l].element[e]), x, sums[l][s]);
        }
    }
  }
#pragma unroll
  for (int l = 0; l < LINES; ++l)
#pragma unroll
    for (int s = 0; s < THIN; ++s) {
#pragma unroll
      for (int by = 16; by; by /= 2)
        sums[l][s] += __shfl_xor_sync(~0u, sums[l][s], by);
      if (lane == 0) store_thin<Activation, R>(product, mine.y, s, first + l, sums[l][s]);
    }
}

constexpr int COLUMNS_THREADS = 512;

template <class T, class S, class R, class Activation, int THIN, int LANES, bool VECTORS>
TV_DEVICE void multiply_thin_columns(const ThinProduct& product) {
  constexpr int LENGTH = PIECE<T, VECTORS>, KS = THIN_ELEMENTS / THIN, UNROLL = 4;
  constexpr int ACROSS = LANES * LENGTH, DOWN = COLUMNS_THREADS / LANES;
  constexpr int WARPS = COLUMNS_THREADS / 32;
  static_assert(WARPS * THIN * ACROSS <= 2 * THIN_ELEMENTS, "the sums fit where x was");
  TV_SHARED(S, part, [larger(THIN_ELEMENTS, WARPS * THIN * ACROSS)]);
  const ThinPart<T> mine(product);
  const int lane = threadIdx.x % LANES, row = threadIdx.x / LANES;
  const u64 column = mine.strip * ACROSS + lane * LENGTH;
  const u64 terms = mine.terms(product);
  S sums[THIN][LENGTH] = {};
  for (u64 begin = 0; begin < terms; begin += KS) {
    const int ks = terms - begin < KS ? static_cast<int>(terms - begin) : KS;
    const T* const w = mine.w + (mine.k + begin) * product.leading_w + column;
    __syncthreads();
    fetch_thin<S, T, THIN, true>(part, mine.x + begin * product.x_k, ks, product);
    __syncthreads();
    if (column >= product.width) continue;
#pragma unroll 1
    for (int k = row; k < ks; k += DOWN * UNROLL) {
      Vector<T, LENGTH> pieces[UNROLL];
#pragma unroll
      for (int u = 0; u < UNROLL; ++u)
        if (k + u * DOWN < ks)
          pieces[u] = load_vector<T, LENGTH>(w + (k + u * DOWN) * product.leading_w);
#pragma unroll
      for (int u = 0; u < UNROLL; ++u) {
        if (k + u * DOWN >= ks) continue;
#pragma unroll
        for (int s = 0; s < THIN; ++s) {
          const S x = part[(k + u * DOWN) * THIN + s];
#pragma unroll
          for (int e = 0; e < LENGTH; ++e)
            sums[s][e] = multiply_add(convert<S>(pieces[u].element[e]), x, sums[s][e]);
        }
      }
    }
  }
  // x has been read.
  __syncthreads();
#pragma unroll
  for (int s = 0; s < THIN; ++s)
#pragma unroll
    for (int e = 0; e < LENGTH; ++e) {
#pragma unroll
      for (int by = 16; by >= LANES; by /= 2) sums[s][e] += __shfl_xor_sync(~0u, sums[s][e], by);
      if (threadIdx.x % 32 < LANES)
        part[(threadIdx.x / 32 * THIN + s) * ACROSS + lane * LENGTH + e] = sums[s][e];
    }
  __syncthreads();
  for (int i = threadIdx.x; i < THIN * ACROSS; i += COLUMNS_THREADS) {
    S total = part[i];
#pragma unroll
    for (int warp = 1; warp < WARPS; ++warp) total += part[warp * THIN * ACROSS + i];
    store_thin<Activation, R>(product, mine.y, i / ACROSS, mine.strip * ACROSS + i % ACROSS,
                              total);
  }
}

}  // namespace tv

// What tensorvar/_cuda/gemv.py appends, one line per kernel that it needs.
#define TV_GEMV_ROWS(name, T, S, R, Activation, THIN, LINES, VECTORS)                         \
  TV_RESIDENT_KERNEL(tv::ROWS_THREADS, 2, name)                                               \
  (const __grid_constant__ tv::ThinProduct product) {                                         \
    tv::multiply_thin_rows<T, S, R, tv::Activation, THIN, LINES, VECTORS>(product);           \
  }                                                                                           \
  TV_EXPORT(name)

#define TV_GEMV_COLUMNS(name, T, S, R, Activation, THIN, LANES, VECTORS)                      \
  TV_RESIDENT_KERNEL(tv::COLUMNS_THREADS, 1, name)                                            \
  (const __grid_constant__ tv::ThinProduct product) {                                         \
    tv::multiply_thin_columns<T, S, R, tv::Activation, THIN, LANES, VECTORS>(product);        \
  }                                                                                           \
  TV_EXPORT(name)
