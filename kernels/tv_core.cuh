// Purpose: what every kernel file starts from: integer names, index arithmetic, 16-byte
// vectors and the macros that make a kernel. Two targets compile it: NVRTC for a GPU, and
// g++ with cpu/tv_cpu.h in front, which defines TV_CPU. Nothing of CUDA is included.
#pragma once

#ifndef TV_CPU
#define TV_KERNEL(threads, name) extern "C" __global__ void __launch_bounds__(threads) name
// With at least so many blocks at once on a multiprocessor, which limits the registers.
#define TV_RESIDENT_KERNEL(threads, blocks, name) \
  extern "C" __global__ void __launch_bounds__(threads, blocks) name
#define TV_EXPORT(name)
#define TV_SHARED(type, name, extents) __shared__ type name extents
// The bytes that the launch asks for, aligned for whatever reads them.
#define TV_DYNAMIC_SHARED(name) extern __shared__ __align__(1024) unsigned char name[]
#endif

#define TV_DEVICE __device__ __forceinline__

namespace tv {

typedef signed char i8;
typedef short i16;
typedef int i32;
typedef long long i64;
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

constexpr int VECTOR_BYTES = 16;

// blockIdx.x * blockDim.x alone is 32-bit arithmetic and wraps.
TV_DEVICE u64 thread_index() { return blockIdx.x * static_cast<u64>(blockDim.x) + threadIdx.x; }
TV_DEVICE u64 thread_count() { return gridDim.x * static_cast<u64>(blockDim.x); }

constexpr int smaller(int a, int b) { return a < b ? a : b; }
constexpr int larger(int a, int b) { return a < b ? b : a; }

// Division by a number that the host knows: one multiply-high and a shift. The host sets
// multiplier = 2^(63 + bits) / divisor + 1 and shift = bits - 1, bits = ceil(log2(divisor)),
// which is exact for dividends below 2^63. A divisor of 1 has multiplier 0.
struct Divisor {
  u64 value;
  u64 multiplier;
  u64 shift;
};

TV_DEVICE u64 divide(u64 dividend, const Divisor& by) {
  return by.multiplier ? __umul64hi(dividend, by.multiplier) >> by.shift : dividend;
}

// COUNT neighbouring elements, moved in pieces of up to 16 bytes. COUNT * sizeof(T) is a
// power of two.
template <class T, int COUNT>
struct Vector {
  static constexpr int BYTES = COUNT * static_cast<int>(sizeof(T));
  static constexpr int ALIGNMENT = smaller(BYTES, VECTOR_BYTES);
  T element[COUNT];
};

// The same bytes as elements and as the words that are moved; indices are constants after
// unrolling, so it stays in registers.
template <int BYTES> struct Word { typedef u32 type; };
template <> struct Word<2> { typedef u16 type; };
template <> struct Word<1> { typedef u8 type; };

template <class T, int COUNT>
union Words {
  typedef Vector<T, COUNT> Elements;
  typedef typename Word<Elements::ALIGNMENT>::type type;
  static constexpr int LENGTH = Elements::BYTES / static_cast<int>(sizeof(type));
  static constexpr int AT_ONCE = Elements::ALIGNMENT / static_cast<int>(sizeof(type));
  Elements elements;
  type word[LENGTH];
};

// In PTX, because the compiler splits a store that only moves what was loaded into two of
// 8 bytes (NVRTC 13.5, all chips but sm_100 and newer).
TV_DEVICE void store_16_bytes(void* to, u32 a, u32 b, u32 c, u32 d) {
#ifdef TV_CPU
  *static_cast<uint4*>(to) = uint4{a, b, c, d};
#else
  asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};"
               :: "l"(to), "r"(a), "r"(b), "r"(c), "r"(d) : "memory");
#endif
}

template <class T, int COUNT>
TV_DEVICE Vector<T, COUNT> load_vector(const T* from) {
  typedef Words<T, COUNT> W;
  W result;
#pragma unroll
  for (int i = 0; i < W::LENGTH; i += W::AT_ONCE) {
    if constexpr (W::AT_ONCE == 4) {
      const uint4 piece = reinterpret_cast<const uint4*>(from)[i / 4];
      result.word[i] = piece.x;
      result.word[i + 1] = piece.y;
      result.word[i + 2] = piece.z;
      result.word[i + 3] = piece.w;
    } else if constexpr (W::AT_ONCE == 2) {
      const uint2 piece = reinterpret_cast<const uint2*>(from)[i / 2];
      result.word[i] = piece.x;
      result.word[i + 1] = piece.y;
    } else {
      result.word[i] = reinterpret_cast<const typename W::type*>(from)[i];
    }
  }
  return result.elements;
}

template <class T, int COUNT>
TV_DEVICE void store_vector(T* to, const Vector<T, COUNT>& elements) {
  typedef Words<T, COUNT> W;
  W value;
  value.elements = elements;
#pragma unroll
  for (int i = 0; i < W::LENGTH; i += W::AT_ONCE) {
    if constexpr (W::AT_ONCE == 4)
      store_16_bytes(reinterpret_cast<uint4*>(to) + i / 4, value.word[i], value.word[i + 1],
                     value.word[i + 2], value.word[i + 3]);
    else if constexpr (W::AT_ONCE == 2)
      reinterpret_cast<uint2*>(to)[i / 2] = uint2{value.word[i], value.word[i + 1]};
    else
      reinterpret_cast<typename W::type*>(to)[i] = value.word[i];
  }
}

template <class T, int COUNT>
TV_DEVICE Vector<T, COUNT> load_elements(const T* from) {
  Vector<T, COUNT> result;
#pragma unroll
  for (int i = 0; i < COUNT; ++i) result.element[i] = from[i];
  return result;
}

// One element at an address that need not be a multiple of its size.
template <class T>
union Bytes {
  T value;
  u8 byte[sizeof(T)];
};

template <bool ALIGNED, class T>
TV_DEVICE T load_one(const u8* from) {
  if constexpr (ALIGNED) {
    return *reinterpret_cast<const T*>(from);
  } else {
    Bytes<T> result;
#pragma unroll
    for (int i = 0; i < static_cast<int>(sizeof(T)); ++i) result.byte[i] = from[i];
    return result.value;
  }
}

template <bool ALIGNED, class T>
TV_DEVICE void store_one(u8* to, T value) {
  if constexpr (ALIGNED) {
    *reinterpret_cast<T*>(to) = value;
  } else {
    Bytes<T> bytes;
    bytes.value = value;
#pragma unroll
    for (int i = 0; i < static_cast<int>(sizeof(T)); ++i) to[i] = bytes.byte[i];
  }
}

}  // namespace tv
