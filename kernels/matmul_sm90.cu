// Purpose: C = activation(A B + bias) on the tensor cores of Hopper (sm_90a): float16,
// bfloat16, and float32 as tf32, with sums in float32; a batch; either operand may be
// transposed. The copy engine reads ahead, a warpgroup's products run beside it.
//
// Work split: a block takes a tile of C of 64 or 128 rows, then the next one, until none is
// left (the grid is as large as the card). One warp of its first warpgroup brings tiles of A
// and B, 128 bytes along K at a time, into a ring of STAGES slots; each further warpgroup
// multiplies 64 rows. A slot has two barriers: `full` opens when its bytes have come,
// `empty` when every warp has read it; what is awaited is the parity of the phase. One group
// of products stays in flight: a slot is given back when the group after it has begun.
// In a cluster of two blocks, one below the other, each brings half of B's tile for both.
// Where there are too few tiles, the terms are dealt out, too: C holds the sums of one split
// after the other, which splitk_reduce.cu adds up.
// C goes through shared memory in pieces of 64 rows x 128 bytes, two per warpgroup, so that
// the copy engine writes one while the next is filled, and the next tile is already loaded.
//
// Operands: rows that lie along K are taken as they are. Across K the tensor cores read
// 16-bit elements transposed; tf32 they do not, so A goes through registers, in either
// layout, where it is rounded too, and B comes from round_tf32.cu.
// Bytes moved: each tile of A and B once from the second level cache per tile of C, B's half
// as often in a cluster.
// Limits: what the copy engine takes: addresses, rows and matrices at multiples of 16
// bytes, fewer than 2^31 rows or columns. It reads zeros outside and stores nothing there,
// so sizes are free. K is at least 1; the host keeps the number of tiles below 2^31.
#include "tv_hopper.cuh"
#include "tv_matmul.cuh"

namespace tv {

constexpr int TENSOR_ROWS = 64;  // of one warpgroup's product
constexpr int PIECE_BYTES = TENSOR_ROWS * TILE_ROW_BYTES;
constexpr int PIECES_IN_FLIGHT = 2;
constexpr int STRIDE_8_ROWS = 8 * TILE_ROW_BYTES;

// How the work is dealt out, with the tiles of a cluster as one; `matrix_a` and `matrix_b` are
// 0 where the batch shares one.
struct Tiling {
  u32 rows, columns, slabs, slabs_per_split;
  u32 row_tiles, column_tiles, batch, tiles;
  i32 matrix_a, matrix_b;
};

// T of A and B, R of C; the flags say whether the rows of an operand lie across K.
template <class T_, class R_, int ROWS_, int COLUMNS_, int STAGES_, int CLUSTER_,
          bool ACROSS_A_, bool ACROSS_B_, class Activation_>
struct Plan {
  typedef T_ T;
  typedef R_ R;
  typedef Activation_ Activation;
  static constexpr int ROWS = ROWS_, COLUMNS = COLUMNS_, STAGES = STAGES_, CLUSTER = CLUSTER_;
  static constexpr bool ACROSS_A = ACROSS_A_, ACROSS_B = ACROSS_B_;
  static constexpr bool TF32 = same<T, Tf32>;
  static_assert(!TF32 || !ACROSS_B, "the tensor cores do not transpose tf32");
  static constexpr int CONSUMERS = ROWS / TENSOR_ROWS;
  static constexpr int SLAB = TILE_ROW_BYTES / static_cast<int>(sizeof(T));  // along K
  static constexpr int A_BYTES = ROWS * TILE_ROW_BYTES;
  static constexpr int B_BYTES = COLUMNS * TILE_ROW_BYTES;
  static constexpr int PIECE_COLUMNS = TILE_ROW_BYTES / static_cast<int>(sizeof(R));
  static constexpr int SHARE = COLUMNS / CLUSTER;  // of B's tile, that a block brings
  static_assert(SHARE % 64 == 0, "a share is made of whole groups of 128 bytes");
  static constexpr int A = 0;
  static constexpr int B = A + STAGES * A_BYTES;
  static constexpr int C = B + STAGES * B_BYTES;
  static constexpr int BARRIERS = C + CONSUMERS * PIECES_IN_FLIGHT * PIECE_BYTES;
};

struct Arrays {
  const TensorMap &a, &b, &c;
  const void* bias;
};

// A slot of the ring and the parity of its phase.
struct Turn {
  u32 slot, parity;
  template <int STAGES>
  TV_DEVICE void advance() {
    if (++slot == STAGES) {
      slot = 0;
      parity ^= 1;
    }
  }
};

struct TilePlace {
  i32 row, column, matrix;
  i32 result;              // which matrix of C
  u32 first_slab, slabs;
};

// Blocks that run at the same time take tiles of a few rows, column after column, so that
// the second level cache holds what they share.
template <class P>
TV_DEVICE TilePlace place_of(const Tiling& tiling, u32 index) {
  const u32 tiles = tiling.row_tiles * tiling.column_tiles;
  const u32 tile = index % tiles;
  const u32 first = tile / (ROW_TILES_TOGETHER * tiling.column_tiles) * ROW_TILES_TOGETHER;
  const u32 left = tiling.row_tiles - first;
  const u32 together = left < ROW_TILES_TOGETHER ? left : ROW_TILES_TOGETHER;
  const u32 inside = tile - first * tiling.column_tiles;
  u32 row_tile = first + inside % together;
  if constexpr (P::CLUSTER > 1) row_tile = row_tile * P::CLUSTER + rank_in_cluster();
  const u32 result = index / tiles;
  const u32 slab = result / tiling.batch * tiling.slabs_per_split;
  const u32 slabs = tiling.slabs - slab;
  return {static_cast<i32>(row_tile * P::ROWS),
          static_cast<i32>(inside / together * P::COLUMNS),
          static_cast<i32>(result % tiling.batch),
          static_cast<i32>(result),
          slab,
          slabs < tiling.slabs_per_split ? slabs : tiling.slabs_per_split};
}

// EXTENT rows of A or columns of B, one slab along K, for this block or its whole cluster.
template <class P, bool ACROSS, int EXTENT, int BLOCKS>
TV_DEVICE void load_operand(u8* to, const TensorMap& map, u64* full, i32 k, i32 at, i32 matrix) {
  constexpr int COUNT = ACROSS ? EXTENT / P::SLAB : 1;
#pragma unroll
  for (int i = 0; i < COUNT; ++i) {
    u8* const there = to + i * (P::SLAB * TILE_ROW_BYTES);
    const i32 x = ACROSS ? at + i * P::SLAB : k;
    const i32 y = ACROSS ? k : at;
    if constexpr (BLOCKS > 1) load_tile_for((1 << BLOCKS) - 1, there, map, full, x, y, matrix);
    else load_tile(there, map, full, x, y, matrix);
  }
}

// The first tile of this block's cluster, and how many clusters there are.
template <class P> TV_DEVICE u32 first_tile() { return blockIdx.x / P::CLUSTER; }
template <class P> TV_DEVICE u32 tiles_at_once() { return gridDim.x / P::CLUSTER; }

template <class P>
TV_DEVICE void produce(const Arrays& arrays, const Tiling& tiling, u8* shared, u64* full,
                       u64* empty) {
  prefetch_map(arrays.a);
  prefetch_map(arrays.b);
  prefetch_map(arrays.c);
  // The slots are empty from the start: the phase before the first is over.
  Turn turn = {0, 1};
  const i32 share = P::CLUSTER > 1 ? static_cast<i32>(rank_in_cluster()) * P::SHARE : 0;
  for (u32 t = first_tile<P>(); t < tiling.tiles; t += tiles_at_once<P>()) {
    const TilePlace at = place_of<P>(tiling, t);
#pragma unroll 1
    for (u32 slab = 0; slab < at.slabs; ++slab) {
      u64* const arrived = full + turn.slot;
      const i32 k = static_cast<i32>(at.first_slab + slab) * P::SLAB;
      barrier_wait(empty + turn.slot, turn.parity);
      barrier_expect(arrived, P::A_BYTES + P::B_BYTES);
      load_operand<P, P::ACROSS_A, P::ROWS, 1>(shared + P::A + turn.slot * P::A_BYTES, arrays.a,
                                               arrived, k, at.row, at.matrix * tiling.matrix_a);
      load_operand<P, P::ACROSS_B, P::SHARE, P::CLUSTER>(
          shared + P::B + turn.slot * P::B_BYTES + share * TILE_ROW_BYTES, arrays.b, arrived, k,
          at.column + share, at.matrix * tiling.matrix_b);
      turn.advance<P::STAGES>();
    }
  }
  // The other block arrives at this one's barriers until it has read what came last, and
  // shared memory must outlive that.
  if constexpr (P::CLUSTER > 1) {
    for (int i = 0; i < P::STAGES; ++i) {
      barrier_wait(empty + turn.slot, turn.parity);
      turn.advance<P::STAGES>();
    }
  }
}

// One slab of 64 rows in 16-bit elements, 16 along K at a time.
template <class P>
TV_DEVICE void multiply_slab(float (&sums)[P::COLUMNS / 2], const u8* a, const u8* b, bool add) {
  constexpr int K = 16;
  constexpr int ALONG = K * static_cast<int>(sizeof(typename P::T));
  constexpr int ACROSS = K * TILE_ROW_BYTES;
  constexpr int LEADING = P::SLAB * TILE_ROW_BYTES;
  const u64 from_a = matrix_descriptor(a, LEADING, STRIDE_8_ROWS);
  const u64 from_b = matrix_descriptor(b, LEADING, STRIDE_8_ROWS);
  wgmma_fence();
#pragma unroll
  for (int i = 0; i < P::SLAB / K; ++i)
    Wgmma<typename P::T, P::COLUMNS>::template multiply<P::ACROSS_A, P::ACROSS_B>(
        sums, moved_descriptor(from_a, i * (P::ACROSS_A ? ACROSS : ALONG)),
        moved_descriptor(from_b, i * (P::ACROSS_B ? ACROSS : ALONG)), add || i > 0);
  wgmma_commit();
}

// A's part of one slab for this thread: rows lane / 4 + {0, 8} of its warp, and of each 8
// along K the two lane % 4 + {0, 4}; rounded.
template <class P>
TV_DEVICE void load_fragments(u32 (&fragments)[P::SLAB / 8][4], const u8* a) {
  const u32 lane = threadIdx.x % 32;
  const u32 first = threadIdx.x % WARPGROUP / 32 * 16 + lane / 4;
#pragma unroll
  for (int i = 0; i < P::SLAB / 8; ++i)
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const u32 row = first + e % 2 * 8;
      const u32 k = i * 8 + lane % 4 + e / 2 * 4;
      const u32 offset =
          P::ACROSS_A ? row / P::SLAB * (P::SLAB * TILE_ROW_BYTES) + swizzled(k, row % P::SLAB * 4)
                      : swizzled(row, k * 4);
      fragments[i][e] = round_tf32(*reinterpret_cast<const float*>(a + offset));
    }
}

// One slab in tf32. The registers of the products in flight must not be written, so this
// waits for them; the other warpgroup's products run meanwhile.
template <class P>
TV_DEVICE void multiply_slab_tf32(float (&sums)[P::COLUMNS / 2], const u8* a, const u8* b,
                                  bool add) {
  constexpr int K = 8;
  u32 fragments[P::SLAB / K][4];
  load_fragments<P>(fragments, a);
  const u64 from_b = matrix_descriptor(b, 0, STRIDE_8_ROWS);
  wgmma_fence();
#pragma unroll
  for (int i = 0; i < P::SLAB / K; ++i)
    Wgmma<Tf32, P::COLUMNS>::multiply(
        sums, fragments[i],
        moved_descriptor(from_b, i * K * static_cast<int>(sizeof(float))), add || i > 0);
  wgmma_commit();
  wgmma_wait<0>();
}

// Tells every block that writes to this one's slot that this warp has read it.
template <class P>
TV_DEVICE void give_back(u64* empty) {
  const u32 lane = threadIdx.x % 32;
  if constexpr (P::CLUSTER > 1) {
    if (lane < P::CLUSTER) barrier_arrive_at(empty, lane);
  } else {
    if (lane == 0) barrier_arrive(empty);
  }
}

template <class P>
TV_DEVICE void sum_up(float (&sums)[P::COLUMNS / 2], u32 slabs, const u8* shared, u64* full,
                      u64* empty, u32 consumer, Turn& turn) {
  u32 before = 0;
#pragma unroll 1
  for (u32 slab = 0; slab < slabs; ++slab) {
    const u8* const a = shared + P::A + turn.slot * P::A_BYTES + consumer * PIECE_BYTES;
    const u8* const b = shared + P::B + turn.slot * P::B_BYTES;
    barrier_wait(full + turn.slot, turn.parity);
    if constexpr (P::TF32) {
      multiply_slab_tf32<P>(sums, a, b, slab > 0);
      give_back<P>(empty + turn.slot);
    } else {
      multiply_slab<P>(sums, a, b, slab > 0);
      wgmma_wait<1>();
      if (slab) give_back<P>(empty + before);
    }
    before = turn.slot;
    turn.advance<P::STAGES>();
  }
  if constexpr (!P::TF32) {
    wgmma_wait<0>();
    give_back<P>(empty + before);
  }
}

// Two neighbouring results of a row, before they are rounded.
struct Pair {
  float low, high;
};

template <class P>
TV_DEVICE Pair finish_pair(float low, float high, const typename P::R* bias, u32 column,
                             u32 columns) {
  typedef typename P::Activation Activation;
  const auto* const second = column + 1 < columns ? bias : nullptr;
  return {finish<Activation>(low, column < columns ? bias : nullptr, column),
          finish<Activation>(high, second, column + 1)};
}

// Fills one piece. This thread holds, of rows lane / 4 + {0, 8} of its warp, columns
// 8 i + 2 (lane % 4) + {0, 1}; `sums` are those of the piece.
template <class P>
TV_DEVICE void fill_piece(u8* piece, const float* sums, const typename P::R* bias, u32 column,
                          u32 columns) {
  const u32 lane = threadIdx.x % 32;
  const u32 first = threadIdx.x % WARPGROUP / 32 * 16;
#pragma unroll
  for (int i = 0; i < P::PIECE_COLUMNS / 8; i += 2) {
    Pair pairs[2][2];
#pragma unroll
    for (int c = 0; c < 2; ++c)
#pragma unroll
      for (int r = 0; r < 2; ++r)
        pairs[c][r] = finish_pair<P>(sums[(i + c) * 4 + r * 2], sums[(i + c) * 4 + r * 2 + 1],
                                     bias, column + (i + c) * 8 + lane % 4 * 2, columns);
    if constexpr (same<typename P::R, float>) {
#pragma unroll
      for (int c = 0; c < 2; ++c)
#pragma unroll
        for (int r = 0; r < 2; ++r)
          store_pair(piece + swizzled(first + lane / 4 + r * 8, (i + c) * 32 + lane % 4 * 8),
                     pairs[c][r].low, pairs[c][r].high);
    } else {
      typedef typename P::R R;
      store_matrices(piece + swizzled(first + lane % 16, i * 16 + lane / 16 * 16),
                     pack_pair<R>(pairs[0][0].low, pairs[0][0].high),
                     pack_pair<R>(pairs[0][1].low, pairs[0][1].high),
                     pack_pair<R>(pairs[1][0].low, pairs[1][0].high),
                     pack_pair<R>(pairs[1][1].low, pairs[1][1].high));
    }
  }
}

// Writes 64 rows of a tile. `pieces` is where this warpgroup stages them, `flip` which one is
// next.
template <class P>
TV_DEVICE void write_rows(const float (&sums)[P::COLUMNS / 2], const Arrays& arrays,
                          const Tiling& tiling, TilePlace at, u8* pieces, u32 barrier,
                          u32& flip) {
  const bool leads = threadIdx.x % WARPGROUP == 0;
  const typename P::R* const bias = static_cast<const typename P::R*>(arrays.bias);
  if (static_cast<u32>(at.row) >= tiling.rows) return;
#pragma unroll
  for (int first = 0; first < P::COLUMNS; first += P::PIECE_COLUMNS) {
    const u32 column = static_cast<u32>(at.column) + first;
    if (column >= tiling.columns) break;
    u8* const piece = pieces + flip * PIECE_BYTES;
    flip ^= 1;
    // The store before the last has read the piece that is filled now.
    if (leads) wait_stores_read<PIECES_IN_FLIGHT - 1>();
    named_barrier(barrier, WARPGROUP);
    fill_piece<P>(piece, sums + first / 2, bias, column, tiling.columns);
    fence_async();
    named_barrier(barrier, WARPGROUP);
    if (leads) {
      store_tile(arrays.c, piece, static_cast<i32>(column), at.row, at.result);
      commit_stores();
    }
  }
}

template <class P>
TV_DEVICE void consume(const Arrays& arrays, const Tiling& tiling, u8* shared, u64* full,
                       u64* empty) {
  const u32 consumer = threadIdx.x / WARPGROUP - 1;
  u8* const pieces = shared + P::C + consumer * (PIECES_IN_FLIGHT * PIECE_BYTES);
  Turn turn = {0, 0};
  u32 flip = 0;
  for (u32 t = first_tile<P>(); t < tiling.tiles; t += tiles_at_once<P>()) {
    TilePlace at = place_of<P>(tiling, t);
    at.row += static_cast<i32>(consumer) * TENSOR_ROWS;
    float sums[P::COLUMNS / 2];
    sum_up<P>(sums, at.slabs, shared, full, empty, consumer, turn);
    write_rows<P>(sums, arrays, tiling, at, pieces, consumer + 1, flip);
  }
  // Shared memory must outlive the stores that read it.
  if (threadIdx.x % WARPGROUP == 0) wait_stores_read<0>();
}

template <class P>
TV_DEVICE void multiply_matrices(const Arrays& arrays, const Tiling& tiling, u8* shared) {
  u64* const full = reinterpret_cast<u64*>(shared + P::BARRIERS);
  u64* const empty = full + P::STAGES;
  if (threadIdx.x == 0) {
    for (int i = 0; i < P::STAGES; ++i) {
      barrier_init(full + i, 1);
      barrier_init(empty + i, P::CLUSTER * P::CONSUMERS * (WARPGROUP / 32));
    }
    fence_barrier_init();
  }
  if constexpr (P::CLUSTER > 1) cluster_barrier();
  else __syncthreads();
  // Three warpgroups share 65,536 registers, 168 each at first; two have enough.
  if (threadIdx.x < WARPGROUP) {
    if constexpr (P::CONSUMERS > 1) release_registers<40>();
    if (threadIdx.x == 0) produce<P>(arrays, tiling, shared, full, empty);
  } else {
    if constexpr (P::CONSUMERS > 1) take_registers<232>();
    consume<P>(arrays, tiling, shared, full, empty);
  }
}

}  // namespace tv

// What tensorvar/_cuda/matmul_sm90.py appends, one line per kernel that it needs.
#define TV_MATMUL_SM90(name, T, R, ROWS, COLUMNS, STAGES, CLUSTER, ACROSS_A, ACROSS_B,      \
                       ACTIVATION)                                                          \
  TV_RESIDENT_KERNEL((1 + ROWS / tv::TENSOR_ROWS) * tv::WARPGROUP, 1, name)                 \
  (const __grid_constant__ tv::TensorMap a, const __grid_constant__ tv::TensorMap b,        \
   const __grid_constant__ tv::TensorMap c, const void* bias,                               \
   const __grid_constant__ tv::Tiling tiling) {                                             \
    typedef tv::Plan<tv::T, R, ROWS, COLUMNS, STAGES, CLUSTER, ACROSS_A, ACROSS_B,          \
                     tv::ACTIVATION>                                                        \
        P;                                                                                  \
    TV_DYNAMIC_SHARED(shared);                                                              \
    tv::multiply_matrices<P>(tv::Arrays{a, b, c, bias}, tiling, shared);                    \
  }                                                                                         \
  TV_EXPORT(name)
