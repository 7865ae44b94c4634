// A fleet of MLPs, reduced: a task is one device. Places in the order of quality, until all limits are settled: the
// first ones in fp64, which may be all; the others fast, and then the few of them that may be answers once more in
// fp64.
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/cpu/fleet_exact.h"
#include "oneproxy/kernels/score/cpu/mlp_on_tiles.h"
#include "oneproxy/kernels/score/fleet_detail.h"
#include "oneproxy/kernels/score/mlp_error.h"

namespace oneproxy::detail {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kExactFirst = 96;  // scored for what the error's bound and a second packing would cost
constexpr std::int64_t kBlock = 192;      // scored before the limits are looked at again

}  // namespace

void reduce_fleet_cpu(const DigitCode& code, std::span<const Mlp> models, QualityPieces& pieces, FleetAnswers& answers,
                      Precision precision, Isa isa) {
  const auto lists = std::make_shared<const RowLists>(code);
  const auto n_models = static_cast<std::int64_t>(models.size());
  std::vector<double> margins(models.size(), kUnknown);
  QualityOrder order;
  while (pieces.next(answers.least_quality(), order))
    parallel_for(n_models, [&](std::int64_t m) {
      FleetExact exact(models[m], lists, isa);
      {
        FleetCandidates candidates(order, answers, m, 0);
        if (candidates.end() == 0) return;
        const auto score = [&](const std::uint32_t* digits, std::int64_t n, double* scores) {
          exact.score(digits, n, scores);
        };
        const std::int64_t last = precision == Precision::fp64 ? order.size() : kExactFirst;
        look_through(order, candidates, 0, last, kExactFirst, score, [&] { exact.settle(candidates, order, answers); });
        if (candidates.end() <= last) return;
      }
      if (std::isnan(margins[m])) margins[m] = quick_mlp_error_bound(models[m], code, precision, Backend::cpu);
      FleetCandidates candidates(order, answers, m, margins[m]);
      const auto fast = make_mlp_on_tiles(models[m], lists, precision, isa);
      const auto score = [&](const std::uint32_t* digits, std::int64_t n, double* scores) {
        fast->score_digits(digits, n, scores);
      };
      look_through(order, candidates, kExactFirst, order.size(), kBlock, score,
                   [&] { exact.settle(candidates, order, answers); });
    });
}

}  // namespace oneproxy::detail
