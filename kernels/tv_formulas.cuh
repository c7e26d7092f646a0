// Purpose: elementwise ops as functions of one element each, from which formulas are put
// together. An op is named after its record in tensorvar/_ops/ and computes what the record's
// forward computes, step by step: a*b+c is rounded twice, integers wrap, NaN is handed on.
// Sixteen-bit floats are computed with as float, and each op rounds once, as it does alone.
// Exponentials and their like are those of CUDA's library, and on the CPU of C's.
#pragma once
#include "tv_types.cuh"

namespace tv {

// An op whose result has the type of its operands.
template <class Op, class T, class... Rest>
TV_DEVICE T rounded(T first, Rest... rest) {
  return convert<T>(Op::apply(widen(first), widen(rest)...));
}

// An op that says yes or no.
template <class Op, class... T>
TV_DEVICE Bool answer(T... operands) {
  return Bool{static_cast<u8>(Op::apply(widen(operands)...))};
}

template <class T>
TV_DEVICE T choose(Bool condition, T then, T otherwise) {
  return condition.byte ? then : otherwise;
}

#define TV_FUNCTION(name, single, both)                        \
  TV_DEVICE float name(float x) { return ::single(x); }        \
  TV_DEVICE double name(double x) { return ::both(x); }

namespace math {
TV_FUNCTION(absolute, fabsf, fabs)
TV_FUNCTION(ceiling, ceilf, ceil)
TV_FUNCTION(error_function, erff, erf)
TV_FUNCTION(exponential, expf, exp)
TV_FUNCTION(exponential_less_1, expm1f, expm1)
TV_FUNCTION(floored, floorf, floor)
TV_FUNCTION(logarithm, logf, log)
TV_FUNCTION(logarithm_of_1_and, log1pf, log1p)
TV_FUNCTION(nearest, rintf, rint)
TV_FUNCTION(root, sqrtf, sqrt)
TV_FUNCTION(tangent, tanhf, tanh)
TV_DEVICE float power(float x, float y) { return ::powf(x, y); }
TV_DEVICE double power(double x, double y) { return ::pow(x, y); }
}  // namespace math

#undef TV_FUNCTION

// T is what is computed with: float or double, or an integer where the op takes them.
#define TV_OP1(name, result) \
  struct name { template <class T> TV_DEVICE static auto apply(T x) { return result; } };
#define TV_OP2(name, x, y, result) \
  struct name { template <class T> TV_DEVICE static auto apply(T x, T y) { return result; } };

namespace op {

// Signs, powers, roundings
struct Neg {
  template <class T> TV_DEVICE static T apply(T x) {
    if constexpr (is_float<T>) return -x;
    else return Sub::apply(T(0), x);
  }
};
struct Abs {
  template <class T> TV_DEVICE static T apply(T x) {
    if constexpr (is_float<T>) return math::absolute(x);
    else return x < 0 ? Neg::apply(x) : x;
  }
};
struct Round {
  template <class T> TV_DEVICE static T apply(T x) {
    if constexpr (is_float<T>) return math::nearest(x);
    else return x;
  }
};
TV_OP1(Sign, x > 0 ? T(1) : x < 0 ? T(-1) : x)
TV_OP1(Square, Mul::apply(x, x))
TV_OP1(Sqrt, math::root(x))
TV_OP1(Rsqrt, T(1) / math::root(x))
TV_OP1(Reciprocal, T(1) / x)
TV_OP1(Floor, math::floored(x))
TV_OP1(Ceil, math::ceiling(x))
TV_OP2(Pow, x, y, math::power(x, y))

// Sums, products, quotients
TV_OP2(SquaredDifference, x, y, Square::apply(Sub::apply(x, y)))
TV_OP2(MulNoNan, x, y, y != 0 ? x * y : T(0))
TV_OP2(RealDiv, x, y, x / y)
TV_OP2(FloorDiv, x, y, math::floored(x / y))
TV_OP2(DivNoNan, x, y, y == 0 ? T(0) : x / y)
TV_OP2(Xdivy, x, y, x == 0 ? T(0) : x / y)
TV_OP2(Xlogy, x, y, x == 0 ? T(0) : x * math::logarithm(y))
struct AddN {
  template <class T, class... Rest> TV_DEVICE static T apply(T total, Rest... rest) {
    ((total = Add::apply(total, rest)), ...);
    return total;
  }
};
struct ClipByValue {
  template <class T> TV_DEVICE static T apply(T x, T low, T high) {
    return Max::apply(Min::apply(x, high), low);
  }
};

// Exponentials and logarithms
TV_OP1(Exp, math::exponential(x))
TV_OP1(Expm1, math::exponential_less_1(x))
TV_OP1(Log, math::logarithm(x))
TV_OP1(Log1p, math::logarithm_of_1_and(x))
TV_OP1(Tanh, math::tangent(x))
TV_OP1(Erf, math::error_function(x))
TV_OP2(TanhGrad, y, dy, dy * (T(1) - y * y))
TV_OP2(SigmoidGrad, y, dy, dy * y * (T(1) - y))
struct Sigmoid {
  template <class T> TV_DEVICE static T apply(T x) {
    // The exponent is never positive, so neither branch overflows.
    const bool positive = x >= 0;
    const T decay = math::exponential(positive ? -x : x);
    return (positive ? T(1) : decay) / (T(1) + decay);
  }
};

// Activations
constexpr double SELU_SCALE = 1.0507009873554805;
constexpr double SELU_ALPHA = 1.6732632423543772;
// As in TensorFlow, some constants are those of float for double, too.
constexpr double GELU_ROOT = 0.7071067690849304;
constexpr double GELU_SCALE = 0.7978845608028654;
constexpr double GELU_CUBE = 0.044714998453855515;

TV_OP1(Relu, Max::apply(x, T(0)))
TV_OP1(Relu6, Min::apply(Max::apply(x, T(0)), T(6)))
TV_OP1(Elu, x < 0 ? math::exponential_less_1(x) : x)
TV_OP1(Selu, (x < 0 ? math::exponential_less_1(x) * T(SELU_ALPHA) : x) * T(SELU_SCALE))
TV_OP1(Softplus, Max::apply(x, T(0)) +
                     math::logarithm_of_1_and(math::exponential(-math::absolute(x))))
TV_OP1(Softsign, x / (T(1) + math::absolute(x)))
TV_OP1(Gelu, T(0.5) * x * (T(1) + math::error_function(x * T(GELU_ROOT))))
TV_OP1(GeluFit, T(0.5) * x *
                    (T(1) + math::tangent(T(GELU_SCALE) * (x + T(GELU_CUBE) * (x * x * x)))))
// Infinity times 0 is NaN: a product, no choice.
TV_OP2(ReluGrad, gradient, x, Mul::apply(gradient, x > 0 ? T(1) : T(0)))
TV_OP2(Relu6Grad, gradient, x, x > 0 && x < 6 ? gradient : T(0))
TV_OP2(EluGrad, gradient, y, y < 0 ? gradient * (y + T(1)) : gradient)
TV_OP2(SeluGrad, gradient, y,
       gradient * (y < 0 ? y + T(SELU_SCALE * SELU_ALPHA) : T(SELU_SCALE)))
struct LeakyRelu {
  template <class T> TV_DEVICE static T apply(T x, double alpha) {
    return x > 0 ? x : x * static_cast<T>(alpha);
  }
};
struct LeakyReluGrad {
  template <class T> TV_DEVICE static T apply(T gradient, T x, double alpha) {
    return x > 0 ? gradient : gradient * static_cast<T>(alpha);
  }
};

// Answers
TV_OP2(Equal, x, y, x == y)
TV_OP2(NotEqual, x, y, x != y)
TV_OP2(Less, x, y, x < y)
TV_OP2(LessEqual, x, y, x <= y)
TV_OP2(Greater, x, y, x > y)
TV_OP2(GreaterEqual, x, y, x >= y)
TV_OP2(LogicalAnd, x, y, (x & y) != 0)
TV_OP2(LogicalOr, x, y, (x | y) != 0)
TV_OP2(LogicalXor, x, y, x != y)
TV_OP1(LogicalNot, x == 0)
TV_OP1(IsNan, x != x)
TV_OP1(IsInf, x == x && x - x != 0)
TV_OP1(IsFinite, x - x == 0)

}  // namespace op

#undef TV_OP1
#undef TV_OP2

}  // namespace tv
