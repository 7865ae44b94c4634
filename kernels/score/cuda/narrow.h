#pragma once
// Launches of the fused kernels, an instantiation list a file so that they compile side by side. Private to kernels/.
#include <cuda_runtime_api.h>

#include "oneproxy/kernels/score/cuda/narrow_args.h"
#include "oneproxy/kernels/score/cuda/narrow_plan.h"

namespace oneproxy::detail {

using NarrowKernel = void (*)(const NarrowArgs);

// The kernel of a plan's width and depth; the plan names one of these precisions.
NarrowKernel narrow_bf16(const NarrowPlan& plan);
NarrowKernel narrow_tf32(const NarrowPlan& plan);
NarrowKernel narrow_fp32(const NarrowPlan& plan);

}  // namespace oneproxy::detail
