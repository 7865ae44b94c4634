#pragma once
// A fleet on one fused kernel: each block makes base rows, table and packed weights of its model itself.
#include <cstdint>
#include <vector>

#include "oneproxy/kernels/score/cuda/narrow_plan.h"

namespace oneproxy::detail {

struct FleetPlan {
  NarrowPlan narrow;
  int first_inner = 0;                 // digits from here on are in the table
  std::uint32_t n_base = 0, skip = 0;  // base rows of the run; architectures before it in the first one
  std::vector<std::uint32_t> base_rows, inner_rows;
  std::uint32_t n_values = 0;
  std::size_t stride = 0;
  std::uint32_t limits_offset = 0;  // NarrowBest::shared_offset, where the fleet is reduced
};
// False where the run's rows do not fit a block's shared memory, or the shape has no narrow kernel.
bool plan_fleet(const Mlp& shape, const DigitCode& code, const IndexRange& run, Precision precision,
                const DeviceLimits& device, FleetPlan& plan);
// The same for a fleet of so many limits a device that is reduced: its block keeps them in shared memory as well.
bool plan_fleet_best(const Mlp& shape, const DigitCode& code, const IndexRange& range, Precision precision,
                     std::int64_t n_limits, const DeviceLimits& device, FleetPlan& plan);
// One model's parameters [stride] as NarrowFleet says.
void fleet_parameters(const Mlp& mlp, const DigitCode& code, const FleetPlan& plan, float* parameters);

}  // namespace oneproxy::detail
