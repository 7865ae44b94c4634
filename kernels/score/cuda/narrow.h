#pragma once
// Launches of the fused kernels, an instantiation list a file so that they compile side by side. Private to kernels/.
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/cuda/narrow_args.h"
#include "oneproxy/kernels/score/cuda/narrow_plan.h"

namespace oneproxy::detail {

using NarrowKernel = void (*)(const NarrowArgs);

// The kernel of a plan's width, depth and table; null where there is none. Fleets: bf16 and tf32.
NarrowKernel narrow_bf16(const NarrowPlan& plan);
NarrowKernel narrow_tf32(const NarrowPlan& plan);
NarrowKernel narrow_fp32(const NarrowPlan& plan);
NarrowKernel narrow_fleet(const NarrowPlan& plan);
NarrowKernel narrow_fleet_best(const NarrowPlan& plan);

struct LaunchShape {
  NarrowKernel kernel = nullptr;
  int blocks_on_device = 0;
};

// What a launch of the plan's kernel needs before it. Runtime: CUDA's (narrow_launch.cu) or a test's, with
// allow_shared_bytes(kernel, bytes) and resident_blocks(kernel, threads, shared_bytes) of a multiprocessor.
template <class Runtime>
LaunchShape launch_shape(NarrowKernel kernel, const NarrowPlan& plan, const DeviceLimits& device, Runtime&& runtime) {
  ONEPROXY_ASSERT(kernel != nullptr);
  // What is allowed belongs to the function and not to the launch: with the plan's own bytes, a smaller plan would
  // forbid the launches of a larger one that is still alive. So it is always the most that the device has.
  runtime.allow_shared_bytes(kernel, device.shared_bytes);
  const int resident = runtime.resident_blocks(kernel, kNarrowThreads, plan.shared_bytes);
  ONEPROXY_ASSERT(resident > 0);
  return {kernel, resident * device.multiprocessors};
}

}  // namespace oneproxy::detail
