#include "oneproxy/engine/adapt/adaproxy/rounds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

// Hands out measured samples in the order of the candidates, within the budget.
class Meter {
 public:
  Meter(std::size_t decisions, std::size_t budget, std::span<const std::int64_t> candidates,
        const std::function<std::span<const std::uint8_t>(std::int64_t)>& choices_of,
        const std::function<std::vector<double>(std::span<const std::int64_t>)>& measure)
      : decisions_(decisions),
        candidates_(candidates.first(std::min(budget, candidates.size()))),
        choices_of_(choices_of),
        measure_(measure) {}

  std::size_t left() const { return candidates_.size() - used_; }
  std::span<const std::int64_t> measured() const { return candidates_.first(used_); }

  // `count` samples, or fewer where the candidates or the budget end. Failed ones are replaced.
  Samples take(std::size_t count) {
    Samples taken;
    while (taken.values.size() < count && left() > 0) {
      const auto rows = candidates_.subspan(used_, std::min(count - taken.values.size(), left()));
      used_ += rows.size();
      const std::vector<double> latency_ms = measure_(rows);
      if (latency_ms.size() != rows.size()) {
        throw Error("measuring " + std::to_string(rows.size()) + " architectures returned " +
                    std::to_string(latency_ms.size()) + " latencies; return one each, NaN for a failed one");
      }
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (std::isnan(latency_ms[i])) continue;
        if (std::isinf(latency_ms[i])) {
          throw Error("infinite latency measured for row " + std::to_string(rows[i]) +
                      "; return NaN for a failed measurement");
        }
        const auto choices = choices_of_(rows[i]);
        if (choices.size() != decisions_) {
          throw Error("row " + std::to_string(rows[i]) + " has " + std::to_string(choices.size()) +
                      " choices where the proxy's space has " + std::to_string(decisions_) +
                      " decisions; take candidates from that space");
        }
        taken.add(choices, latency_ms[i]);
      }
    }
    return taken;
  }

 private:
  std::size_t decisions_;
  std::span<const std::int64_t> candidates_;
  const std::function<std::span<const std::uint8_t>(std::int64_t)>& choices_of_;
  const std::function<std::vector<double>(std::span<const std::int64_t>)>& measure_;
  std::size_t used_ = 0;
};

void check_plan(const RoundsPlan& plan, std::size_t candidates) {
  if (plan.training_samples < 3 || plan.validation_samples < 2 || plan.check_samples < kMinCheckSamples) {
    throw Error("a plan of " + std::to_string(plan.training_samples) + " training, " +
                std::to_string(plan.validation_samples) + " validation and " + std::to_string(plan.check_samples) +
                " check samples is too small; use at least 3, 2 and " + std::to_string(kMinCheckSamples));
  }
  if (!std::isfinite(plan.threshold)) {
    throw Error("the SRCC threshold " + std::to_string(plan.threshold) + " is not a number; use for example 0.9");
  }
  const std::int64_t first_round = std::int64_t{plan.training_samples} + plan.validation_samples + plan.check_samples;
  if (plan.max_samples < first_round) {
    throw Error("max_samples " + std::to_string(plan.max_samples) + " is below the " + std::to_string(first_round) +
                " samples of the first round; raise it or lower the samples a round");
  }
  if (static_cast<std::int64_t>(candidates) < first_round) {
    throw Error(std::to_string(candidates) + " candidates are fewer than the " + std::to_string(first_round) +
                " samples of the first round; give more candidates or lower the samples a round");
  }
}

}  // namespace

RoundsResult adapt_in_rounds(const AdditivePredictor& proxy, double proxy_deviation, Norm norm, const RoundsPlan& plan,
                             std::span<const std::int64_t> candidates,
                             const std::function<std::span<const std::uint8_t>(std::int64_t)>& choices_of,
                             const std::function<std::vector<double>(std::span<const std::int64_t>)>& measure) {
  check_plan(plan, candidates.size());
  Meter meter(proxy.radices.size(), static_cast<std::size_t>(plan.max_samples), candidates, choices_of, measure);

  TrainingSamples training;
  training.add(meter.take(static_cast<std::size_t>(plan.training_samples)));
  ValidationSamples validation;
  validation.add(meter.take(static_cast<std::size_t>(plan.validation_samples)));
  if (training.n() + validation.n() < plan.training_samples + plan.validation_samples) {
    throw Error("only " + std::to_string(training.n() + validation.n()) + " of " +
                std::to_string(meter.measured().size()) +
                " measurements succeeded; mend the device, raise max_samples or give more candidates");
  }

  RoundsResult result;
  while (true) {
    result.adapted = adapt_adaproxy(proxy, proxy_deviation, training, validation, norm);
    ++result.rounds;

    const Samples check = meter.take(static_cast<std::size_t>(plan.check_samples));
    result.check_srcc = std::numeric_limits<double>::quiet_NaN();
    if (check.n() >= kMinCheckSamples) {
      std::vector<double> predicted(check.values.size());
      result.adapted.predictor.predict(check.choices, predicted);
      result.check_srcc = spearman(predicted, check.values, Backend::cpu).value;
    }
    result.reached = result.check_srcc >= plan.threshold;  // false for NaN
    if (result.reached || meter.left() < static_cast<std::size_t>(kMinCheckSamples)) break;

    training.add(check);
  }
  result.measured.assign(meter.measured().begin(), meter.measured().end());
  return result;
}

}  // namespace oneproxy
