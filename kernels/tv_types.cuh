// Purpose: element types that C++ lacks (float16, bfloat16, bool as NumPy stores it,
// complex), conversion between all types, and arithmetic with NumPy's results: integers
// wrap, min and max hand NaN on, nothing is flushed to zero.
// Sixteen-bit floats are storage: they are computed with as float and rounded once.
#pragma once
#include "tv_core.cuh"

namespace tv {

struct Half { u16 bits; };
struct BFloat16 { u16 bits; };
struct Bool { u8 byte; };
template <class T> struct alignas(2 * sizeof(T)) Complex { T real, imaginary; };
typedef Complex<float> Complex64;
typedef Complex<double> Complex128;

template <class A, class B> constexpr bool same = false;
template <class A> constexpr bool same<A, A> = true;
template <class T> constexpr bool is_complex = false;
template <class T> constexpr bool is_complex<Complex<T>> = true;
template <class T> constexpr bool is_float = same<T, float> || same<T, double>;

template <class T> struct RealPart { typedef T type; };
template <class T> struct RealPart<Complex<T>> { typedef T type; };

TV_DEVICE float to_float(Half value) {
#ifdef TV_CPU
  return static_cast<float>(tvcpu::half_to_double(value.bits));
#else
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
  return result;
#endif
}

TV_DEVICE float to_float(BFloat16 value) {
  return __uint_as_float(static_cast<u32>(value.bits) << 16);
}

TV_DEVICE Half to_half(float value) {
  Half result;
#ifdef TV_CPU
  result.bits = tvcpu::double_to_half(value);
#else
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
#endif
  return result;
}

// Straight from double: by way of float it would be rounded twice.
TV_DEVICE Half to_half(double value) {
  Half result;
#ifdef TV_CPU
  result.bits = tvcpu::double_to_half(value);
#else
  asm("cvt.rn.f16.f64 %0, %1;" : "=h"(result.bits) : "d"(value));
#endif
  return result;
}

TV_DEVICE BFloat16 to_bfloat16(float value) {
  BFloat16 result;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
#else
  u32 bits = __float_as_uint(value);
  u32 rounded = bits + 0x7fffu + (bits >> 16 & 1u);
  result.bits = static_cast<u16>((value == value ? rounded : bits | 0x400000u) >> 16);
#endif
  return result;
}

// The value that C++ can compute with: bool as 0 or 1, sixteen-bit floats as float.
template <class T>
TV_DEVICE auto widen(T value) {
  if constexpr (same<T, Half> || same<T, BFloat16>) return to_float(value);
  else if constexpr (same<T, Bool>) return static_cast<i32>(value.byte != 0);
  else return value;
}

template <class To, class From>
TV_DEVICE To narrow(From value) {
  if constexpr (is_complex<From> && is_complex<To>) {
    typedef typename RealPart<To>::type Real;
    return To{static_cast<Real>(value.real), static_cast<Real>(value.imaginary)};
  } else if constexpr (is_complex<To>) {
    return To{static_cast<typename RealPart<To>::type>(value), 0};
  } else if constexpr (same<To, Bool> && is_complex<From>) {
    return Bool{static_cast<u8>(value.real != 0 || value.imaginary != 0)};
  } else if constexpr (is_complex<From>) {
    return narrow<To>(value.real);
  } else if constexpr (same<To, Bool>) {
    return Bool{static_cast<u8>(value != 0)};
  } else if constexpr (same<To, Half> && same<From, double>) {
    return to_half(value);
  } else if constexpr (same<To, Half>) {
    return to_half(static_cast<float>(value));
  } else if constexpr (same<To, BFloat16>) {
    return to_bfloat16(static_cast<float>(value));
  } else {
    return static_cast<To>(value);
  }
}

template <class To, class From>
TV_DEVICE To convert(From value) {
  if constexpr (same<To, From>) return value;
  else return narrow<To>(widen(value));
}

// Unsigned arithmetic of at least 32 bits wraps by definition; a product of two u16 would
// be an int that overflows.
template <class T> struct Wrapping { typedef u32 type; };
template <> struct Wrapping<i64> { typedef u64 type; };
template <> struct Wrapping<u64> { typedef u64 type; };

struct Set {
  static constexpr bool READS_DESTINATION = false;
  template <class T> TV_DEVICE static T apply(T, T b) { return b; }
};

struct Add {
  static constexpr bool READS_DESTINATION = true;
  template <class T> TV_DEVICE static T apply(T a, T b) {
    if constexpr (is_complex<T>) return T{a.real + b.real, a.imaginary + b.imaginary};
    else if constexpr (is_float<T>) return a + b;
    else {
      typedef typename Wrapping<T>::type W;
      return static_cast<T>(static_cast<W>(a) + static_cast<W>(b));
    }
  }
};

struct Sub {
  static constexpr bool READS_DESTINATION = true;
  template <class T> TV_DEVICE static T apply(T a, T b) {
    if constexpr (is_complex<T>) return T{a.real - b.real, a.imaginary - b.imaginary};
    else if constexpr (is_float<T>) return a - b;
    else {
      typedef typename Wrapping<T>::type W;
      return static_cast<T>(static_cast<W>(a) - static_cast<W>(b));
    }
  }
};

struct Mul {
  static constexpr bool READS_DESTINATION = true;
  template <class T> TV_DEVICE static T apply(T a, T b) {
    if constexpr (is_complex<T>)
      return T{a.real * b.real - a.imaginary * b.imaginary,
               a.real * b.imaginary + a.imaginary * b.real};
    else if constexpr (is_float<T>) return a * b;
    else {
      typedef typename Wrapping<T>::type W;
      return static_cast<T>(static_cast<W>(a) * static_cast<W>(b));
    }
  }
};

// fminf and fmaxf drop NaN; NumPy hands it on.
struct Min {
  static constexpr bool READS_DESTINATION = true;
  template <class T> TV_DEVICE static T apply(T a, T b) {
    if constexpr (same<T, Bool>) return Bool{static_cast<u8>(a.byte & b.byte)};
    else return a < b || a != a ? a : b;
  }
};

struct Max {
  static constexpr bool READS_DESTINATION = true;
  template <class T> TV_DEVICE static T apply(T a, T b) {
    if constexpr (same<T, Bool>) return Bool{static_cast<u8>(a.byte | b.byte)};
    else return a > b || a != a ? a : b;
  }
};

}  // namespace tv
