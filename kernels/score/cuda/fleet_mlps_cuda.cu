// A fleet of MLPs, reduced on the current device: the host sorts a piece of the run by quality, the fused kernel keeps
// what may be an answer, and the host scores that again in fp64.
#include <algorithm>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/cuda/fleet_on_device.cuh"
#include "oneproxy/kernels/score/cuda/fleet_questions.h"
#include "oneproxy/kernels/score/cuda/less_memory.h"
#include "oneproxy/kernels/score/fleet_detail.h"
#include "oneproxy/kernels/score/mlp_error.h"
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy::detail {
namespace {

constexpr std::uint64_t kPiece = std::uint64_t{1} << 14;      // whose rows fit a block's shared memory
constexpr std::uint64_t kLongPiece = std::uint64_t{1} << 20;  // of models one after another
constexpr std::int64_t kListBlock = std::int64_t{1} << 14;
constexpr std::int64_t kMaxBytes = std::int64_t{256} << 20;    // of parameters at a time
constexpr std::int64_t kMaxSurvivors = std::int64_t{1} << 23;  // 96 MiB

struct Fleet {
  const DigitCode& code;
  std::span<const Mlp> models;
  Precision precision;
  std::vector<double> margins;
  std::shared_ptr<const RowLists> lists;
  Isa isa;
};

class MlpsOnDevice {
 public:
  explicit MlpsOnDevice(const Fleet& fleet) : fleet_(fleet), device_(DeviceGuard().number()) {}
  const DeviceLimits& limits() const { return device_.limits; }

  // An order of a range, and the range's plan.
  void reduce(const QualityOrder& order, const IndexRange& range, const FleetPlan& plan, FleetAnswers& answers) {
    const std::vector<std::uint32_t> places = places_in(order, range), groups = order.group_ends();
    if (batch_ == 0)
      batch_ = std::clamp<std::int64_t>(kMaxBytes / (4 * static_cast<std::int64_t>(plan.stride)), 1, n_models());
    for (std::int64_t first = 0; first < n_models();) {
      try {
        with_less_memory<OutOfDeviceMemory>(
            batch_, 1, [this] { release(); },
            [&](std::int64_t most) {
              const std::int64_t n = std::min(most, n_models() - first);
              if (!reduce_models(order, plan, places, groups, first, n, answers)) return;  // a smaller batch
              first += n;
            });
      } catch (const OutOfDeviceMemory& failure) {
        throw Error("reduce_fleet: no device memory for " + std::to_string(batch_) + " MLPs of " +
                    std::to_string(plan.stride) + " numbers; free device memory or use backend = \"cpu\" (" +
                    failure.what() + ")");
      }
    }
  }

 private:
  std::int64_t n_models() const { return static_cast<std::int64_t>(fleet_.models.size()); }
  void release() {
    device_.wait();
    on_device_.reset();
  }

  // False where more survived than there is room for: the batch is then half as large.
  bool reduce_models(const QualityOrder& order, const FleetPlan& plan, const std::vector<std::uint32_t>& places,
                     const std::vector<std::uint32_t>& groups, std::int64_t first, std::int64_t n,
                     FleetAnswers& answers) {
    const MlpQuestions questions(order, answers, fleet_.margins, first, n);
    if (!questions.any()) return true;
    if (!on_device_) on_device_ = std::make_unique<FleetOnDevice>(device_, fleet_.code, fleet_.models, batch_);
    on_device_->set_plan(plan);
    const auto on_places = upload(places), on_groups = upload(groups), ends = upload(questions.ends);
    const auto bars = upload(questions.bars), sures = upload(questions.sures);
    const std::int64_t capacity = std::min(kMaxSurvivors, n * order.size());
    DeviceBuffer<FleetSurvivor> survivors(capacity);
    DeviceBuffer<unsigned long long> survived(1);
    ONEPROXY_CUDA_CHECK(cudaMemsetAsync(survived.data(), 0, survived.bytes(), device_.stream));
    NarrowArgs args = on_device_->load(first, n, static_cast<std::uint64_t>(order.size()));
    args.best = {on_places.data(),   on_groups.data(),
                 bars.data(),        sures.data(),
                 ends.data(),        static_cast<int>(answers.n_limits()),
                 plan.limits_offset, survivors.data(),
                 survived.data(),    static_cast<std::uint64_t>(capacity)};
    on_device_->launch(args, n);
    unsigned long long count = 0;
    copy_async(&count, survived.data(), 1, cudaMemcpyDeviceToHost, device_.stream);
    device_.wait();
    if (count > static_cast<unsigned long long>(capacity)) {  // never for one model, whose places all fit
      batch_ = std::max<std::int64_t>(1, n / 2);
      release();
      return false;
    }
    std::vector<FleetSurvivor> found(count);
    copy_async(found.data(), survivors.data(), found.size(), cudaMemcpyDeviceToHost, device_.stream);
    device_.wait();
    settle(order, found, first, n, answers);
    return true;
  }

  void settle(const QualityOrder& order, const std::vector<FleetSurvivor>& found, std::int64_t first, std::int64_t n,
              FleetAnswers& answers) {
    std::vector<std::vector<FleetSurvivor>> of_model(static_cast<std::size_t>(n));
    for (const auto& survivor : found) of_model[survivor.model].push_back(survivor);
    parallel_for(n, [&](std::int64_t m) {
      const std::int64_t model = first + m;
      FleetCandidates candidates(order, answers, model, fleet_.margins[model]);
      FleetExact exact(fleet_.models[model], fleet_.lists, fleet_.isa);
      offer_survivors(order, of_model[m], candidates, exact, answers);
    });
  }

  const Fleet& fleet_;
  const Device device_;
  std::int64_t batch_ = 0;  // models at a time; 0: not known yet
  std::unique_ptr<FleetOnDevice> on_device_;
};

// Shapes without a kernel of their own, shuffled runs, fp32 and fp64: one model after another.
void reduce_one_by_one(const Fleet& fleet, const QualityOrder& order, FleetAnswers& answers) {
  for (std::size_t m = 0; m < fleet.models.size(); ++m) {
    FleetCandidates candidates(order, answers, static_cast<std::int64_t>(m), fleet.margins[m]);
    if (candidates.end() == 0) continue;
    const ScoreFunction model = fleet.models[m];
    const Scorer fast(fleet.code, std::span(&model, 1), Backend::cuda, fleet.precision);
    FleetExact exact(fleet.models[m], fleet.lists, fleet.isa);
    const auto n_digits = static_cast<std::size_t>(fleet.code.n_digits());
    const auto score = [&](const std::uint32_t* digits, std::int64_t n, double* scores) {
      const auto count = static_cast<std::size_t>(n);
      fast.score_list(std::span(digits, count * n_digits), std::span(scores, count));
    };
    look_through(order, candidates, 0, order.size(), kListBlock, score,
                 [&] { exact.settle(candidates, order, answers); });
  }
}

}  // namespace

void reduce_fleet_cuda(const DigitCode& code, std::span<const Mlp> models, QualityPieces& pieces, FleetAnswers& answers,
                       Precision precision) {
  Fleet fleet{
      code,        models, precision, std::vector<double>(models.size()), std::make_shared<const RowLists>(code),
      chosen_isa()};
  parallel_for(static_cast<std::int64_t>(models.size()), [&](std::int64_t m) {
    fleet.margins[m] = quick_mlp_error_bound(models[m], code, precision, Backend::cuda);
  });
  MlpsOnDevice on_device(fleet);
  const IndexRange& run = pieces.run();
  FleetPlan plan;
  const auto fits = [&](const IndexRange& range) {
    return plan_fleet_best(models[0], code, range, precision, answers.n_limits(), on_device.limits(), plan);
  };
  // Where in its first digits a piece begins may decide whether its rows fit.
  const bool fused = fits({run.begin, std::min(run.count, kPiece), run.shuffled, run.seed});
  const std::uint64_t piece = fused ? kPiece : kLongPiece;
  pieces.set_piece(piece);
  QualityOrder order;
  for (std::uint64_t done = 0; pieces.next(answers.least_quality(), order); done += piece) {
    if (order.size() == 0) continue;
    const IndexRange range{run.begin + done, std::min(piece, run.count - done), run.shuffled, run.seed};
    if (fused && fits(range))
      on_device.reduce(order, range, plan, answers);
    else
      reduce_one_by_one(fleet, order, answers);
  }
}

}  // namespace oneproxy::detail
