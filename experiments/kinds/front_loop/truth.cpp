#include "experiments/kinds/front_loop/truth.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "oneproxy/engine/adapt/sources.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/predictor/tabulation.h"
#include "oneproxy/engine/search/evaluator.h"
#include "oneproxy/engine/search/methods/exact.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::front_loop {
namespace {

std::string key_of(std::span<const std::uint8_t> choices) { return {choices.begin(), choices.end()}; }

// FNV-1a.
std::uint64_t hash_of(std::span<const std::uint8_t> choices) {
  std::uint64_t hash = 0xCBF29CE484222325ull;
  for (const auto choice : choices) hash = (hash ^ choice) * 0x100000001B3ull;
  return hash;
}

std::vector<Solution> exact_front_over(const SearchSpace& space, const Objective& goal, const Predictor& latency) {
  const SubSpace part = SubSpace::of(space);
  const SearchProblem problem{part, nullptr, {goal, predicted_objective(latency, part.space(), "latency", "ms")}};
  Evaluator evaluator(problem, SearchQuestion{});
  return ExactSearch().search(evaluator).front;
}

}  // namespace

TargetDevice::TargetDevice(const Task& task, const Target& target)
    : task_(task),
      target_(target),
      fit_(fit_source(*task.features, draw_source(task.loaded->data, target.latency, 0, task.settings.seed, 0))),
      fitted_ms_(fitted(task.archs->rows)),
      least_ms_(quantile(target.latency.values, 0)) {
  for (std::int64_t i = 0; i < task.archs->n(); ++i) {
    if (std::isnan(latency_ms()[i])) continue;
    rows_.emplace(key_of(task.archs->row(i)), i);
    residuals_.push_back(latency_ms()[i] / std::max(fitted_ms_[i], least_ms_));
  }
  median_residual_ = median_of(residuals_);
}

std::vector<double> TargetDevice::fitted(const ArchitectureFeatures::Rows& rows) const {
  auto latency = fit_.predict(rows);
  for (double& value : latency) value *= fit_.median_ms;
  return latency;
}

Predictor TargetDevice::fit() const {
  return Tabulation(task_.loaded->space, true)
      .predictor([&](std::span<const std::uint8_t> choices) { return fitted(task_.features->rows(choices)); }, "ms");
}

Measured TargetDevice::measure(std::span<const std::uint8_t> choices) const {
  Measured one;
  if (task_.settings.over == Over::rows) {
    const auto at = rows_.find(key_of(choices));
    if (at != rows_.end()) {
      one.latency_ms = latency_ms()[at->second];
      one.fitted_ms = fitted_ms_[at->second];
    }
    return one;
  }
  const Philox random = random_stream(task_.settings.seed, Draws::later_measurement, 0);
  one.fitted_ms = fitted(task_.features->rows(choices))[0];
  one.latency_ms = one.fitted_ms * residuals_[random.below(hash_of(choices), residuals_.size())];
  return one;
}

double TargetDevice::measure_anew(std::span<const std::uint8_t> choices, const Philox& random,
                                  std::uint64_t draw) const {
  const double residual = residuals_[random.below(draw, residuals_.size())] / median_residual_;
  return std::max(fitted(task_.features->rows(choices))[0], least_ms_) * residual;
}

Truth::Truth(const Task& task, const TargetDevice& device, const Target& target, const Objective& goal)
    : task_(task), device_(device), goal_(goal), row_quality_(task.archs->n()) {
  const auto& s = task.settings;
  goal.evaluate(task.archs->choices, row_quality_);
  std::vector<std::uint8_t> choices;
  for (std::int64_t i = 0; i < task.archs->n(); ++i) {
    if (std::isnan(target.latency.values[i])) row_quality_[i] = kNan;
    if (std::isnan(row_quality_[i])) continue;
    known_.push_back(i);
    const auto row = task.archs->row(i);
    choices.insert(choices.end(), row.begin(), row.end());
  }
  if (known_.empty())
    throw Error("task " + s.name + ": no network of target " + device.name() + " has the quality " + goal.name);
  std::vector<double> qualities;
  if (s.over == Over::rows) {
    candidates_ = listed_candidates(task.loaded->space, std::move(choices), goal, "the rows of set " + s.set);
    front_ = exact_front(device.latency_ms(), row_quality_, Backend::cpu);
    fitted_front_ = exact_front(device.fitted_ms(), row_quality_, Backend::cpu);
    qualities = row_quality_;
  } else {
    candidates_ = searched_candidates(SubSpace::of(task.loaded->space), goal, s.seed);
    for (const auto& one : exact_front_over(task.loaded->space, goal, device.fit()))
      fitted_front_.push_back({-1, one.values[1], one.values[0]});
    front_ = fitted_front_;
    qualities.resize(task.features->reference().n);
    goal.evaluate(task.features->reference_choices(), qualities);
  }
  median_ = quantile(qualities, 0.5);
  floor_ = quantile(qualities, s.floor);
  smallest_ = quantile(qualities, 0);
}

Measured Truth::measure(std::span<const std::uint8_t> choices) const {
  Measured one = device_.measure(choices);
  goal_.evaluate(choices, {&one.quality, 1});
  return one;
}

std::vector<std::uint8_t> Truth::random(std::int64_t n, int trial) const {
  const Philox random = random_stream(task_.settings.seed, Draws::random_search, static_cast<std::uint32_t>(trial));
  std::vector<std::uint8_t> choices;
  if (task_.settings.over == Over::rows) {
    const auto order = random_permutation(std::ssize(known_), random);
    for (std::int64_t i = 0; i < n && i < std::ssize(order); ++i) {
      const auto row = task_.archs->row(known_[order[i]]);
      choices.insert(choices.end(), row.begin(), row.end());
    }
    return choices;
  }
  const SubSpace part = SubSpace::of(task_.loaded->space);
  std::set<std::vector<std::uint8_t>> seen;
  for (std::uint64_t draw = 0; std::ssize(seen) < n;) {
    std::vector<std::uint32_t> digits;
    for (const auto radix : part.radices()) digits.push_back(static_cast<std::uint32_t>(random.below(draw++, radix)));
    auto one = part.choices(digits);
    if (seen.insert(one).second) choices.insert(choices.end(), one.begin(), one.end());
  }
  return choices;
}

std::vector<Proposal> Truth::front_under(const Predictor& latency) const {
  std::vector<Proposal> front;
  if (task_.settings.over == Over::space) {
    for (auto& one : exact_front_over(task_.loaded->space, goal_, latency))
      front.push_back({std::move(one.choices), one.values[1], one.values[0]});
    return front;
  }
  std::vector<double> predicted(task_.archs->n());
  predict(latency, task_.archs->choices, predicted);
  for (const auto& one : exact_front(predicted, row_quality_, Backend::cpu)) {
    const auto row = task_.archs->row(one.row);
    front.push_back({{row.begin(), row.end()}, one.latency_ms, one.quality});
  }
  return front;
}

std::vector<std::size_t> greedy_order(const std::vector<Proposal>& front, double floor, std::size_t n) {
  std::vector<std::size_t> order;
  std::set<std::size_t> chosen;  // of a front: ascending in latency and in quality
  while (order.size() < std::min(n, front.size())) {
    double most = -1;
    std::size_t best = 0;
    auto next = chosen.begin();
    for (std::size_t i = 0; i < front.size(); ++i) {
      if (next != chosen.end() && *next == i) {
        ++next;
        continue;
      }
      const double below = next == chosen.begin() ? floor : std::max(floor, front[*std::prev(next)].quality);
      const double beyond = next == chosen.end() ? front.back().predicted_ms : front[*next].predicted_ms;
      const double gain = std::max(0.0, front[i].quality - below) * (beyond - front[i].predicted_ms);
      if (gain < most) continue;  // of equal ones the last, whose quality is largest
      most = gain;
      best = i;
    }
    chosen.insert(best);
    order.push_back(best);
  }
  return order;
}

}  // namespace oneproxy::front_loop
