#include "experiments/kinds/front_loop/judge.h"

#include <algorithm>

#include "oneproxy/kernels/front/pareto.h"

namespace oneproxy::front_loop {
namespace {

// Of the first n; their rows are places in the trace.
Front front_of(const Trace& trace, std::int64_t n) {
  std::vector<double> latency, quality;
  for (std::int64_t i = 0; i < n; ++i) {
    latency.push_back(trace[i].latency_ms);
    quality.push_back(trace[i].quality);
  }
  return exact_front(latency, quality, Backend::cpu);
}

// Share of the true front's hypervolume in the box from `floor` up to its slowest network.
double share(const Front& found, const Front& truth, double floor) {
  const ReferencePoint corner{truth.back().latency_ms, floor};
  return hypervolume(found, corner) / hypervolume(truth, corner);
}

Front by_fit(Front front, const Trace& trace) {
  for (auto& point : front) point.latency_ms = trace[point.row].fitted_ms;
  return front;
}

}  // namespace

Curve judge(const Truth& truth, const Trace& trace, std::span<const double> limits, std::int64_t longest) {
  Curve curve;
  for (std::int64_t n = 1; n <= longest; ++n) {
    const Front front = front_of(trace, std::min(n, std::ssize(trace)));
    const Front fitted = by_fit(front, trace);
    double regret_sum = 0, answers = 0, broken = 0, broken_by_fit = 0;
    for (const double limit : limits) {
      regret_sum += regret(front, truth.front(), limit, truth.smallest_quality()).points;
      const FrontPoint* answer = best_within(front, limit);
      if (!answer) continue;
      ++answers;
      broken += trace[answer->row].latency_ms > limit;
      broken_by_fit += trace[answer->row].fitted_ms > limit;
    }
    // Of a whole space the fit is the only truth there is.
    curve.hypervolume.push_back(share(truth.judged_by_fit() ? fitted : front, truth.front(), truth.median_quality()));
    curve.hypervolume_by_fit.push_back(share(fitted, truth.fitted_front(), truth.median_quality()));
    curve.regret.push_back(regret_sum / static_cast<double>(limits.size()));
    curve.broken.push_back(answers > 0 ? broken / answers : kNan);
    curve.broken_by_fit.push_back(answers > 0 ? broken_by_fit / answers : kNan);
  }
  return curve;
}

double remaining_gap(const Truth& truth, const Trace& trace) {
  Front front = front_of(trace, std::ssize(trace));
  if (truth.judged_by_fit()) front = by_fit(std::move(front), trace);
  return 1 - share(front, truth.front(), truth.floor_quality());
}

std::vector<double> regrets_at(const Truth& truth, const Trace& trace, std::int64_t n, std::span<const double> limits) {
  const Front front = front_of(trace, std::min(n, std::ssize(trace)));
  std::vector<double> regrets;
  for (const double limit : limits)
    regrets.push_back(regret(front, truth.front(), limit, truth.smallest_quality()).points);
  return regrets;
}

Unchecked judge_unchecked(const Truth& truth, const std::vector<Proposal>& front, std::span<const double> limits) {
  double answers = 0, broken = 0, broken_by_fit = 0, lost = 0;
  for (const double limit : limits) {
    const auto beyond =
        std::find_if(front.begin(), front.end(), [&](const Proposal& one) { return one.predicted_ms > limit; });
    const FrontPoint* best = best_within(truth.front(), limit);
    const double reachable = best ? best->quality : truth.smallest_quality();
    if (beyond == front.begin()) {
      lost += reachable - truth.smallest_quality();
      continue;
    }
    const Measured answer = truth.measure(std::prev(beyond)->choices);
    ++answers;
    broken += answer.latency_ms > limit;
    broken_by_fit += answer.fitted_ms > limit;
    lost += std::max(0.0, reachable - answer.quality);
  }
  if (answers == 0) return {kNan, kNan, lost / static_cast<double>(limits.size())};
  return {broken / answers, broken_by_fit / answers, lost / static_cast<double>(limits.size())};
}

}  // namespace oneproxy::front_loop
