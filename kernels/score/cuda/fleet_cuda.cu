// All scores of a fleet of MLPs of one shape: a block scores all rows for one model.
#include <algorithm>

#include "oneproxy/kernels/base/backend_cuda.h"
#include "oneproxy/kernels/score/cuda/chunks.h"
#include "oneproxy/kernels/score/cuda/devices.cuh"
#include "oneproxy/kernels/score/cuda/fleet_on_device.cuh"
#include "oneproxy/kernels/score/fleet_detail.h"
#include "oneproxy/kernels/score/scorer_detail.h"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t kMaxBytes = std::int64_t{256} << 20;  // of parameters, and of scores, at a time
constexpr std::size_t kWorthADevice = 64;                    // models

class Stopwatch {
 public:
  Stopwatch() {
    ONEPROXY_CUDA_CHECK(cudaEventCreate(&begin_));
    ONEPROXY_CUDA_CHECK(cudaEventCreate(&end_));
  }
  ~Stopwatch() {
    (void)cudaEventDestroy(begin_);
    (void)cudaEventDestroy(end_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  void start(cudaStream_t stream) { ONEPROXY_CUDA_CHECK(cudaEventRecord(begin_, stream)); }
  void stop(cudaStream_t stream) { ONEPROXY_CUDA_CHECK(cudaEventRecord(end_, stream)); }
  double seconds() const {  // once the stream is done
    float milliseconds = 0;
    ONEPROXY_CUDA_CHECK(cudaEventElapsedTime(&milliseconds, begin_, end_));
    return milliseconds * 1e-3;
  }

 private:
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

// A fleet on one device; returns the seconds of the kernels.
double score_fleet_on(int number, const DigitCode& code, std::span<const Mlp> models, const IndexRange& run,
                      const FleetPlan& plan, std::span<float> scores) {
  const Device device(number);
  const auto n_models = static_cast<std::int64_t>(models.size());
  const std::int64_t each = std::max<std::int64_t>(
      1, kMaxBytes / static_cast<std::int64_t>(4 * std::max<std::uint64_t>(plan.stride, run.count)));
  const std::int64_t batch = std::min(n_models, each);
  FleetOnDevice fleet(device, code, models, batch);
  fleet.set_plan(plan);
  DeviceBuffer<float> on_device(batch * static_cast<std::int64_t>(run.count));
  Stopwatch stopwatch;
  double seconds = 0;
  for (std::int64_t first = 0; first < n_models; first += batch) {
    const std::int64_t n = std::min(batch, n_models - first);
    NarrowArgs args = fleet.load(first, n, run.count);
    args.scores_f32 = on_device.data();
    stopwatch.start(device.stream);
    fleet.launch(args, n);
    stopwatch.stop(device.stream);
    copy_async(scores.data() + first * static_cast<std::int64_t>(run.count), on_device.data(),
               static_cast<std::size_t>(n) * run.count, cudaMemcpyDeviceToHost, device.stream);
    device.wait();
    seconds += stopwatch.seconds();
  }
  return seconds;
}

}  // namespace

double score_fleet_cuda_timed(const DigitCode& code, std::span<const Mlp> models, const IndexRange& run,
                              std::span<float> scores, Precision precision) {
  const DeviceGuard current;
  FleetPlan plan;
  const bool fits = plan_fleet(models[0], code, run, precision, Device(current.number()).limits, plan);
  if (!fits) {  // shapes without a kernel of their own, and long runs: one model after another
    std::vector<double> own(run.count);
    for (std::size_t m = 0; m < models.size(); ++m) {
      const ScoreFunction model = models[m];
      make_scorer_cuda(code, std::span(&model, 1), precision)->score(run, own);
      std::copy(own.begin(), own.end(), scores.begin() + static_cast<std::ptrdiff_t>(m * run.count));
    }
    return 0;
  }
  std::vector<int> devices = usable_devices_cuda();
  if (models.size() < kWorthADevice * devices.size()) devices = {current.number()};
  const auto borders = piece_borders(models.size(), static_cast<int>(devices.size()));
  std::vector<double> seconds(devices.size(), 0);
  each_device(devices, [&](std::size_t i, int number) {
    const std::size_t first = borders[i], n = borders[i + 1] - first;
    if (n > 0)
      seconds[i] = score_fleet_on(number, code, models.subspan(first, n), run, plan,
                                  scores.subspan(first * run.count, n * run.count));
  });
  return *std::max_element(seconds.begin(), seconds.end());
}

void score_fleet_cuda(const DigitCode& code, std::span<const Mlp> models, const IndexRange& run,
                      std::span<float> scores, Precision precision) {
  score_fleet_cuda_timed(code, models, run, scores, precision);
}

}  // namespace oneproxy::detail
