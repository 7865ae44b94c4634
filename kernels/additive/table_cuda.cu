// Architectures go in slices, so that any number of them needs little device memory.
#include <algorithm>
#include <limits>

#include "oneproxy/kernels/additive/table_detail.h"
#include "oneproxy/kernels/additive/table_device.cuh"
#include "oneproxy/kernels/base/device_memory.cuh"

namespace oneproxy::detail {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kMaxBlocks = 4096;                     // enough for every device; blocks loop over their work
constexpr std::int64_t kSliceBytes = std::int64_t{64} << 20;  // of choices

}  // namespace

std::int64_t score_table_cuda(const AdditiveTable<double>& table, std::span<const std::uint8_t> radices,
                              std::span<const std::uint8_t> choices, std::span<double> scores) {
  const DeviceBuffer<std::uint8_t> device_radices(radices);
  const DeviceBuffer<double> weights(table.weights), bias(table.bias);
  const auto n = static_cast<std::int64_t>(scores.size());
  const auto n_digits = static_cast<std::int64_t>(radices.size());
  const DeviceTableView on_device{weights.data(),        bias.data(),
                                  device_radices.data(), static_cast<int>(n_digits),
                                  table.width(),         table.n_tables() > 1};
  const std::int64_t slice = std::min(n, std::max<std::int64_t>(kSliceBytes / n_digits, 1));
  constexpr auto none = std::numeric_limits<unsigned long long>::max();
  for (std::int64_t begin = 0; begin < n; begin += slice) {
    const std::int64_t count = std::min(slice, n - begin);
    const DeviceBuffer<std::uint8_t> device_choices(choices.subspan(begin * n_digits, count * n_digits));
    DeviceBuffer<double> device_scores(count);
    unsigned long long first_bad = none;
    DeviceBuffer<unsigned long long> device_bad(std::span<const unsigned long long>(&first_bad, 1));
    const auto blocks = static_cast<unsigned>(std::min((count + kThreads - 1) / kThreads, kMaxBlocks));
    score_table_kernel<<<blocks, kThreads>>>(on_device, device_choices.data(), count, device_scores.data(),
                                             device_bad.data());
    ONEPROXY_CUDA_CHECK_LAUNCH();
    device_bad.copy_to_host(std::span(&first_bad, 1));
    if (first_bad != none) return begin + static_cast<std::int64_t>(first_bad);
    device_scores.copy_to_host(scores.subspan(begin, count));
  }
  return -1;
}

}  // namespace oneproxy::detail
