// Purpose: C = activation(A B + bias) without tensor cores, for every type of number: T is
// the type of the operands, S the one in which they are multiplied and added, R that of the
// results and the bias. float32 follows IEEE, integers wrap, 16-bit floats are multiplied as
// float32 and the sum is rounded once.
//
// Work split: a block computes ROWS x COLUMNS results, and takes KS terms of each at a time
// from shared memory; a warp computes WARP_ROWS x WARP_COLUMNS of them, a thread
// THREAD_ROWS x THREAD_COLUMNS, in groups of 16 bytes that lie a warp's width apart. While a
// tile is multiplied the next ones are on their way (tv_tiles.cuh): STAGES tiles in turn
// where ASYNC, otherwise two.
//   A_ALONG_K, B_ALONG_K   whether the terms of a sum are neighbours in global memory: A as
//                          it is and B transposed
//   VECTORS                whether A and B may be read 16 bytes at once
// With splits the terms are dealt out to several blocks, whose sums splitk_reduce.cu adds up.
//
// Bytes moved per block: (ROWS + COLUMNS) * k * sizeof(T) read, mostly from the second level
// cache, ROWS * COLUMNS * sizeof(R) written.
// Limits: fewer than 2^31 blocks, and than 2^31 - 2^10 terms per split.
#include "tv_matmul.cuh"
#include "tv_tiles.cuh"

namespace tv {

template <int ROWS_, int COLUMNS_, int KS_, int WARP_ROWS_, int WARP_COLUMNS_, int THREAD_ROWS_,
          int THREAD_COLUMNS_>
struct Shape {
  static constexpr int ROWS = ROWS_, COLUMNS = COLUMNS_, KS = KS_;
  static constexpr int WARP_ROWS = WARP_ROWS_, WARP_COLUMNS = WARP_COLUMNS_;
  static constexpr int THREAD_ROWS = THREAD_ROWS_, THREAD_COLUMNS = THREAD_COLUMNS_;
  static constexpr int LANE_ROWS = WARP_ROWS / THREAD_ROWS;
  static constexpr int LANE_COLUMNS = WARP_COLUMNS / THREAD_COLUMNS;
  static constexpr int WARPS_PER_ROW = COLUMNS / WARP_COLUMNS;
  static constexpr int THREADS = ROWS / WARP_ROWS * WARPS_PER_ROW * 32;
  static_assert(LANE_ROWS * LANE_COLUMNS == 32, "a warp has 32 threads");
};

// The sums of sm_100 lie in pairs of registers, which leaves fewer for what is ahead.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
constexpr int KS_UNROLLED = 8;
#else
constexpr int KS_UNROLLED = 32;
#endif

// Where a thread's results are: group g of GROUP lines begins at first + g * STEP.
template <class S, int THREAD_LINES, int LANES>
struct Lines {
  static constexpr int GROUP = smaller(THREAD_LINES, larger(1, VECTOR_BYTES / sizeof(S)));
  static constexpr int GROUPS = THREAD_LINES / GROUP;
  static constexpr int STEP = LANES * GROUP;
  int first;
};

// Loads a thread's lines of one k from a tile.
template <class S, int THREAD_LINES, int LANES>
TV_DEVICE void load_lines(S (&values)[THREAD_LINES], const S* tile,
                          const Lines<S, THREAD_LINES, LANES>& lines) {
  typedef Lines<S, THREAD_LINES, LANES> L;
#pragma unroll
  for (int g = 0; g < L::GROUPS; ++g) {
    const Vector<S, L::GROUP> group = load_vector<S, L::GROUP>(tile + lines.first + g * L::STEP);
#pragma unroll
    for (int e = 0; e < L::GROUP; ++e) values[g * L::GROUP + e] = group.element[e];
  }
}

template <class S, class Shape>
struct Sums {
  typedef Lines<S, Shape::THREAD_ROWS, Shape::LANE_ROWS> Rows;
  typedef Lines<S, Shape::THREAD_COLUMNS, Shape::LANE_COLUMNS> Columns;
  Rows rows;
  Columns columns;
  S value[Shape::THREAD_ROWS][Shape::THREAD_COLUMNS];

  // Lanes 2i and 2i + 1 read the same row, so that half-warps ask for the same bytes and
  // the shared memory answers once.
  TV_DEVICE Sums() : value{} {
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int lane_row = lane / 2 % Shape::LANE_ROWS;
    const int lane_column = lane / 2 / Shape::LANE_ROWS * 2 + lane % 2;
    rows.first = warp / Shape::WARPS_PER_ROW * Shape::WARP_ROWS + lane_row * Rows::GROUP;
    columns.first =
        warp % Shape::WARPS_PER_ROW * Shape::WARP_COLUMNS + lane_column * Columns::GROUP;
  }

  TV_DEVICE void add(const S* a, const S* b) {
#pragma unroll KS_UNROLLED
    for (int k = 0; k < Shape::KS; ++k) {
      S left[Shape::THREAD_ROWS], right[Shape::THREAD_COLUMNS];
      load_lines(left, a + k * (Shape::ROWS + TILE_PADDING), rows);
      load_lines(right, b + k * (Shape::COLUMNS + TILE_PADDING), columns);
#pragma unroll
      for (int i = 0; i < Shape::THREAD_ROWS; ++i)
#pragma unroll
        for (int j = 0; j < Shape::THREAD_COLUMNS; j += 2)
          multiply_add_pair(left[i], right[j], right[j + 1], value[i][j], value[i][j + 1]);
    }
  }

  template <class Activation, class R>
  TV_DEVICE void store(const Product& product, R* c, u64 row, u64 column) const {
    const R* const bias = reinterpret_cast<const R*>(product.bias);
#pragma unroll
    for (int i = 0; i < Shape::THREAD_ROWS; ++i) {
      const u64 at = row + rows.first + i / Rows::GROUP * Rows::STEP + i % Rows::GROUP;
      if (at >= product.m) continue;
#pragma unroll
      for (int j = 0; j < Columns::GROUPS; ++j)
        store_results<Activation, Columns::GROUP>(
            c + at * product.leading_c, value[i] + j * Columns::GROUP, bias,
            column + columns.first + j * Columns::STEP, product.n, product.vector_results);
    }
  }
};

// One tile of each operand: that of A and behind it that of B.
template <class S, class Shape>
struct Stage {
  static constexpr int A = Shape::KS * (Shape::ROWS + TILE_PADDING);
  static constexpr int BOTH = A + Shape::KS * (Shape::COLUMNS + TILE_PADDING);
  static constexpr u32 BYTES = BOTH * sizeof(S);
};

template <class Shape, int STAGES, class S, class A, class B>
TV_DEVICE void multiply_async(Sums<S, Shape>& sums, A a, B b, const S* tiles, int ks) {
  typedef Stage<S, Shape> Tiles;
  int left = ks;    // that nobody has asked for yet
#pragma unroll
  for (int s = 0; s < STAGES - 1; ++s, left -= Shape::KS) {
    if (left > 0) {
      a.begin(s * Tiles::BYTES, left);
      b.begin(s * Tiles::BYTES, left);
    }
    commit_copies();
  }
  u32 into = (STAGES - 1) * Tiles::BYTES, out_of = 0;
#pragma unroll 1
  for (; left > -(STAGES - 1) * Shape::KS; left -= Shape::KS) {
    wait_for_copies<STAGES - 2>();
    // The tile has come for everybody, and everybody is done with the one before it.
    __syncthreads();
    if (left > 0) {
      a.begin(into, left);
      b.begin(into, left);
    }
    commit_copies();
    into = into == (STAGES - 1) * Tiles::BYTES ? 0 : into + Tiles::BYTES;
    sums.add(tiles + out_of, tiles + out_of + Tiles::A);
    out_of = out_of == (STAGES - 1) * Tiles::BOTH ? 0 : out_of + Tiles::BOTH;
  }
}

template <class Shape, class S, class A, class B>
TV_DEVICE void multiply_staged(Sums<S, Shape>& sums, A a, B b, S* tiles, int ks) {
  typedef Stage<S, Shape> Tiles;
  if (!ks) return;
  a.load(ks);
  b.load(ks);
  a.store(tiles);
  b.store(tiles + Tiles::A);
  int out_of = 0;
#pragma unroll 1
  for (int left = ks - Shape::KS; left > -Shape::KS; left -= Shape::KS) {
    // The tile has come from everybody, and everybody is done with the one before it.
    __syncthreads();
    const int into = Tiles::BOTH - out_of;
    if (left > 0) {
      a.load(left);
      b.load(left);
    }
    sums.add(tiles + out_of, tiles + out_of + Tiles::A);
    if (left > 0) {
      a.store(tiles + into);
      b.store(tiles + into + Tiles::A);
    }
    out_of = into;
  }
}

template <class T, class S, class Shape, bool A_ALONG_K, bool B_ALONG_K, bool VECTORS,
          bool ASYNC, int STAGES>
TV_DEVICE void multiply(Sums<S, Shape>& sums, const Product& product) {
  const Place place = find_place(product);
  const u64 row = place.row_tile * Shape::ROWS, column = place.column_tile * Shape::COLUMNS;
  const u64 k = place.split * product.split_k;
  const int ks = at_most(product.k - k, static_cast<int>(product.split_k));
  const T* const a = reinterpret_cast<const T*>(product.a) + place.matrix * product.stride_a;
  const T* const b = reinterpret_cast<const T*>(product.b) + place.matrix * product.stride_b;
  const Window<T> a_window = {
      a + (A_ALONG_K ? row * product.leading_a + k : k * product.leading_a + row),
      product.leading_a, product.m - row};
  const Window<T> b_window = {
      b + (B_ALONG_K ? column * product.leading_b + k : k * product.leading_b + column),
      product.leading_b, product.n - column};

  TV_DYNAMIC_SHARED(memory);
  S* const tiles = reinterpret_cast<S*>(memory);
  if constexpr (ASYNC) {
    typedef AsyncTile<T, Shape::ROWS, Shape::KS, A_ALONG_K, VECTORS, Shape::THREADS> A;
    typedef AsyncTile<T, Shape::COLUMNS, Shape::KS, B_ALONG_K, VECTORS, Shape::THREADS> B;
    const u32 place_of_b = shared_address(tiles + Stage<S, Shape>::A);
    multiply_async<Shape, STAGES>(sums, A(a_window, shared_address(tiles)),
                                  B(b_window, place_of_b), tiles, ks);
  } else {
    typedef StagedTile<T, S, Shape::ROWS, Shape::KS, A_ALONG_K, VECTORS, Shape::THREADS> A;
    typedef StagedTile<T, S, Shape::COLUMNS, Shape::KS, B_ALONG_K, VECTORS, Shape::THREADS> B;
    multiply_staged<Shape>(sums, A(a_window), B(b_window), tiles, ks);
  }
}

template <class R, class Activation, class S, class Shape>
TV_DEVICE void store(const Sums<S, Shape>& sums, const Product& product) {
  const Place place = find_place(product);
  R* const c = reinterpret_cast<R*>(product.c) + place.matrix * product.stride_c +
               place.split * product.split_stride;
  sums.template store<Activation>(product, c, place.row_tile * Shape::ROWS,
                                  place.column_tile * Shape::COLUMNS);
}

}  // namespace tv

// What tensorvar/_cuda/matmul_simt.py appends, one line per kernel that it needs.
#define TV_MATMUL_SIMT(name, T, S, R, Activation, RESIDENT, ROWS, COLUMNS, KS, WARP_ROWS,     \
                       WARP_COLUMNS, THREAD_ROWS, THREAD_COLUMNS, A_ALONG_K, B_ALONG_K,       \
                       VECTORS, ASYNC, STAGES)                                                \
  typedef tv::Shape<ROWS, COLUMNS, KS, WARP_ROWS, WARP_COLUMNS, THREAD_ROWS, THREAD_COLUMNS>  \
      name##_shape;                                                                           \
  TV_RESIDENT_KERNEL(name##_shape::THREADS, RESIDENT, name)                                   \
  (const __grid_constant__ tv::Product product) {                                             \
    tv::Sums<S, name##_shape> sums;                                                           \
    tv::multiply<T, S, name##_shape, A_ALONG_K, B_ALONG_K, VECTORS, ASYNC, STAGES>(sums,      \
                                                                                   product);  \
    tv::store<R, tv::Activation>(sums, product);                                              \
  }                                                                                           \
  TV_EXPORT(name)
