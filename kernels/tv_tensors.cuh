// Purpose: one flat index over the elements of many tensors, so that one launch serves all
// of them. Every tensor begins at a multiple of LENGTH positions, so a vector of LENGTH
// positions lies in one tensor, and tensor t owns the positions from there to end[t].
//
// The table is a list of words: the ends of all tensors, then for each of the arrays that a
// tensor consists of (parameter, gradient, ...) the addresses of all tensors. Up to 32 KB of
// it are kernel arguments, which cost no copy; larger ones lie in device memory.
//
// Work split: a block takes `range` positions, UNROLL vectors per thread at a time, and
// searches the table once for all its threads. Where all of them are vectors of one tensor,
// that is known to the block, and nothing is asked between their loads; only else a thread
// looks by itself at what its vectors are of, and whether they are whole.
#pragma once
#include "tv_types.cuh"

namespace tv {

constexpr int TENSOR_THREADS = 256;

// Adds up what each thread of a block has, in a fixed tree; the first one gets the totals.
TV_DEVICE void add_threads(double* sums, double* counts) {
#pragma unroll 1
  for (u32 half = TENSOR_THREADS / 2; half; half /= 2) {
    __syncthreads();
    if (threadIdx.x >= half) continue;
    sums[threadIdx.x] += sums[threadIdx.x + half];
    counts[threadIdx.x] += counts[threadIdx.x + half];
  }
}

template <int WORDS>
struct ArgumentTable {
  u64 word[WORDS];
};

struct MemoryTable {
  const u64* word;
};

// Up to LENGTH neighbouring elements of one tensor; none where `count` is 0.
struct Place {
  u64 offset;
  u32 tensor;
  u32 count;
};

// The first tensor from `low` on that ends behind a position; `high` is known to.
template <class Table>
TV_DEVICE u32 find_tensor(const Table& table, u32 low, u32 high, u64 position) {
  while (low < high) {
    const u32 middle = low + (high - low) / 2;
    if (table.word[middle] > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

// The position at which a tensor begins.
template <int LENGTH, class Table>
TV_DEVICE u64 start_of(const Table& table, u32 tensor) {
  constexpr u64 PAST = LENGTH - 1;
  return tensor ? (table.word[tensor - 1] + PAST) & ~PAST : 0;
}

template <int LENGTH, class Table>
TV_DEVICE Place place_at(const Table& table, u32 tensors, u32 first, u64 position) {
  u32 tensor = first;
  if (position >= table.word[first])
    tensor = find_tensor(table, first + 1, tensors - 1, position);
  const u64 start = start_of<LENGTH>(table, tensor);
  const u64 left = table.word[tensor] - position;
  return {position - start, tensor, left < LENGTH ? static_cast<u32>(left) : u32(LENGTH)};
}

// Calls `work.run<ALONE>(places)` until the block's range, a multiple of STEP, is done. ALONE
// says that the places of all threads of the block are whole vectors of one tensor, for which
// `work.is_whole` is true; other places may have any number of elements.
template <int LENGTH, int UNROLL, class Table, class Work>
TV_DEVICE void walk_tensors(const Table& table, u32 tensors, u64 range, Work& work) {
  constexpr u64 STEP = static_cast<u64>(LENGTH) * UNROLL * TENSOR_THREADS;
  const u64 all = table.word[tensors - 1];
  u64 position = blockIdx.x * range;
  const u64 last = position + range < all ? position + range : all;
  u32 tensor = 0;
#pragma unroll 1
  for (; position < last; position += STEP) {
    tensor = find_tensor(table, tensor, tensors - 1, position);
    const u64 offset = position - start_of<LENGTH>(table, tensor);
    const bool alone = position + STEP <= table.word[tensor] &&
                       work.is_whole(Place{offset, tensor, LENGTH});
    Place places[UNROLL];
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) {
      const u64 beyond = (u * TENSOR_THREADS + threadIdx.x) * static_cast<u64>(LENGTH);
      if (alone) places[u] = {offset + beyond, tensor, LENGTH};
      else if (position + beyond < last)
        places[u] = place_at<LENGTH>(table, tensors, tensor, position + beyond);
      else places[u] = {0, 0, 0};
    }
    if (alone) work.template run<true>(places);
    else work.template run<false>(places);
  }
}

// The elements of a place in one of the arrays, 0 being the first behind the ends.
template <class T, class Table>
TV_DEVICE T* address_of(const Table& table, u32 tensors, u32 array, const Place& place) {
  T* const first = reinterpret_cast<T*>(table.word[(array + 1) * tensors + place.tensor]);
#ifndef TV_CPU
  // Of an address that was read from memory the compiler does not know what it is of.
  __builtin_assume(__isGlobal(first));
#endif
  return first + place.offset;
}

template <int LENGTH, class T>
TV_DEVICE bool holds_vector(const T* at) {
  return reinterpret_cast<u64>(at) % Vector<T, LENGTH>::ALIGNMENT == 0;
}

// WHOLE says that all LENGTH elements are there and the address is that of a vector. It is
// for the caller to branch, once for all arrays: then their loads follow each other.
template <int LENGTH, bool WHOLE, class T>
TV_DEVICE Vector<T, LENGTH> load_part(const T* from, u32 count) {
  if constexpr (WHOLE) {
    return load_vector<T, LENGTH>(from);
  } else {
    Vector<T, LENGTH> result = {};
#pragma unroll
    for (u32 i = 0; i < LENGTH; ++i)
      if (i < count) result.element[i] = from[i];
    return result;
  }
}

template <int LENGTH, bool WHOLE, class T>
TV_DEVICE void store_part(T* to, const Vector<T, LENGTH>& elements, u32 count) {
  if constexpr (WHOLE) {
    store_vector<T, LENGTH>(to, elements);
  } else {
#pragma unroll
    for (u32 i = 0; i < LENGTH; ++i)
      if (i < count) to[i] = elements.element[i];
  }
}

}  // namespace tv
