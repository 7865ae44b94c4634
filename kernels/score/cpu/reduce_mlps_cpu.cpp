// A fleet of MLPs, reduced: a task is one device. Fast scores in the order of quality, until all limits are settled;
// then the few that may be answers once more in fp64.
#include <algorithm>
#include <memory>
#include <vector>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/cpu/fleet_exact.h"
#include "oneproxy/kernels/score/cpu/mlp_on_tiles.h"
#include "oneproxy/kernels/score/fleet_detail.h"
#include "oneproxy/kernels/score/mlp_error.h"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t kBlock = 192;  // scored before the limits are looked at again

}  // namespace

void reduce_fleet_cpu(const DigitCode& code, std::span<const Mlp> models, QualityPieces& pieces, FleetAnswers& answers,
                      Precision precision, Isa isa) {
  const auto lists = std::make_shared<const RowLists>(code);
  const auto n_models = static_cast<std::int64_t>(models.size());
  std::vector<double> margins(models.size());
  parallel_for(n_models,
               [&](std::int64_t m) { margins[m] = quick_mlp_error_bound(models[m], code, precision, Backend::cpu); });
  QualityOrder order;
  while (pieces.next(answers.least_quality(), order))
    parallel_for(n_models, [&](std::int64_t m) {
      FleetCandidates candidates(order, answers, m, margins[m]);
      if (candidates.end() == 0) return;
      const auto fast = make_mlp_on_tiles(models[m], lists, precision, isa);
      FleetExact exact(models[m], lists, isa);
      const auto score = [&](const std::uint32_t* digits, std::int64_t n, double* scores) {
        fast->score_digits(digits, n, scores);
      };
      look_through(order, candidates, kBlock, score, [&] { exact.settle(candidates, order, answers); });
    });
}

}  // namespace oneproxy::detail
