// A fleet of tables, reduced on the current device: the host sorts a piece of the run by quality, the device finds the
// answers of as many devices at a time as it has memory for.
#include <algorithm>

#include "oneproxy/kernels/score/cuda/device.cuh"
#include "oneproxy/kernels/score/cuda/fleet_questions.h"
#include "oneproxy/kernels/score/cuda/fleet_tables.cuh"
#include "oneproxy/kernels/score/cuda/less_memory.h"
#include "oneproxy/kernels/score/fleet_detail.h"
#include "oneproxy/kernels/score/fleet_layout.h"

namespace oneproxy::detail {
namespace {

constexpr std::size_t kBoundedRows = 4096;  // beyond, the least of all sums costs as much as the sums
constexpr int kBlocksOfMultiprocessor = 8;

class TablesOnDevice {
 public:
  TablesOnDevice(const TableFleet& fleet, const FleetLayout& layout)
      : device_(DeviceGuard().number()), fleet_(fleet), layout_(layout) {}

  void reduce(const QualityOrder& order, FleetAnswers& answers) {
    layout_.list_rows(order, host_rows_);
    const std::vector<std::uint32_t> group_ends = order.group_ends();
    for (std::int64_t first = 0; first < fleet_.n_devices;) {
      try {
        with_less_memory<OutOfDeviceMemory>(
            batch_, kFleetThreads, [this] { release(); },
            [&](std::int64_t most) {
              const std::int64_t n = std::min(most, fleet_.n_devices - first);
              reduce_devices(order, group_ends, first, n, answers);
              first += n;
            });
      } catch (const OutOfDeviceMemory& failure) {
        throw Error("reduce_fleet: no device memory for the tables of " + std::to_string(batch_) + " devices, " +
                    std::to_string(layout_.n_rows()) + " values each; free device memory or use backend = \"cpu\" (" +
                    failure.what() + ")");
      }
    }
  }

 private:
  void release() {
    device_.wait();
    weights_ = {};
    bias_ = {};
    held_ = 0;
  }

  // Weights stay for the next piece where one batch is the whole fleet.
  void hold(std::int64_t first, std::int64_t n) {
    if (held_ == n && held_first_ == first) return;
    release();
    const auto rows = static_cast<std::int64_t>(layout_.n_rows()),
               tables = static_cast<std::int64_t>(fleet_.n_tables());
    weights_ = DeviceBuffer<double>(rows * n);
    bias_ = DeviceBuffer<double>(tables * n);
    copy_columns(weights_.data(), fleet_.weights.data() + first, rows, n);
    copy_columns(bias_.data(), fleet_.bias.data() + first, tables, n);
    held_first_ = first;
    held_ = n;
  }
  void copy_columns(double* to, const double* from, std::int64_t rows, std::int64_t n) {
    const auto width = static_cast<std::size_t>(n) * sizeof(double);
    ONEPROXY_CUDA_CHECK(cudaMemcpy2DAsync(to, width, from, static_cast<std::size_t>(fleet_.n_devices) * sizeof(double),
                                          width, static_cast<std::size_t>(rows), cudaMemcpyHostToDevice,
                                          device_.stream));
  }

  void reduce_devices(const QualityOrder& order, const std::vector<std::uint32_t>& group_ends, std::int64_t first,
                      std::int64_t n, FleetAnswers& answers) {
    const FleetQuestions questions(order, answers, first, n);
    if (!questions.any()) return;
    hold(first, n);
    const auto rows = upload(host_rows_), ends = upload(questions.ends), groups = upload(group_ends);
    auto found = upload(questions.ends);
    const auto limits = upload(questions.limits);
    const auto cells = static_cast<std::int64_t>(questions.ends.size());
    DeviceBuffer<std::uint32_t> places(cells);
    DeviceBuffer<double> latencies(cells);

    FleetTables tables;
    tables.weights = weights_.data();
    tables.bias = bias_.data();
    tables.n_devices = tables.stride = static_cast<std::uint32_t>(n);
    tables.rows = rows.data();
    tables.n = static_cast<std::uint32_t>(order.size());
    tables.n_rows = layout_.n_digits() + 1;
    FleetSearch search;
    search.limits = limits.data();
    search.found = found.data();
    search.n_limits = static_cast<int>(answers.n_limits());
    const auto groups_of_devices = static_cast<std::uint32_t>((n + kFleetThreads - 1) / kFleetThreads);
    const std::uint32_t chunks = (tables.n + kFleetChunk - 1) / kFleetChunk;
    search.slices = std::clamp<std::uint32_t>(
        static_cast<std::uint32_t>(kBlocksOfMultiprocessor * device_.limits.multiprocessors) / groups_of_devices, 1,
        chunks);
    fleet_tables_kernel<<<groups_of_devices * search.slices, kFleetThreads, kFleetChunk * tables.n_rows * 4,
                          device_.stream>>>(tables, search);
    ONEPROXY_CUDA_CHECK_LAUNCH();
    fleet_settle_kernel<<<device_.blocks(static_cast<std::uint64_t>(cells), kFleetThreads), kFleetThreads, 0,
                          device_.stream>>>(tables, search,
                                            {ends.data(), groups.data(), places.data(), latencies.data()});
    ONEPROXY_CUDA_CHECK_LAUNCH();
    std::vector<std::uint32_t> host_places(questions.ends.size());
    std::vector<double> host_latencies(questions.ends.size());
    copy_async(host_places.data(), places.data(), host_places.size(), cudaMemcpyDeviceToHost, device_.stream);
    copy_async(host_latencies.data(), latencies.data(), host_latencies.size(), cudaMemcpyDeviceToHost, device_.stream);
    device_.wait();
    offer_places(order, first, n, host_places, host_latencies, answers);
  }

  const Device device_;
  const TableFleet& fleet_;
  const FleetLayout& layout_;
  std::vector<std::uint32_t> host_rows_;
  std::int64_t batch_ = std::int64_t{1} << 20;  // devices at a time
  DeviceBuffer<double> weights_, bias_;         // of those that are held
  std::int64_t held_first_ = 0, held_ = 0;
};

}  // namespace

void reduce_fleet_cuda(const DigitCode& code, const TableFleet& fleet, QualityPieces& pieces, FleetAnswers& answers) {
  const FleetLayout layout(code.radices, fleet.n_tables());
  if (layout.n_rows() <= kBoundedRows) layout.close_what_none_keeps(fleet, answers);
  TablesOnDevice on_device(fleet, layout);
  QualityOrder order;
  while (pieces.next(answers.least_quality(), order))
    if (order.size() > 0) on_device.reduce(order, answers);
}

}  // namespace oneproxy::detail
