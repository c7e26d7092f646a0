// Purpose: runs a kernel on the CPU, so that the same source can be tested without a GPU.
//
// Each thread of a block is a fiber; the blocks run one after the other on one OS thread.
// A thread runs on a borrowed stack and keeps it only if it waits at a barrier, so kernels
// without barriers cost one warm stack. Lanes, warps and blocks run forward, in reverse or in
// random order, and a warp gets as far ahead of the others as it can: a result that depends
// on the order is a missing barrier or a race. Shared memory, static and dynamic, is filled
// with 0xCD before each block. A deadlock, and threads of a block that wait at different
// barriers, are reported as errors.
//
// What it cannot find: missing fences (memory here is never reordered), races between
// blocks that only true concurrency shows, register limits, speed.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#include "tv_fibers.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __constant__ static

struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };

namespace tvcpu {

// Parameters as the driver lays them out: each at a multiple of its alignment.
template <class... A>
struct Parameters {
  static constexpr size_t count = sizeof...(A);
  static void describe(size_t* offsets, size_t* sizes) {
    size_t end = 0, i = 0;
    ((offsets[i] = (end + alignof(A) - 1) / alignof(A) * alignof(A), sizes[i] = sizeof(A),
      end = offsets[i] + sizes[i], ++i), ...);
  }
};

// The kernel that runs now, with the arguments of the caller.
template <class... A>
struct Call {
  inline static void (*kernel)(A...);
  inline static const char* buffer;
  template <class T> static T read(size_t offset) {
    T value;
    std::memcpy(&value, buffer + offset, sizeof value);
    return value;
  }
  template <size_t... I> static void unpack(const size_t* offsets, std::index_sequence<I...>) {
    kernel(read<std::decay_t<A>>(offsets[I])...);
  }
  static void run() {
    size_t offsets[sizeof...(A) + 1], sizes[sizeof...(A) + 1];
    Parameters<std::decay_t<A>...>::describe(offsets, sizes);
    unpack(offsets, std::index_sequence_for<A...>{});
  }
};

template <class... A>
const char* launch(void (*kernel)(A...), const unsigned* grid, const unsigned* threads,
                   unsigned shared, unsigned cluster, unsigned order, unsigned seed,
                   const char* buffer) {
  Call<A...>::kernel = kernel;
  Call<A...>::buffer = buffer;
  entry = &Call<A...>::run;
  return run_grid(grid, threads, shared, cluster, order, seed);
}

template <class... A>
size_t describe(void (*)(A...), size_t* offsets, size_t* sizes) {
  if (offsets) Parameters<std::decay_t<A>...>::describe(offsets, sizes);
  return sizeof...(A);
}

template <class T>
bool poison(T& variable, uint64_t& seen) {
  if (cluster_blocks > 1) fail("a cluster has dynamic shared memory only, on the CPU");
  if (seen != block_serial) std::memset(static_cast<void*>(&variable), POISON, sizeof variable);
  seen = block_serial;
  return true;
}

template <class T>
T exchange(T value, unsigned source_lane) {
  static_assert(sizeof(T) <= sizeof(uint64_t), "a shuffle moves 8 bytes at most");
  const unsigned turn = exchanges[current->index].turn ^= 1;
  std::memcpy(&exchanges[current->index].slot[turn], &value, sizeof value);
  wait(State::at_warp_barrier, 0);
  std::memcpy(&value, &exchanges[current->index / WARP * WARP + source_lane].slot[turn],
              sizeof value);
  return value;
}

inline unsigned lane() { return current->index % WARP; }

inline double half_to_double(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const double fraction = bits & 1023;
  const double sign = bits & 0x8000 ? -1.0 : 1.0;
  if (exponent == 31) return fraction ? std::copysign(NAN, sign) : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

// Round to nearest, ties to even: nearbyint rounds the multiple of the last place.
inline uint16_t double_to_half(double value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double size = std::fabs(value);
  if (value != value) return static_cast<uint16_t>(sign | 0x7e00);
  if (size >= 65520.0) return static_cast<uint16_t>(sign | 0x7c00);
  int exponent = -14;
  if (size >= std::ldexp(1.0, -14)) exponent = std::ilogb(size);
  const int units = static_cast<int>(std::nearbyint(std::ldexp(size, 10 - exponent)));
  return static_cast<uint16_t>(sign | (((exponent + 14) << 10) + units));
}

}  // namespace tvcpu

#define threadIdx (tvcpu::current->thread)
#define blockIdx (tvcpu::block)
#define blockDim (tvcpu::block_extent)
#define gridDim (tvcpu::grid_extent)

// The line and not the return address: the compiler may duplicate the call.
#define __syncthreads() tvcpu::wait(tvcpu::State::at_block_barrier, __LINE__)
inline void __syncwarp(unsigned = ~0u) { tvcpu::wait(tvcpu::State::at_warp_barrier, 0); }

template <class T> T __shfl_sync(unsigned, T value, int lane) {
  return tvcpu::exchange(value, static_cast<unsigned>(lane) % tvcpu::WARP);
}
template <class T> T __shfl_down_sync(unsigned, T value, unsigned by) {
  const unsigned lane = tvcpu::lane();
  return tvcpu::exchange(value, lane + by < tvcpu::WARP ? lane + by : lane);
}
template <class T> T __shfl_xor_sync(unsigned, T value, int mask) {
  return tvcpu::exchange(value, tvcpu::lane() ^ static_cast<unsigned>(mask));
}

template <class T> T atomicAdd(T* to, T value) {
  const T old = *to;
  *to = old + value;
  return old;
}
template <class T> T atomicMax(T* to, T value) {
  const T old = *to;
  if (old < value) *to = value;
  return old;
}
template <class T> T atomicMin(T* to, T value) {
  const T old = *to;
  if (value < old) *to = value;
  return old;
}
template <class T> T atomicExch(T* to, T value) {
  const T old = *to;
  *to = value;
  return old;
}
template <class T> T atomicCAS(T* to, T expected, T value) {
  const T old = *to;
  if (old == expected) *to = value;
  return old;
}

inline uint64_t __umul64hi(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b >> 64);
}
inline float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
inline unsigned __float_as_uint(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

#define TV_KERNEL(threads, name) static void name
#define TV_RESIDENT_KERNEL(threads, blocks, name) static void name
#define TV_SHARED(type, name, extents)                  \
  static type name extents;                             \
  static uint64_t name##_seen;                          \
  tvcpu::poison(name, name##_seen)
#define TV_DYNAMIC_SHARED(name) unsigned char* const name = tvcpu::dynamic_shared.first

// Has a library use the stacks of another one, unless that is null; gives those that it uses.
extern "C" __attribute__((weak, visibility("default"))) void* tv_share_stacks(void* stacks) {
  if (stacks) tvcpu::spare_stacks = static_cast<std::vector<char*>*>(stacks);
  return tvcpu::spare_stacks;
}

#define TV_EXPORT(name)                                                                    \
  extern "C" __attribute__((visibility("default"))) const char* tv_run_##name(             \
      const unsigned* grid, const unsigned* threads, unsigned shared, unsigned cluster,    \
      unsigned order, unsigned seed, const char* buffer) {                                 \
    return tvcpu::launch(&name, grid, threads, shared, cluster, order, seed, buffer);      \
  }                                                                                        \
  extern "C" __attribute__((visibility("default"))) size_t tv_parameters_##name(           \
      size_t* offsets, size_t* sizes) {                                                    \
    return tvcpu::describe(&name, offsets, sizes);                                         \
  }
