// Purpose: sums and extremes in memory that other threads change too. Nothing is read back,
// so that the card need not answer. Which chip has which instruction, and what is used:
//   float, double       one by one everywhere; from sm_90 on float in fours and twos
//   Half                in pairs everywhere; from sm_90 on in eights and fours
//   BFloat16            the same from sm_90 on, and nothing before
//   integers            32 and 64 bits one by one
// One 16-bit float alone is a loop of compare-and-swap on every chip, whatever PTX offers,
// so there is none: under contention it is tens of times slower.
// Sums of 16-bit floats are rounded with each addition. Those of float flush denormals to
// zero (RED.ADD.F32.FTZ, there is no other); those of the other types do not.
#pragma once
#include "tv_types.cuh"

namespace tv {

TV_DEVICE float negated(float value) { return -value; }
TV_DEVICE double negated(double value) { return -value; }
TV_DEVICE Half negated(Half value) { return {static_cast<u16>(value.bits ^ 0x8000u)}; }
TV_DEVICE BFloat16 negated(BFloat16 value) { return {static_cast<u16>(value.bits ^ 0x8000u)}; }

#ifdef TV_CPU
template <class D, int LENGTH>
TV_DEVICE void reduce_add(D* to, const Vector<D, LENGTH>& values) {
  for (int e = 0; e < LENGTH; ++e)
    to[e] = convert<D>(widen(to[e]) + widen(values.element[e]));
}
#else
#if __CUDA_ARCH__ >= 900
constexpr bool HAS_VECTORS = true;
#else
constexpr bool HAS_VECTORS = false;
#endif

template <int LENGTH>
TV_DEVICE void reduce_add(float* to, const Vector<float, LENGTH>& values) {
  const float* const v = values.element;
  static_assert(HAS_VECTORS || LENGTH == 1, "an instruction that this chip lacks");
  if constexpr (LENGTH == 4)
    asm volatile("red.global.add.v4.f32 [%0], {%1, %2, %3, %4};"
                 :: "l"(to), "f"(v[0]), "f"(v[1]), "f"(v[2]), "f"(v[3]) : "memory");
  else if constexpr (LENGTH == 2)
    asm volatile("red.global.add.v2.f32 [%0], {%1, %2};"
                 :: "l"(to), "f"(v[0]), "f"(v[1]) : "memory");
  else
    atomicAdd(to, v[0]);
}

TV_DEVICE void reduce_add(double* to, const Vector<double, 1>& value) {
  atomicAdd(to, value.element[0]);
}

// 16-bit floats, moved as words of two; TYPE is "f16" or "bf16".
#define TV_REDUCE_ADD_PAIRS(D, TYPE)                                                         \
  template <int LENGTH>                                                                      \
  TV_DEVICE void reduce_add(D* to, const Vector<D, LENGTH>& values) {                        \
    static_assert(LENGTH >= 2, "one alone would be a loop");                                 \
    u32 w[LENGTH / 2];                                                                       \
    _Pragma("unroll") for (int i = 0; i < LENGTH / 2; ++i)                                   \
        w[i] = values.element[2 * i].bits |                                                  \
               static_cast<u32>(values.element[2 * i + 1].bits) << 16;                       \
    if constexpr (LENGTH == 2)                                                               \
      asm volatile("red.global.add.noftz." TYPE "x2 [%0], %1;"                               \
                   :: "l"(to), "r"(w[0]) : "memory");                                        \
    else if constexpr (LENGTH == 4)                                                          \
      asm volatile("red.global.add.noftz.v2." TYPE "x2 [%0], {%1, %2};"                      \
                   :: "l"(to), "r"(w[0]), "r"(w[1]) : "memory");                             \
    else                                                                                     \
      asm volatile("red.global.add.noftz.v4." TYPE "x2 [%0], {%1, %2, %3, %4};"              \
                   :: "l"(to), "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3]) : "memory");       \
  }
TV_REDUCE_ADD_PAIRS(Half, "f16")
TV_REDUCE_ADD_PAIRS(BFloat16, "bf16")
#endif

template <class T> struct FloatBits;
template <> struct FloatBits<float> { typedef i32 Signed; typedef u32 Unsigned; };
template <> struct FloatBits<double> { typedef i64 Signed; typedef u64 Unsigned; };

template <class To, class From>
TV_DEVICE To bits_as(From value) {
  static_assert(sizeof(To) == sizeof(From), "the same bits");
  union { From from; To to; } both;
  both.from = value;
  return both.to;
}

// The extreme of floats as integers: those without a sign bit grow with their bits, those
// with one shrink as unsigned ones, and any of these is more than any of those as signed.
// A NaN is written as the bits that win in both orders. One that was in the table may have
// other bits; whoever sees it leaves it, and it is there from the beginning, so all see it.
// What is read may be old: the value only ever moves one way, so there is no harm.
template <bool GREATEST, class D>
TV_DEVICE void reduce_extreme(D* to, D value) {
  typedef typename FloatBits<D>::Signed S;
  typedef typename FloatBits<D>::Unsigned U;
  constexpr U SIGN = static_cast<U>(1) << (8 * sizeof(U) - 1);
  const D seen = *const_cast<const volatile D*>(to);
  if (seen != seen) return;
  U bits = bits_as<U>(value);
  if (bits == bits_as<U>(seen) || (GREATEST ? value < seen : value > seen)) return;
  if (value != value) bits = GREATEST ? SIGN - 1 : ~static_cast<U>(0);
  const bool negative = bits & SIGN;
  if (negative == GREATEST) {
    if constexpr (GREATEST) atomicMin(reinterpret_cast<U*>(to), bits);
    else atomicMin(reinterpret_cast<S*>(to), static_cast<S>(bits));
  } else {
    if constexpr (GREATEST) atomicMax(reinterpret_cast<S*>(to), static_cast<S>(bits));
    else atomicMax(reinterpret_cast<U*>(to), bits);
  }
}

}  // namespace tv
