// Purpose: copies a batch of dense matrices, each transposed; for elements of 1 to 16 bytes.
//
// Work split: a block of 32 x 8 threads moves tiles of 32 x 32 elements through shared
// memory, so that both its reads and its writes are rows; one column of padding avoids bank
// conflicts. The tiles of all matrices are dealt out in one loop.
//
// Bytes moved per element: sizeof(T) read and sizeof(T) written.
// Limits: source and destination must not overlap. 16-byte elements take 16.5 KiB of shared
// memory per block.
#include "tv_core.cuh"

namespace tv {

constexpr int TILE = 32;
constexpr int TILE_ROWS = 8;

// rows x columns per matrix, both dense; the destination is columns x rows.
template <class T>
TV_DEVICE void copy_transposed(T* destination, const T* source, u64 matrices, u64 rows,
                               u64 columns) {
  TV_SHARED(T, tile, [TILE][TILE + 1]);
  const u64 x = threadIdx.x % TILE;
  const u64 y = threadIdx.x / TILE;
  const u64 across = (columns + TILE - 1) / TILE;
  const u64 down = (rows + TILE - 1) / TILE;
  for (u64 t = blockIdx.x; t < matrices * across * down; t += gridDim.x) {
    const u64 matrix = t / (across * down) * rows * columns;
    const u64 row = t / across % down * TILE;
    const u64 column = t % across * TILE;
#pragma unroll
    for (int k = 0; k < TILE; k += TILE_ROWS)
      if (row + y + k < rows && column + x < columns)
        tile[y + k][x] = source[matrix + (row + y + k) * columns + column + x];
    __syncthreads();
#pragma unroll
    for (int k = 0; k < TILE; k += TILE_ROWS)
      if (column + y + k < columns && row + x < rows)
        destination[matrix + (column + y + k) * rows + row + x] = tile[x][y + k];
    __syncthreads();
  }
}

}  // namespace tv

// What tensorvar/_cuda/assign.py appends, one line per kernel that it needs.
#define TV_COPY_TRANSPOSED(name, T)                                                        \
  TV_KERNEL(tv::TILE* tv::TILE_ROWS, name)                                                 \
  (T * destination, const T* source, tv::u64 matrices, tv::u64 rows, tv::u64 columns) {    \
    tv::copy_transposed<T>(destination, source, matrices, rows, columns);                  \
  }                                                                                        \
  TV_EXPORT(name)
