// Purpose: products of matrices on tensor cores through mma.sync, for sm_75 and newer:
// float16, bfloat16 and float32 rounded to tf32 with sums in float32, int8 with sums in
// int32, float64. D is the type of the factors, R of the result.
//
// Layout: a factor is stored with its rows along k or across it (A_ALONG_K is true for A as
// it is written, B_ALONG_K for B transposed). Neither is transposed in memory: ldmatrix and
// the addresses do that.
//
// Work split: a block computes TILE_M x TILE_N results with two warps along each edge, or
// four along an edge of 256. STAGES tiles of the factors, 64 bytes along k, are in shared
// memory or on their way to it, and while a warp multiplies one half of a tile it reads the
// next half. Results go through shared memory, so that rows are stored 16 bytes at a time,
// and get bias and activation on their way. Splits of k give sums for `splitk_reduce.cu`.
//
// Bytes moved: A is read once for each TILE_N columns and B for each TILE_M rows, mostly from
// the second level cache; C is written once.
// Limits: fewer than 2^31 blocks. Copy is Asynchronous<16, 8 or 4> where all addresses and
// leading extents are multiples of that and the chip is sm_80 or newer, ThroughRegisters
// otherwise, with STAGES = 2.
#include "tv_matmul.cuh"
#include "tv_mma_tiles.cuh"

namespace tv {

// Warps along an edge of a tile: none has more than 64 x 64 results.
constexpr int mma_warps(int extent) { return extent > 128 ? 4 : 2; }

template <class D, int TILE_M, int TILE_N, int STAGES, class Copy, bool A_ALONG_K,
          bool B_ALONG_K>
struct MmaTile {
  typedef TensorCore<D> Core;
  typedef typename Core::Sum Sum;
  typedef typename Core::Register Register;
  static constexpr int WARPS_M = mma_warps(TILE_M), WARPS_N = mma_warps(TILE_N);
  static constexpr int THREADS = 32 * WARPS_M * WARPS_N;
  typedef Reader<D, TILE_M, A_ALONG_K, false> ReaderA;
  typedef Reader<D, TILE_N, B_ALONG_K, true> ReaderB;
  typedef Share<D, TILE_M, A_ALONG_K, Copy::PIECE, THREADS> ShareA;
  typedef Share<D, TILE_N, B_ALONG_K, Copy::PIECE, THREADS> ShareB;

  static constexpr int DEPTH = MMA_TILE_BYTES / static_cast<int>(sizeof(D));
  static constexpr int WARP_M = TILE_M / WARPS_M;
  static constexpr int WARP_N = TILE_N / WARPS_N;
  static constexpr int BLOCKS_M = WARP_M / 16;
  static constexpr int BLOCKS_N = WARP_N / 16;
  static constexpr int BYTES_A = TILE_M * MMA_TILE_BYTES;
  static constexpr int STAGE_BYTES = (TILE_M + TILE_N) * MMA_TILE_BYTES;
  // Rows of sums in shared memory are this far apart, which spreads them over the banks.
  static constexpr int PITCH = WARP_N + 8;

  Sum sums[BLOCKS_M][2 * BLOCKS_N][4];

  // Adds the products of `terms` terms from k on.
  TV_DEVICE void multiply(const Product& product, const Place& place, u8* shared, u64 k,
                          i64 terms) {
    ShareA a(reinterpret_cast<const D*>(product.a) + place.matrix * product.stride_a,
             product.leading_a, place.row_tile * TILE_M, product.m, k);
    ShareB b(reinterpret_cast<const D*>(product.b) + place.matrix * product.stride_b,
             product.leading_b, place.column_tile * TILE_N, product.n, k);
    const ReaderA rows(warp() / WARPS_N * WARP_M);
    const ReaderB columns(warp() % WARPS_N * WARP_N);
    typename Copy::template Copy<ShareA> copy_a;
    typename Copy::template Copy<ShareB> copy_b;
    Register block_a[2][BLOCKS_M][Core::REGISTERS], block_b[2][BLOCKS_N][Core::REGISTERS];
    const u32 base = shared_address(shared);
    const u32 last = base + (STAGES - 1) * STAGE_BYTES;
    i64 to_copy = terms;
#pragma unroll
    for (int stage = 0; stage < STAGES - 1; ++stage, to_copy -= DEPTH) {
      const u32 to = base + stage * STAGE_BYTES;
      if (to_copy > 0) {
        copy_a.begin(a, to, part(to_copy));
        copy_b.begin(b, to + BYTES_A, part(to_copy));
        copy_a.end(a, to);
        copy_b.end(b, to + BYTES_A);
      }
      Copy::commit();
    }
    Copy::template wait<STAGES - 2>();
    __syncthreads();
    u32 reading = base, writing = last;
    read(block_a[0], block_b[0], rows, columns, reading, 0);
    for (; to_copy > -(STAGES - 1) * DEPTH; to_copy -= DEPTH) {
#pragma unroll
      for (int step = 0; step < MMA_STEPS; ++step) {
        if (step == MMA_STEPS - 1) {
          if (to_copy > 0) {
            copy_a.end(a, writing);
            copy_b.end(b, writing + BYTES_A);
          }
          writing = writing == last ? base : writing + STAGE_BYTES;
          reading = reading == last ? base : reading + STAGE_BYTES;
          Copy::template wait<STAGES - 2>();
          __syncthreads();
        }
        const int now = step % 2;
        read(block_a[1 - now], block_b[1 - now], rows, columns, reading, (step + 1) % MMA_STEPS);
        if (step == 0) {
          if (to_copy > 0) {
            copy_a.begin(a, writing, part(to_copy));
            copy_b.begin(b, writing + BYTES_A, part(to_copy));
          }
          Copy::commit();
        }
        multiply_blocks(block_a[now], block_b[now]);
      }
    }
    // All copies have arrived, and what is still read of a tile is the next one, which is not
    // there: the barrier only spares the tools that look for races a false alarm.
    __syncthreads();
  }

  // Stores activation(sums + bias), 16 rows of each warp at a time.
  template <class R, class Activation>
  TV_DEVICE void store(const Product& product, const Place& place, u8* shared) {
    constexpr int COUNT = VECTOR_BYTES / static_cast<int>(sizeof(R));
    constexpr int GROUPS = WARP_N / COUNT;
    Sum* const stand = reinterpret_cast<Sum*>(shared) + warp() * 16 * PITCH;
    R* const c = reinterpret_cast<R*>(product.c) + place.matrix * product.stride_c +
                 place.split * product.split_stride;
    const R* const bias = reinterpret_cast<const R*>(product.bias);
    const u64 column = place.column_tile * TILE_N + warp() % WARPS_N * WARP_N;
    u64 row = place.row_tile * TILE_M + warp() / WARPS_N * WARP_M;
#pragma unroll 1
    for (int block = 0; block < BLOCKS_M; ++block, row += 16) {
      // The sums are registers, which have no index; the rest is long, and there once.
#pragma unroll
      for (int i = 0; i < BLOCKS_M; ++i)
        if (i == block) lay_out(stand, i);
      __syncwarp();
#pragma unroll 1
      for (int i = lane(); i < 16 * GROUPS; i += 32) {
        const u64 r = row + i / GROUPS;
        const int from = i % GROUPS * COUNT;
        if (r >= product.m || column + from >= product.n) continue;
        const Vector<Sum, COUNT> group = load_vector<Sum, COUNT>(stand + i / GROUPS * PITCH + from);
        store_results<Activation, COUNT>(c + r * product.leading_c, group.element, bias,
                                         column + from, product.n, product.vector_results != 0);
      }
      __syncwarp();
    }
  }

 private:
  TV_DEVICE static int warp() { return static_cast<int>(threadIdx.x) / 32; }
  TV_DEVICE static int lane() { return static_cast<int>(threadIdx.x) % 32; }

  // How many of the terms that are left are in the next tile.
  TV_DEVICE static int part(i64 left) {
    return static_cast<int>(left < DEPTH ? left : DEPTH);
  }

  TV_DEVICE static void read(Register (&a)[BLOCKS_M][Core::REGISTERS],
                             Register (&b)[BLOCKS_N][Core::REGISTERS], const ReaderA& rows,
                             const ReaderB& columns, u32 stage, int step) {
#pragma unroll
    for (int i = 0; i < BLOCKS_M; ++i) rows.read(a[i], stage, i, step);
#pragma unroll
    for (int i = 0; i < BLOCKS_N; ++i) columns.read(b[i], stage + BYTES_A, i, step);
  }

  TV_DEVICE void multiply_blocks(const Register (&a)[BLOCKS_M][Core::REGISTERS],
                                 const Register (&b)[BLOCKS_N][Core::REGISTERS]) {
#pragma unroll
    for (int i = 0; i < BLOCKS_M; ++i)
#pragma unroll
      for (int j = 0; j < 2 * BLOCKS_N; ++j) Core::multiply(sums[i][j], a[i], b[j / 2], j % 2);
  }

  // Puts 16 rows of sums into shared memory.
  TV_DEVICE void lay_out(Sum* stand, int block) const {
    const int g = lane() / 4, t = lane() % 4;
#pragma unroll
    for (int j = 0; j < 2 * BLOCKS_N; ++j)
#pragma unroll
      for (int r = 0; r < 4; ++r) {
        const int row = ReaderA::Layout::INTERLEAVED ? g * 2 + r / 2 : g + r / 2 * 8;
        const int inside = t * 2 + r % 2;
        const int column = ReaderB::Layout::INTERLEAVED ? inside * 2 + j % 2 : inside + j % 2 * 8;
        stand[row * PITCH + j / 2 * 16 + column] = sums[block][j][r];
      }
  }
};

template <class D, class R, int TILE_M, int TILE_N, int STAGES, class Copy, bool A_ALONG_K,
          bool B_ALONG_K, class Activation>
TV_DEVICE void matmul_mma(const Product& product) {
  TV_DYNAMIC_SHARED(shared);
  const Place place = find_place(product);
  const u64 first = place.split * product.split_k;
  const u64 rest = product.k - first;
  MmaTile<D, TILE_M, TILE_N, STAGES, Copy, A_ALONG_K, B_ALONG_K> tile{};
  tile.multiply(product, place, shared, first,
                static_cast<i64>(rest < product.split_k ? rest : product.split_k));
  // Found anew, which takes no registers while the tensor cores need them all.
  tile.template store<R, Activation>(product, find_place(product), shared);
}

}  // namespace tv

// Other copies than the fastest, and double, take registers that the compiler denies them for
// the sake of one more block, and then spills; one block per multiprocessor as the least that
// is wanted (0 says nothing) stops it. A macro, because it stands for two arguments.
#define TV_MMA_BOUNDS(D, TILE_M, TILE_N, Copy)                                             \
  32 * tv::mma_warps(TILE_M) * tv::mma_warps(TILE_N),                                      \
      sizeof(D) < 8 && tv::same<tv::Copy, tv::Asynchronous<16>> ? 0 : 1

// What tensorvar/_cuda/matmul_mma.py appends, one line per kernel that it needs.
#define TV_MATMUL_MMA(name, D, R, TILE_M, TILE_N, STAGES, Copy, A_ALONG_K, B_ALONG_K,      \
                      Activation)                                                          \
  TV_KERNEL(TV_MMA_BOUNDS(D, TILE_M, TILE_N, Copy), name)                                  \
  (const __grid_constant__ tv::Product product) {                                          \
    tv::matmul_mma<D, R, TILE_M, TILE_N, STAGES, tv::Copy, A_ALONG_K, B_ALONG_K,           \
                   tv::Activation>(product);                                               \
  }                                                                                        \
  TV_EXPORT(name)
