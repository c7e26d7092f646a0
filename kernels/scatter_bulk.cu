// Purpose: sums as those of scatter.cu, by the copy engine of sm_90 and newer: rows are
// staged in shared memory and each is added by one request. D is the type of table and
// updates, I that of the indices; rows are multiples of 16 bytes, at addresses that 16
// divides. `stride` is the distance of two updates in elements, 0 if one serves all.
//
// Work split: a warp fills its 2 KiB of shared memory, with `together` updates or a part of
// one, all lanes loading; then each lane asks for the sum of one update.
//
// Results, bytes moved and limits: as in scatter.cu.
#include "tv_atomics.cuh"
#include "tv_bulk.cuh"
#include "tv_rows.cuh"

namespace tv {

constexpr int BULK_BYTES = 2048;  // per warp
constexpr int BULK_WARPS = ROW_THREADS / 32;
constexpr int BULK_AHEAD = BULK_BYTES / VECTOR_BYTES / 32;

struct BulkShape {
  u64 width;         // elements per row
  u64 together;      // updates that a warp stages at a time; 1 where a row has parts
  Divisor parts;     // of a row
  Divisor vectors;   // of a part, or of a row that has no parts
};

template <class Op, class D, class I>
TV_DEVICE void scatter_bulk(D* table, const D* updates, const I* indices, u64 count, u64 rows,
                            const BulkShape& shape, u64 stride, u64* error) {
  constexpr int LENGTH = VECTOR_BYTES / static_cast<int>(sizeof(D));
  TV_SHARED(uint4, staged, [BULK_WARPS * BULK_BYTES / VECTOR_BYTES]);
  D* const mine = reinterpret_cast<D*>(staged + threadIdx.x / 32 * (BULK_BYTES / VECTOR_BYTES));
  const u64 lane = threadIdx.x % 32, warps = thread_count() / 32;
  const u64 units = (count + shape.together - 1) / shape.together * shape.parts.value;
  for (u64 unit = thread_index() / 32; unit < units; unit += warps) {
    const u64 group = divide(unit, shape.parts);
    const u64 column = (unit - group * shape.parts.value) * shape.vectors.value * LENGTH;
    const u64 first = group * shape.together;
    const u64 taken = count - first < shape.together ? count - first : shape.together;
    const u64 left = shape.width - column, part = shape.vectors.value * LENGTH;
    const u64 wide = left < part ? left : part;

    Vector<D, LENGTH> values[BULK_AHEAD];
    const u64 all = taken * wide / LENGTH;
#pragma unroll
    for (int a = 0; a < BULK_AHEAD; ++a) {
      const u64 vector = lane + 32 * a;
      if (vector >= all) continue;
      const u64 update = divide(vector, shape.vectors);
      const u64 element = (vector - update * shape.vectors.value) * LENGTH;
      values[a] =
          load_vector<D, LENGTH>(updates + (first + update) * stride + column + element);
    }
    // The sums of the unit before have read what is written now.
    bulk_wait();
    __syncwarp();
#pragma unroll
    for (int a = 0; a < BULK_AHEAD; ++a) {
      const u64 vector = lane + 32 * a;
      if (vector >= all) continue;
#pragma unroll
      for (int e = 0; e < LENGTH; ++e)
        mine[vector * LENGTH + e] =
            same<Op, Sub> ? negated(values[a].element[e]) : values[a].element[e];
    }
    bulk_fence();
    __syncwarp();
    if (lane < taken) {
      const u64 row = row_at(indices, first + lane);
      if (row < rows)
        bulk_add(table + row * shape.width + column, mine + lane * wide,
                 static_cast<u32>(wide * sizeof(D)));
      else if (column == 0) atomicMax(error, first + lane + 1);
    }
    bulk_commit();
  }
  bulk_wait();
}

}  // namespace tv

// What tensorvar/_cuda/scatter_plan.py appends, one line per kernel that it needs.
#define TV_SCATTER_BULK(name, Op, D, I)                                                    \
  TV_ROW_KERNEL(name)                                                                      \
  (D * table, const D* updates, const I* indices, tv::u64 count, tv::u64 rows,             \
   const __grid_constant__ tv::BulkShape shape, tv::u64 stride, tv::u64* error) {          \
    tv::scatter_bulk<tv::Op, D, I>(table, updates, indices, count, rows, shape, stride,    \
                                   error);                                                 \
  }                                                                                        \
  TV_EXPORT(name)
