#pragma once
// The fused kernel of a plan, ready for a device.
#include "oneproxy/kernels/score/cuda/device.cuh"
#include "oneproxy/kernels/score/cuda/narrow.h"

namespace oneproxy::detail {

struct LaunchShape {
  NarrowKernel kernel = nullptr;
  int blocks_on_device = 0;
};
LaunchShape narrow_launch(const NarrowPlan& plan, const Device& device);

}  // namespace oneproxy::detail
