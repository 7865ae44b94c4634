#pragma once
// Models of a fleet on a device, for the fused kernels of fleets.
#include <span>

#include "oneproxy/kernels/score/cuda/fleet_plan.h"
#include "oneproxy/kernels/score/cuda/narrow_launch.cuh"

namespace oneproxy::detail {

// The device is the current one in all calls. `batch` models at most are there at a time.
class FleetOnDevice {
 public:
  FleetOnDevice(const Device& device, const DigitCode& code, std::span<const Mlp> models, std::int64_t batch);

  // The run of the next launches; plans of one fleet differ only in what follows from it.
  void set_plan(const FleetPlan& plan);
  // Arguments for models first .. first + n - 1 and `count` architectures; their parameters are made and copied, unless
  // they are there already. Enqueues on the device's stream.
  NarrowArgs load(std::int64_t first, std::int64_t n, std::uint64_t count);
  void launch(const NarrowArgs& args, std::int64_t n);

 private:
  const Device& device_;
  DigitCode code_;
  std::span<const Mlp> models_;
  std::int64_t batch_;
  FleetPlan plan_;
  LaunchShape launch_;
  DeviceBuffer<std::uint32_t> base_rows_, inner_rows_;
  std::vector<float> host_;
  DeviceBuffer<float> parameters_;
  std::int64_t held_first_ = 0, held_ = 0;
};

}  // namespace oneproxy::detail
