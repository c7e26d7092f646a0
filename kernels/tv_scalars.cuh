// Purpose: the numbers of an optimizer that live in device memory, so that a captured graph
// can be replayed while they change: an array of 16 float64 with these fields.
#pragma once
#include "tv_core.cuh"

namespace tv {

struct Scalars {
  // Of the caller.
  double step;           // updates done so far; the kernels count
  double learning_rate;
  double loss_scale;     // what the gradients were multiplied with
  // Results.
  double norm;           // of all gradients together, without the loss scale
  double clip_factor;
  double finite;         // 1 or 0: whether every element of the gradients is finite
  // Of the kernels: what one launch leaves for the next.
  double rate;
  double corrected_rate;
  double gradient_factor;
  float rate_as_float;
  float corrected_rate_as_float;
  float gradient_factor_as_float;
  u32 skip;
  double unused[5];
};

// What a block of sum_squares found.
struct Partial {
  double sum;
  double not_finite;  // a count
};

}  // namespace tv
