// Purpose: the update rules of optimizer.cu, element by element, with the operations in
// the order in which Keras 3 does them, so that float32 results agree to a few units in the
// last place. C is the type that is computed with. A rule is also the structure in which its
// constants come as a kernel argument; every rule has the factor of the weight decay first.
#pragma once
#include "tv_types.cuh"

namespace tv {

// What changes from step to step; see Scalars.
template <class C>
struct Rates {
  C learning_rate;
  C corrected;  // learning rate with Adam's correction for the step
  C gradient_factor;
};

TV_DEVICE float square_root(float value) { return sqrtf(value); }
TV_DEVICE double square_root(double value) { return sqrt(value); }

template <class C>
struct Sgd {
  static constexpr int SLOTS = 0;
  C weight_decay;
  TV_DEVICE void apply(C& w, C g, C*, const Rates<C>& rates) const {
    w = w - g * rates.learning_rate;
  }
};

template <class C, bool NESTEROV>
struct SgdWithMomentum {
  static constexpr int SLOTS = 1;
  C weight_decay;
  C momentum;
  TV_DEVICE void apply(C& w, C g, C* slot, const Rates<C>& rates) const {
    const C step = g * rates.learning_rate;
    slot[0] = slot[0] * momentum - step;
    w = w + (NESTEROV ? slot[0] * momentum - step : slot[0]);
  }
};
template <class C> using Momentum = SgdWithMomentum<C, false>;
template <class C> using Nesterov = SgdWithMomentum<C, true>;

// Slots: velocity, momentum if any, average gradient if centered.
template <class C, bool MOMENTUM, bool CENTERED>
struct RmsPropVariant {
  static constexpr int SLOTS = 1 + MOMENTUM + CENTERED;
  C weight_decay;
  C rho;
  C one_minus_rho;
  C epsilon;
  C momentum;
  TV_DEVICE void apply(C& w, C g, C* slot, const Rates<C>& rates) const {
    slot[0] = rho * slot[0] + one_minus_rho * (g * g);
    C variance = slot[0];
    if constexpr (CENTERED) {
      C& average = slot[SLOTS - 1];
      average = rho * average + one_minus_rho * g;
      variance = variance - average * average;
    }
    C step = rates.learning_rate * g / square_root(variance + epsilon);
    if constexpr (MOMENTUM) step = slot[1] = momentum * slot[1] + step;
    w = w - step;
  }
};
template <class C> using RmsProp = RmsPropVariant<C, false, false>;
template <class C> using RmsPropMomentum = RmsPropVariant<C, true, false>;
template <class C> using RmsPropCentered = RmsPropVariant<C, false, true>;
template <class C> using RmsPropCenteredMomentum = RmsPropVariant<C, true, true>;

template <class C>
struct Adagrad {
  static constexpr int SLOTS = 1;
  C weight_decay;
  C epsilon;
  TV_DEVICE void apply(C& w, C g, C* slot, const Rates<C>& rates) const {
    slot[0] = slot[0] + g * g;
    w = w - rates.learning_rate * g / square_root(slot[0] + epsilon);
  }
};

// Slots: momentum, velocity, and the largest velocity so far for AMSGrad.
template <class C, bool AMSGRAD>
struct AdamVariant {
  static constexpr int SLOTS = 2 + AMSGRAD;
  C weight_decay;
  C one_minus_beta_1;
  C one_minus_beta_2;
  C epsilon;
  TV_DEVICE void apply(C& w, C g, C* slot, const Rates<C>& rates) const {
    slot[0] = slot[0] + (g - slot[0]) * one_minus_beta_1;
    slot[1] = slot[1] + (g * g - slot[1]) * one_minus_beta_2;
    if constexpr (AMSGRAD) slot[2] = Max::apply(slot[2], slot[1]);
    w = w - slot[0] * rates.corrected / (square_root(slot[SLOTS - 1]) + epsilon);
  }
};
template <class C> using Adam = AdamVariant<C, false>;
template <class C> using AmsGrad = AdamVariant<C, true>;

template <class C>
struct Lion {
  static constexpr int SLOTS = 1;
  C weight_decay;
  C beta_1;
  C beta_2;
  TV_DEVICE void apply(C& w, C g, C* slot, const Rates<C>& rates) const {
    const C mixed = slot[0] * beta_1 + g * (1 - beta_1);
    // Neither 0 nor NaN has a sign, so they stay.
    w = w - rates.learning_rate * (mixed > 0 ? C(1) : mixed < 0 ? C(-1) : mixed);
    slot[0] = slot[0] * beta_2 + g * (1 - beta_2);
  }
};

}  // namespace tv
