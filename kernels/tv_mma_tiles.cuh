// Purpose: tiles of the factors of a product in shared memory: where a tile keeps what, how
// the threads of a block fill it, and how a warp reads blocks for its tensor cores.
//
// A tile is EXTENT rows of A, or columns of B, by 64 bytes along k. It keeps the order of
// the global memory: rows along k (ALONG_K) or rows across it. A row is cut into chunks of
// 16 bytes, and chunk c of row r stands where chunk c ^ swizzle(r) would: what a warp accesses
// at once then meets each bank once.
#pragma once
#include "tv_mma.cuh"

namespace tv {

constexpr int MMA_TILE_BYTES = 64;
constexpr int MMA_STEPS = 2;  // of 32 bytes, what one mma takes
constexpr int CHUNK = 16;

template <class D, int EXTENT, bool ALONG_K>
struct TileLayout {
  static constexpr int SIZE = static_cast<int>(sizeof(D));
  static constexpr int DEPTH = MMA_TILE_BYTES / SIZE;
  static constexpr int ROWS = ALONG_K ? EXTENT : DEPTH;
  static constexpr int ROW_BYTES = ALONG_K ? MMA_TILE_BYTES : EXTENT * SIZE;
  static constexpr int BYTES = ROWS * ROW_BYTES;
  // An mma wants four neighbours along k in one register, and ldmatrix turns pairs of bytes
  // only: rows 2 g and 2 g + 1 of a block come where rows g and g + 8 should.
  static constexpr bool INTERLEAVED = SIZE == 1 && !ALONG_K;

  TV_DEVICE static int swizzle(int row) {
    if constexpr (ALONG_K) return SIZE == 8 ? row & 2 : row / 2 % 4;
    else if constexpr (SIZE >= 4) return row % 4 * 2;
    else if constexpr (SIZE == 2) return row % 8;
    else if constexpr (ROW_BYTES >= 128) return row / 4 % 4 * 2 + row % 2;
    else return row / 4 % 4;
  }

  TV_DEVICE static int offset(int row, int chunk) {
    return row * ROW_BYTES + (chunk ^ swizzle(row)) * CHUNK;
  }
};

// What one thread copies of each tile of a factor: pieces of PIECE bytes, one in every
// ROWS_APART-th row.
template <class D, int EXTENT, bool ALONG_K, int PIECE, int THREADS>
struct Share {
  typedef TileLayout<D, EXTENT, ALONG_K> Layout;
  typedef D Element;
  static constexpr int LENGTH = PIECE / Layout::SIZE;
  static constexpr int PIECES = Layout::ROW_BYTES / PIECE;
  static constexpr int ROWS_APART = THREADS / PIECES;
  static constexpr int COUNT = Layout::ROWS / ROWS_APART;
  static_assert(ROWS_APART * PIECES == THREADS && COUNT * ROWS_APART == Layout::ROWS,
                "the threads cannot share this tile evenly");

  const D* from;     // the first piece in the next tile
  u64 apart, ahead;  // from one piece and from one tile to the next
  int depth;         // of the first piece in a tile
  int left;          // rows of A or columns of B from the first piece to the edge of the matrix
  u32 first_place;

  // A tile begins at row or column `first` of `extent` and, along k, at k.
  TV_DEVICE Share(const D* matrix, u64 leading, u64 first, u64 extent, u64 k) {
    const int row = static_cast<int>(threadIdx.x) / PIECES;
    const int column = static_cast<int>(threadIdx.x) % PIECES * LENGTH;
    const int across = ALONG_K ? row : column;
    const u64 rest = extent - first;
    depth = ALONG_K ? column : row;
    left = (rest < EXTENT ? static_cast<int>(rest) : EXTENT) - across;
    from = matrix + (ALONG_K ? (first + row) * leading + k + column
                             : (k + row) * leading + first + column);
    apart = ROWS_APART * leading;
    ahead = ALONG_K ? Layout::DEPTH : Layout::DEPTH * leading;
    const int bytes = column * Layout::SIZE;
    first_place = static_cast<u32>(Layout::offset(row, bytes / CHUNK) + bytes % CHUNK);
  }

  // How many elements of a piece are inside the matrix; k_left of the tile are, along k.
  TV_DEVICE int inside(int i, int k_left) const {
    const int columns = ALONG_K ? k_left - depth : left;
    const bool row = ALONG_K ? i * ROWS_APART < left : i * ROWS_APART < k_left - depth;
    return !row || columns <= 0 ? 0 : columns < LENGTH ? columns : LENGTH;
  }

  // Where a piece stands in a tile. The rows of a thread differ in bits that its first row
  // has not set, so what they add to the swizzle is known when this is compiled.
  TV_DEVICE u32 place(int i) const {
    const int below = i * ROWS_APART;
    return (first_place ^ u32(Layout::swizzle(below) * CHUNK)) + u32(below * Layout::ROW_BYTES);
  }
};

// COUNT elements, of which only the first `inside` exist; the others are zeros.
template <bool VECTORS, int COUNT, class D>
TV_DEVICE Vector<D, COUNT> load_some(const D* from, int inside) {
  if (VECTORS && inside == COUNT) return load_vector<D, COUNT>(from);
  Vector<D, COUNT> result;
#pragma unroll
  for (int i = 0; i < COUNT; ++i) result.element[i] = i < inside ? from[i] : D{};
  return result;
}

// Copies that run beside the arithmetic, of PIECE bytes each; all addresses are multiples
// of it.
template <int BYTES>
struct Asynchronous {
  static constexpr int PIECE = BYTES;

  template <class S>
  struct Copy {
    TV_DEVICE void begin(S& share, u32 tile, int k_left) {
      const typename S::Element* from = share.from;
#pragma unroll
      for (int i = 0; i < S::COUNT; ++i, from += share.apart)
        copy_async<PIECE>(tile + share.place(i), from,
                          static_cast<u32>(share.inside(i, k_left) * S::Layout::SIZE));
      share.from += share.ahead;
    }
    TV_DEVICE void end(const S&, u32) {}
  };

  TV_DEVICE static void commit() { commit_copies(); }
  template <int NEWEST> TV_DEVICE static void wait() { wait_for_copies<NEWEST>(); }
};

// Copies by way of registers: for chips without cp.async; and, where VECTORS is false, for
// addresses that are multiples of the element size only.
template <bool VECTORS>
struct ThroughRegisters {
  static constexpr int PIECE = CHUNK;

  template <class S>
  struct Copy {
    typedef Words<typename S::Element, S::LENGTH> Piece;
    Piece held[S::COUNT];

    TV_DEVICE void begin(S& share, u32, int k_left) {
      const typename S::Element* from = share.from;
#pragma unroll
      for (int i = 0; i < S::COUNT; ++i, from += share.apart)
        held[i].elements = load_some<VECTORS, S::LENGTH>(from, share.inside(i, k_left));
      share.from += share.ahead;
    }
    TV_DEVICE void end(const S& share, u32 tile) {
#pragma unroll
      for (int i = 0; i < S::COUNT; ++i) store_chunk(tile + share.place(i), held[i].word);
    }
  };

  TV_DEVICE static void commit() {}
  template <int NEWEST> TV_DEVICE static void wait() {}
};

// How a warp reads blocks of a tile. The offset of a lane is computed once; blocks and steps
// change bits of it that are known when this is compiled.
template <class D, int EXTENT, bool ALONG_K, bool OF_B>
struct Reader {
  typedef TileLayout<D, EXTENT, ALONG_K> Layout;
  typedef TensorCore<D> Core;
  typedef typename Core::Register Register;
  static constexpr int SIZE = Layout::SIZE;
  static constexpr int ROW = Layout::ROW_BYTES;

  u32 lane_offset;

  // The rows of A or columns of B of this warp begin at `first`, a multiple of 32.
  TV_DEVICE explicit Reader(int first) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int g = lane / 4, t = lane % 4;
    // As ldmatrix asks: row `line` of a matrix, which goes to the register of that number.
    const int line = lane % 8, h = half(lane / 8), c = part(lane / 8);
    int offset;
    if constexpr (ALONG_K && SIZE == 8)
      offset = Layout::offset(first + g, t / 2) + t % 2 * 8;
    else if constexpr (ALONG_K)
      offset = Layout::offset(first + h * 8 + line, c);
    else if constexpr (SIZE == 8)
      offset = Layout::offset(t, first / 2 + g / 2) + g % 2 * 8;
    else if constexpr (SIZE == 4)
      offset = Layout::offset(t, first / 4 + g / 4) + g % 4 * 4;
    else if constexpr (SIZE == 2)
      offset = Layout::offset(c * 8 + line, first / 8 + h);
    else
      // Rows 0, 1, 4, 5 and so on are one matrix, the others the next.
      offset = Layout::offset(lane / 16 * 16 + line / 2 * 4 + lane / 8 % 2 * 2 + line % 2,
                              first / 16);
    lane_offset = static_cast<u32>(offset);
  }

  // Block `block` of the warp, bytes 32 step .. 32 step + 31 along k.
  TV_DEVICE void read(Register (&block_registers)[Core::REGISTERS], u32 tile, int block,
                      int step) const {
    if constexpr (ALONG_K)
      read_along(block_registers, tile, (lane_offset ^ u32(step * 32)) + u32(block * 16 * ROW));
    else
      read_across(block_registers, tile, block, u32(step * (32 / SIZE) * ROW));
    if constexpr (same<D, float>) {
#pragma unroll
      for (int i = 0; i < Core::REGISTERS; ++i) block_registers[i] = to_tf32(block_registers[i]);
    }
  }

 private:
  // Which eight rows, and which half of their bytes, a register holds.
  TV_DEVICE static int half(int i) { return SIZE == 8 ? i : OF_B ? i / 2 : i % 2; }
  TV_DEVICE static int part(int i) { return SIZE == 8 ? 0 : OF_B ? i % 2 : i / 2; }

  TV_DEVICE static void read_along(Register (&registers)[Core::REGISTERS], u32 tile,
                                   u32 offset) {
    if constexpr (SIZE == 8) {
      registers[0] = load_shared<Register>(tile + offset);
      registers[1] = load_shared<Register>(tile + offset + 8 * ROW);
    } else {
      load_matrices<false>(registers, tile + offset);
    }
  }

  TV_DEVICE void read_across(Register (&registers)[Core::REGISTERS], u32 tile, int block,
                             u32 below) const {
    if constexpr (SIZE >= 4) {
#pragma unroll
      for (int i = 0; i < Core::REGISTERS; ++i)
        registers[i] = load_shared<Register>(
            tile + (lane_offset ^ u32((16 * block + half(i) * 8) * SIZE)) + below +
            u32(part(i) * 4 * ROW));
    } else if constexpr (SIZE == 2) {
      load_matrices<true>(registers, tile + (lane_offset ^ u32(block * 32)) + below);
    } else {
      u32 pairs[4];
      load_matrices<true>(pairs, tile + (lane_offset ^ u32(block * 16)) + below);
#pragma unroll
      for (int i = 0; i < 4; ++i)
        registers[i] = every_second_byte(pairs[2 * part(i)], pairs[2 * part(i) + 1], half(i));
    }
  }
};

}  // namespace tv
