// A fleet of MLPs, reduced: a task is one device. Fast scores in the order of quality, until all limits are settled;
// then the few that may be answers once more in fp64.
#include <algorithm>
#include <memory>
#include <vector>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/cpu/mlp_on_tiles.h"
#include "oneproxy/kernels/score/fleet_candidates.h"
#include "oneproxy/kernels/score/fleet_detail.h"
#include "oneproxy/kernels/score/mlp_error.h"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t kBlock = 192;     // scored before the limits are looked at again
constexpr std::size_t kMostKept = 4096;  // candidates, before they are settled

class DeviceReduction {
 public:
  DeviceReduction(const Mlp& model, std::shared_ptr<const RowLists> lists, Isa isa, const QualityOrder& order,
                  FleetAnswers& answers)
      : model_(model), lists_(std::move(lists)), isa_(isa), order_(order), answers_(answers) {}

  void run(FleetCandidates& candidates, Precision precision) {
    const auto fast = make_mlp_on_tiles(model_, lists_, precision, isa_);
    const auto width = static_cast<std::int64_t>(lists_->radices.size());
    std::vector<double> scores(kBlock);
    for (std::int64_t first = 0; first < candidates.end(); first += kBlock) {
      const std::int64_t n = std::min(kBlock, candidates.end() - first);
      fast->score_digits(order_.digits.data() + first * width, n, scores.data());
      candidates.look_at(first, std::span(scores).first(static_cast<std::size_t>(n)));
      if (candidates.kept().size() >= kMostKept) settle(candidates);
    }
    if (!candidates.kept().empty()) settle(candidates);
  }

 private:
  void settle(FleetCandidates& candidates) {
    if (!exact_) exact_ = make_mlp_on_tiles(model_, lists_, Precision::fp64, isa_);
    const auto& kept = candidates.kept();
    const auto width = static_cast<std::ptrdiff_t>(lists_->radices.size());
    std::vector<std::uint32_t> digits;
    for (const std::int64_t i : kept) {
      const auto own = order_.digits.begin() + i * width;
      digits.insert(digits.end(), own, own + width);
    }
    std::vector<double> latencies(kept.size());
    exact_->score_digits(digits.data(), static_cast<std::int64_t>(kept.size()), latencies.data());
    candidates.settle(latencies, answers_);
  }

  const Mlp& model_;
  std::shared_ptr<const RowLists> lists_;
  Isa isa_;
  const QualityOrder& order_;
  FleetAnswers& answers_;
  std::unique_ptr<MlpOnTiles> exact_;
};

}  // namespace

void reduce_fleet_cpu(const DigitCode& code, std::span<const Mlp> models, QualityPieces& pieces, FleetAnswers& answers,
                      Precision precision, Isa isa) {
  const auto lists = std::make_shared<const RowLists>(code);
  const auto n_models = static_cast<std::int64_t>(models.size());
  std::vector<double> margins(models.size());
  parallel_for(n_models,
               [&](std::int64_t m) { margins[m] = mlp_error_bound(models[m], code, precision, Backend::cpu); });
  QualityOrder order;
  while (pieces.next(answers.least_quality(), order))
    parallel_for(n_models, [&](std::int64_t m) {
      FleetCandidates candidates(order, answers, m, margins[m]);
      if (candidates.end() > 0) DeviceReduction(models[m], lists, isa, order, answers).run(candidates, precision);
    });
}

}  // namespace oneproxy::detail
