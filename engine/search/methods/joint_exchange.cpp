#include "oneproxy/engine/search/methods/joint_exchange.h"

#include <algorithm>
#include <limits>

#include "oneproxy/engine/base/interrupt.h"

namespace oneproxy {
namespace {

constexpr int kMaxChanged = 4;     // digits at once
constexpr std::size_t kBins = 64;  // of latency, so that cheap and dear parts of an exchange both survive
constexpr std::size_t kSinglesPerBin = 4;
constexpr std::size_t kStatesPerBin = 40;

// Some exchanges of the first digits: what they add, and which.
struct State {
  double latency = 0, gain = 0;
  std::vector<std::pair<int, std::uint32_t>> changes;  // digit, value
};

// The `max_per_bin` of largest gain in each bin of latency.
template <class T>
std::vector<T> best_by_latency(std::vector<T> all, std::size_t max_per_bin) {
  if (all.size() <= max_per_bin) return all;
  const auto [low, high] =
      std::minmax_element(all.begin(), all.end(), [](const T& a, const T& b) { return a.latency < b.latency; });
  const double from = low->latency, scale = kBins / std::max(1e-300, high->latency - from);
  const auto bin = [&](const T& t) {
    return std::min(kBins - 1, static_cast<std::size_t>((t.latency - from) * scale));
  };
  std::stable_sort(all.begin(), all.end(), [](const T& a, const T& b) { return a.gain > b.gain; });
  std::vector<std::size_t> held(kBins, 0);
  std::vector<T> kept;
  for (auto& t : all)
    if (held[bin(t)]++ < max_per_bin) kept.push_back(std::move(t));
  return kept;
}

}  // namespace

JointExchange::JointExchange(Evaluator& evaluator, std::size_t limits)
    : evaluator_(evaluator),
      code_(evaluator.kernels().code()),
      digit_0_selects_(std::get<AdditiveTable<double>>(evaluator.kernels().model(1)).bias.size() > 1) {
  for (std::size_t i = 1; i < evaluator.problem().objectives.size(); ++i)
    score_limits_.push_back(evaluator.kernels().score_limit(evaluator.limits()[limits], i));
}

// What is beyond a limit is scored as well, for what an exchange gains is of use beyond it too.
JointExchange::Scored JointExchange::score(const std::vector<Digits>& list) {
  std::vector<std::uint32_t> flat;
  std::vector<std::vector<double>> costs(score_limits_.size());
  for (const auto& digits : list) {
    flat.insert(flat.end(), digits.begin(), digits.end());
    for (std::size_t i = 0; i < costs.size(); ++i) costs[i].push_back(evaluator_.cost_score(i + 1, digits));
  }
  auto quality = evaluator_.goal_scores(flat, costs);
  return {std::move(costs), std::move(quality)};
}

bool JointExchange::within(const Scored& scored, std::size_t i) const {
  for (std::size_t c = 0; c < score_limits_.size(); ++c)
    if (!(scored.costs[c][i] <= score_limits_[c])) return false;
  return true;
}

// All exchanges of one digit; the best within the limits replaces `best` where it is better.
std::vector<std::vector<JointExchange::Single>> JointExchange::singles(const Digits& start, Digits& best,
                                                                       double& best_quality) {
  std::vector<Digits> list;
  for (int d = 0; d < code_.n_digits(); ++d)
    for (std::uint32_t v = 0; v < code_.radices[d]; ++v) {
      list.push_back(start);
      list.back()[d] = v;
    }
  const Scored scored = score(list);
  const double latency = latency_of(start), quality = scored.quality[start[0]];
  best = start;
  best_quality = quality;
  std::vector<std::vector<Single>> singles(code_.n_digits());
  std::size_t i = 0;
  for (int d = 0; d < code_.n_digits(); ++d)
    for (std::uint32_t v = 0; v < code_.radices[d]; ++v, ++i) {
      if (scored.quality[i] > best_quality && within(scored, i)) best = list[i], best_quality = scored.quality[i];
      if (v != start[d] && (d > 0 || !digit_0_selects_))
        singles[d].push_back({v, scored.costs[0][i] - latency, scored.quality[i] - quality});
    }
  return singles;
}

std::vector<JointExchange::Digits> JointExchange::promising(const Digits& start,
                                                            const std::vector<std::vector<Single>>& singles,
                                                            double room) const {
  // What the digits that are still to come can save at most.
  std::vector<double> savings(singles.size() + 1, 0.0);
  for (std::size_t d = singles.size(); d-- > 0;) {
    double saving = 0;
    for (const auto& single : singles[d]) saving = std::min(saving, single.latency);
    savings[d] = savings[d + 1] + saving;
  }
  std::vector<std::vector<State>> states(kMaxChanged + 1);
  states[0].push_back({});
  for (std::size_t d = 0; d < singles.size(); ++d) {
    const auto own = best_by_latency(singles[d], kSinglesPerBin);
    for (int changed = kMaxChanged; changed > 0; --changed) {
      auto& longer = states[changed];
      for (const auto& state : states[changed - 1])
        for (const auto& single : own) {
          if (state.latency + single.latency + savings[d + 1] > room) continue;
          longer.push_back({state.latency + single.latency, state.gain + single.gain, state.changes});
          longer.back().changes.emplace_back(static_cast<int>(d), single.value);
        }
      longer = best_by_latency(std::move(longer), kStatesPerBin);
    }
  }
  std::vector<Digits> list;
  for (int changed = 2; changed <= kMaxChanged; ++changed)
    for (const auto& state : states[changed]) {
      if (state.latency > room) continue;
      Digits digits = start;
      for (const auto& [d, value] : state.changes) digits[d] = value;
      list.push_back(std::move(digits));
    }
  return list;
}

JointExchange::Digits JointExchange::improve(Digits start, const std::function<bool()>& go_on) {
  for (bool better = true; better && go_on();) {
    check_interrupt();
    Digits best;
    double best_quality;
    const auto exchanges = singles(start, best, best_quality);
    auto list = promising(start, exchanges, score_limits_[0] - latency_of(start));
    list.resize(std::min<std::size_t>(list.size(), evaluator_.evaluations_left(1)));
    const Scored scored = score(list);
    for (std::size_t i = 0; i < list.size(); ++i)
      if (scored.quality[i] > best_quality && within(scored, i)) best = list[i], best_quality = scored.quality[i];
    better = best != start;
    start = std::move(best);
  }
  return start;
}

}  // namespace oneproxy
