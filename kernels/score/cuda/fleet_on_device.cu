#include <algorithm>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/cuda/fleet_on_device.cuh"

namespace oneproxy::detail {

FleetOnDevice::FleetOnDevice(const Device& device, const DigitCode& code, std::span<const Mlp> models,
                             std::int64_t batch)
    : device_(device), code_(code), models_(models), batch_(batch) {}

void FleetOnDevice::set_plan(const FleetPlan& plan) {
  plan_ = plan;
  launch_ = narrow_launch(plan.narrow, device_);
  base_rows_ = upload(plan.base_rows);
  inner_rows_ = upload(plan.inner_rows);
  if (parameters_.size() > 0) return;
  parameters_ = DeviceBuffer<float>(batch_ * static_cast<std::int64_t>(plan.stride));
  host_.resize(static_cast<std::size_t>(parameters_.size()));
}

NarrowArgs FleetOnDevice::load(std::int64_t first, std::int64_t n, std::uint64_t count) {
  if (first != held_first_ || n != held_) {
    device_.wait();  // the copy before reads the same host memory
    parallel_for(n, [&](std::int64_t m) {
      fleet_parameters(models_[first + m], code_, plan_, host_.data() + m * static_cast<std::int64_t>(plan_.stride));
    });
    copy_async(parameters_.data(), host_.data(), static_cast<std::size_t>(n) * plan_.stride, cudaMemcpyHostToDevice,
               device_.stream);
    held_first_ = first;
    held_ = n;
  }
  NarrowArgs args;
  args.layers = plan_.narrow.layers;
  args.inner = Divider(plan_.narrow.inner);
  args.skip = plan_.skip;
  args.count = count;
  args.fleet = {parameters_.data(),
                plan_.stride,
                plan_.n_values,
                plan_.n_base,
                1,
                base_rows_.data(),
                inner_rows_.data(),
                plan_.first_inner,
                code_.n_digits() - plan_.first_inner};
  // Few models share the device; many take a block each, which makes a model's tables only once.
  const std::int64_t tile_rows = kNarrowThreads / 32 * 16 * plan_.narrow.m_tiles;
  const std::int64_t max_slices = (static_cast<std::int64_t>(count) + tile_rows - 1) / tile_rows;
  args.fleet.slices = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(2 * launch_.blocks_on_device / n, 1, std::max<std::int64_t>(max_slices, 1)));
  return args;
}

void FleetOnDevice::launch(const NarrowArgs& args, std::int64_t n) {
  launch_.kernel<<<static_cast<unsigned>(n * args.fleet.slices), kNarrowThreads, plan_.narrow.shared_bytes,
                   device_.stream>>>(args);
  ONEPROXY_CUDA_CHECK_LAUNCH();
}

}  // namespace oneproxy::detail
