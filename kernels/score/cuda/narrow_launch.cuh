#pragma once
// The fused kernel of a plan, ready for a device.
#include "oneproxy/kernels/score/cuda/device.cuh"
#include "oneproxy/kernels/score/cuda/narrow.h"

namespace oneproxy::detail {

// The plan's kernel and its blocks on the device, which is the current one.
LaunchShape narrow_launch(const NarrowPlan& plan, const Device& device);

}  // namespace oneproxy::detail
