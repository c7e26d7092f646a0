// Purpose: copies a batch of float32 matrices rounded to tf32, k innermost, for the tensor
// cores of matmul_sm90.cu, which cut off what they do not read and want rows along K.
//
// Work split: as transpose.cu, a block of 32 x 8 threads moves tiles of 32 x 32 elements, by
// way of shared memory where rows and columns change places.
//
// Bytes moved per element: 4 read and 4 written.
// Limits: source and destination must not overlap. Rows of the destination are `pitch`
// elements apart; what lies between them is not written.
#include "tv_hopper.cuh"

namespace tv {

constexpr int ROUND_TILE = 32;
constexpr int ROUND_TILE_ROWS = 8;

// `columns` x `depth` per matrix in the destination; ACROSS: the source has them as depth x
// columns.
template <bool ACROSS>
TV_DEVICE void round_matrices(u32* destination, const float* source, u64 matrices, u64 columns,
                              u64 depth, u64 pitch, u64 leading, u64 stride) {
  TV_SHARED(u32, tile, [ROUND_TILE][ROUND_TILE + 1]);
  const u64 x = threadIdx.x % ROUND_TILE;
  const u64 y = threadIdx.x / ROUND_TILE;
  const u64 across = (depth + ROUND_TILE - 1) / ROUND_TILE;
  const u64 down = (columns + ROUND_TILE - 1) / ROUND_TILE;
  for (u64 t = blockIdx.x; t < matrices * across * down; t += gridDim.x) {
    const u64 matrix = t / (across * down);
    const u64 column = t / across % down * ROUND_TILE;
    const u64 k = t % across * ROUND_TILE;
    const float* const from = source + matrix * stride;
    u32* const to = destination + matrix * columns * pitch;
#pragma unroll
    for (int i = 0; i < ROUND_TILE; i += ROUND_TILE_ROWS) {
      if constexpr (ACROSS) {
        if (k + y + i < depth && column + x < columns)
          tile[x][y + i] = round_tf32(from[(k + y + i) * leading + column + x]);
      } else {
        if (column + y + i < columns && k + x < depth)
          to[(column + y + i) * pitch + k + x] =
              round_tf32(from[(column + y + i) * leading + k + x]);
      }
    }
    if constexpr (!ACROSS) continue;
    __syncthreads();
#pragma unroll
    for (int i = 0; i < ROUND_TILE; i += ROUND_TILE_ROWS)
      if (column + y + i < columns && k + x < depth)
        to[(column + y + i) * pitch + k + x] = tile[y + i][x];
    __syncthreads();
  }
}

}  // namespace tv

// What tensorvar/_cuda/matmul_sm90.py appends.
#define TV_ROUND_TF32(name, ACROSS)                                                          \
  TV_KERNEL(tv::ROUND_TILE* tv::ROUND_TILE_ROWS, name)                                       \
  (tv::u32 * destination, const float* source, tv::u64 matrices, tv::u64 columns,            \
   tv::u64 depth, tv::u64 pitch, tv::u64 leading, tv::u64 stride) {                          \
    tv::round_matrices<ACROSS>(destination, source, matrices, columns, depth, pitch, leading, \
                               stride);                                                      \
  }                                                                                          \
  TV_EXPORT(name)
