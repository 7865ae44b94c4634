#include "oneproxy/kernels/score/cuda/fleet_plan.h"

#include <algorithm>

#include "oneproxy/kernels/score/cuda/first_layer.h"

namespace oneproxy::detail {

bool plan_fleet(const Mlp& shape, const DigitCode& code, const IndexRange& run, Precision precision,
                const DeviceLimits& device, FleetPlan& plan) {
  plan = {};
  const bool tensor_cores = precision == Precision::bf16 || precision == Precision::tf32;
  if (run.shuffled || run.count == 0 || !tensor_cores || !plan_narrow(shape, precision, device, plan.narrow))
    return false;
  const int n_digits = code.n_digits();
  // The cut of the digits that needs the fewest rows in all.
  const std::uint64_t max_rows =
      static_cast<std::uint64_t>(device.shared_bytes - plan.narrow.shared_bytes) / (4 * plan.narrow.table_stride);
  std::uint64_t inner = 1, fewest = max_rows + 1;
  for (int d = n_digits; d > 0 && inner <= max_rows; inner *= code.radices[--d]) {
    const auto skip = static_cast<std::uint64_t>(run.begin % inner);
    if (run.count > ~std::uint64_t{0} - 2 * inner) return false;
    const std::uint64_t n_base = (skip + run.count + inner - 1) / inner;
    if (inner + n_base >= fewest) continue;
    fewest = inner + n_base;
    plan.first_inner = d;
    plan.narrow.inner = static_cast<std::uint32_t>(inner);
    plan.n_base = static_cast<std::uint32_t>(n_base);
    plan.skip = static_cast<std::uint32_t>(skip);
  }
  if (fewest > max_rows) return false;
  plan.narrow.place = TablePlace::fleet;
  plan.narrow.shared_bytes += static_cast<int>(fewest) * plan.narrow.table_stride * 4;

  const auto offsets = value_offsets(code.radices);
  plan.n_values = offsets.back();
  std::vector<std::uint32_t> digits(n_digits);
  for (std::uint32_t o = 0; o < plan.n_base; ++o) {
    decode_digits(run.begin - plan.skip + static_cast<ArchIndex>(o) * plan.narrow.inner, code.radices.data(), n_digits,
                  digits.data());
    for (int d = 0; d < plan.first_inner; ++d) plan.base_rows.push_back(offsets[d] + digits[d]);
  }
  for (std::uint32_t i = 0; i < plan.narrow.inner; ++i) {
    decode_digits(i, code.radices.data(), n_digits, digits.data());
    for (int d = plan.first_inner; d < n_digits; ++d) plan.inner_rows.push_back(offsets[d] + digits[d]);
  }
  const auto width = static_cast<std::size_t>(plan.narrow.width);
  plan.stride = (plan.n_values + 1) * width + plan.narrow.layers * (width * width + width) + width + 1;
  return true;
}

bool plan_fleet_best(const Mlp& shape, const DigitCode& code, const IndexRange& range, Precision precision,
                     std::int64_t n_limits, const DeviceLimits& device, FleetPlan& plan) {
  constexpr int kAlignment = 16, kBytesOfLimit = 2 * sizeof(double) + sizeof(std::uint32_t);
  if (n_limits > device.shared_bytes / kBytesOfLimit) return false;
  const int bytes = static_cast<int>(n_limits) * kBytesOfLimit;
  DeviceLimits left = device;
  left.shared_bytes -= bytes + kAlignment;
  if (!plan_fleet(shape, code, range, precision, left, plan)) return false;
  const int offset = (plan.narrow.shared_bytes + kAlignment - 1) / kAlignment * kAlignment;
  plan.limits_offset = static_cast<std::uint32_t>(offset);
  plan.narrow.shared_bytes = offset + bytes;
  plan.narrow.place = TablePlace::fleet_best;
  return true;
}

void fleet_parameters(const Mlp& mlp, const DigitCode& code, const FleetPlan& plan, float* parameters) {
  const int width = plan.narrow.width;
  std::fill(parameters, parameters + plan.stride, 0.0f);
  std::vector<double> sums(mlp.first_width);
  for (std::uint32_t value = 0; value < plan.n_values; ++value, parameters += width) {
    std::fill(sums.begin(), sums.end(), 0.0);
    add_value(mlp, code, value, sums.data());
    for (int j = 0; j < mlp.first_width; ++j) parameters[j] = static_cast<float>(sums[j]);
  }
  for (int j = 0; j < mlp.first_width; ++j) parameters[j] = static_cast<float>(mlp.first_bias[j]);
  parameters += width;
  for (int l = 0; l < plan.narrow.layers; ++l) {
    const DenseLayer& layer = mlp.layers[l];
    for (int j = 0; j < layer.outputs; ++j)
      for (int k = 0; k < layer.inputs; ++k) parameters[j * width + k] = weight_of(layer, j, k);
    parameters += width * width;
    for (int j = 0; j < layer.outputs; ++j) parameters[j] = static_cast<float>(layer.bias[j]);
    parameters += width;
  }
  const DenseLayer& last = mlp.layers.back();
  for (int j = 0; j < last.inputs; ++j) parameters[j] = static_cast<float>(last.weights[j]);
  parameters[width] = static_cast<float>(last.bias[0]);
}

}  // namespace oneproxy::detail
