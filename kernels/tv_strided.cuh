// Purpose: walks over strided and broadcast operands. The host merges dimensions first
// and hands over what is left, innermost dimension first, strides in bytes.
#pragma once
#include "tv_core.cuh"

namespace tv {

constexpr int MAX_RANK = 6;

struct Walk {
  u64 count;                            // elements
  u64 rank;                             // dimensions that are left, 1 to MAX_RANK
  Divisor extents[MAX_RANK];            // the outermost one is not read
  i64 destination_strides[MAX_RANK];
  i64 source_strides[MAX_RANK];
};

struct Offsets {
  i64 destination;
  i64 source;
};

TV_DEVICE Offsets locate(const Walk& walk, u64 index) {
  Offsets at = {0, 0};
#pragma unroll
  for (int d = 0; d < MAX_RANK; ++d) {
    if (static_cast<u64>(d) >= walk.rank) break;
    const bool outermost = static_cast<u64>(d) + 1 == walk.rank;
    const u64 outer = outermost ? 0 : divide(index, walk.extents[d]);
    i64 position = static_cast<i64>(index - outer * walk.extents[d].value);
    at.destination += position * walk.destination_strides[d];
    at.source += position * walk.source_strides[d];
    index = outer;
  }
  return at;
}

}  // namespace tv
