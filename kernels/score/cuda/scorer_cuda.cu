// The CUDA twin of Scorer: one scorer a device, and reductions over all devices where a run is long.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "oneproxy/kernels/base/backend_cuda.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/cuda/deal.h"
#include "oneproxy/kernels/score/cuda/scorer_on_device.cuh"
#include "oneproxy/kernels/score/mlp_error.h"
#include "oneproxy/kernels/score/scorer_detail.h"

namespace oneproxy::detail {
namespace {

// Architectures: 2 ms of an MLP. A run is shared by as many devices as it has so many for.
constexpr std::uint64_t kWorthADevice = std::uint64_t{1} << 24;

DigitSplit split_for_device(std::span<const std::uint32_t> radices) {
  try {
    return split_digits(radices);
  } catch (const Error&) {
    throw Error(
        "score: on CUDA an index is two parts below 2^64, and this space's digits do not split so; fix some "
        "decisions or use backend = \"cpu\"");
  }
}

class ScorerCuda : public Scorer::Implementation {
 public:
  ScorerCuda(const DigitCode& code, std::span<const ScoreFunction> models, Precision precision)
      : code_(code), split_(split_for_device(code_.radices)), precision_(precision) {
    for (const auto& model : models) {
      models_.emplace_back(model);
      const auto* mlp = std::get_if<Mlp>(&model);
      bounds_.push_back(mlp ? mlp_error_bound(*mlp, code, precision, Backend::cuda) : 0.0);
    }
    first_ = DeviceGuard().number();
    const auto current = std::find(devices_.begin(), devices_.end(), first_);
    if (current != devices_.end()) std::iter_swap(devices_.begin(), current);  // a short run is the first one's
    on(first_);
  }
  ~ScorerCuda() override {
    for (auto& [number, scorer] : scorers_) try {
        const DeviceGuard current(number);
        scorer.reset();
      } catch (const Error&) {  // the driver has gone before us and has taken all with it
      }
  }

  void score(const IndexRange& run, std::span<double> scores) const override { on(first_).score(run, scores); }
  void score_list(std::span<const std::uint32_t> digits, std::span<double> scores) const override {
    on(first_).score_list(digits, scores);
  }

  void reduce(const IndexRange& run, Reduction& reduction) const override {
    if (devices_.size() < 2) {
      on(first_).reduce(run, 0, run.count, reduction);
      return;
    }
    at_work_.reduce(run.count, kWorthADevice, reduction,
                    [&](std::size_t i, std::uint64_t begin, std::uint64_t end, Reduction& part) {
                      const DeviceGuard current(devices_[i]);
                      const std::string name = "GPU " + std::to_string(devices_[i]) + ": ";
                      try {
                        on(devices_[i]).reduce(run, begin, end, part);
                      } catch (const OutOfDeviceMemory& full) {
                        throw OutOfDeviceMemory(name + full.what());
                      } catch (const Error& failure) {
                        throw Error(name + failure.what());
                      }
                    });
  }
  std::vector<std::string> left_out() const override { return at_work_.out_of_memory(); }

  double error_bound(int model) const override { return bounds_[model]; }
  std::vector<std::string> paths() const override { return on(first_).paths(); }

 private:
  // Made when it is first needed; there is one a device.
  ScorerOnDevice& on(int number) const {
    const std::scoped_lock lock(mutex_);
    auto& scorer = scorers_[number];
    if (scorer) return *scorer;
    const DeviceGuard current(number);
    scorer = std::make_unique<ScorerOnDevice>(number, code_, split_, models_, precision_);
    return *scorer;
  }

  OwnedCode code_;
  DigitSplit split_;
  Precision precision_;
  std::deque<OwnedModel> models_;
  std::vector<double> bounds_;
  int first_ = 0;
  std::vector<int> devices_ = usable_devices_cuda();
  mutable DevicesAtWork at_work_{devices_.size()};
  mutable std::mutex mutex_;
  mutable std::map<int, std::unique_ptr<ScorerOnDevice>> scorers_;
};

}  // namespace

std::unique_ptr<Scorer::Implementation> make_scorer_cuda(const DigitCode& code, std::span<const ScoreFunction> models,
                                                         Precision precision) {
  return std::make_unique<ScorerCuda>(code, models, precision);
}

}  // namespace oneproxy::detail
