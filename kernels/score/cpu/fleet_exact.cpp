#include "oneproxy/kernels/score/cpu/fleet_exact.h"

#include "oneproxy/kernels/score/cpu/mlp_on_tiles.h"

namespace oneproxy::detail {

FleetExact::FleetExact(const Mlp& model, std::shared_ptr<const RowLists> lists, Isa isa)
    : model_(model), lists_(std::move(lists)), isa_(isa) {}
FleetExact::~FleetExact() = default;

void FleetExact::score(const std::uint32_t* digits, std::int64_t n, double* scores) {
  if (!tiles_) tiles_ = make_mlp_on_tiles(model_, lists_, Precision::fp64, isa_);
  tiles_->score_digits(digits, n, scores);
}

void FleetExact::settle(FleetCandidates& candidates, const QualityOrder& order, FleetAnswers& answers) {
  const auto& kept = candidates.kept();
  if (kept.empty()) return;
  const auto width = static_cast<std::ptrdiff_t>(lists_->radices.size());
  std::vector<std::uint32_t> digits;
  for (const std::int64_t i : kept) {
    const auto own = order.digits.begin() + i * width;
    digits.insert(digits.end(), own, own + width);
  }
  std::vector<double> latencies(kept.size());
  score(digits.data(), static_cast<std::int64_t>(kept.size()), latencies.data());
  candidates.settle(latencies, answers);
}

}  // namespace oneproxy::detail
