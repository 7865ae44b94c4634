#include "oneproxy/engine/search/joint_exchange.h"

#include <algorithm>
#include <limits>

#include "oneproxy/engine/base/interrupt.h"

namespace oneproxy {
namespace {

constexpr int kMostChanged = 4;    // digits at once
constexpr std::size_t kBins = 64;  // of latency, so that cheap and dear parts of an exchange both survive
constexpr std::size_t kSinglesPerBin = 4;
constexpr std::size_t kStatesPerBin = 40;

// Some exchanges of the first digits: what they add, and which.
struct State {
  double latency = 0, gain = 0;
  std::vector<std::pair<int, std::uint32_t>> changes;  // digit, value
};

// The `most` of largest gain in each bin of latency.
template <class T>
std::vector<T> best_by_latency(std::vector<T> all, std::size_t most) {
  if (all.size() <= most) return all;
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
    if (held[bin(t)]++ < most) kept.push_back(std::move(t));
  return kept;
}

}  // namespace

JointExchange::JointExchange(const DigitCode& code, const AdditiveTable<double>& latency, const Scorer& quality,
                             std::function<void(const Digits&, double, double)> scored)
    : code_(code), latency_(latency), quality_(quality), scored_(std::move(scored)) {}

double JointExchange::latency_of(const Digits& digits) const {
  return score_by_definition(latency_, code_, digits.data());
}

std::vector<double> JointExchange::score(const std::vector<Digits>& list, double limit) {
  std::vector<std::uint32_t> flat;
  for (const auto& digits : list) flat.insert(flat.end(), digits.begin(), digits.end());
  std::vector<double> scores(list.size());
  quality_.score_list(flat, scores);
  n_scored_ += static_cast<std::int64_t>(list.size());
  for (std::size_t i = 0; i < list.size(); ++i)
    if (const double latency = latency_of(list[i]); latency <= limit) scored_(list[i], latency, scores[i]);
  return scores;
}

// All exchanges of one digit; the best within the limit replaces `best` where it is better.
std::vector<std::vector<JointExchange::Single>> JointExchange::singles(const Digits& start, double limit, Digits& best,
                                                                       double& best_quality) {
  std::vector<Digits> list;
  for (int d = 0; d < code_.n_digits(); ++d)
    for (std::uint32_t v = 0; v < code_.radices[d]; ++v) {
      list.push_back(start);
      list.back()[d] = v;
    }
  const auto scores = score(list, limit);
  const double latency = latency_of(start), quality = scores[start[0]];
  best = start;
  best_quality = quality;
  std::vector<std::vector<Single>> singles(code_.n_digits());
  std::size_t i = 0;
  for (int d = 0; d < code_.n_digits(); ++d)
    for (std::uint32_t v = 0; v < code_.radices[d]; ++v, ++i) {
      const double own = latency_of(list[i]);
      if (own <= limit && scores[i] > best_quality) best = list[i], best_quality = scores[i];
      // A digit that selects the table changes what all others cost: such exchanges do not add up.
      if (v != start[d] && (d > 0 || latency_.bias.size() == 1))
        singles[d].push_back({v, own - latency, scores[i] - quality});
    }
  return singles;
}

std::vector<JointExchange::Digits> JointExchange::promising(const Digits& start,
                                                            const std::vector<std::vector<Single>>& singles,
                                                            double room) const {
  // What the digits that are still to come can save at most.
  std::vector<double> savings(singles.size() + 1, 0.0);
  for (std::size_t d = singles.size(); d-- > 0;) {
    double most = 0;
    for (const auto& single : singles[d]) most = std::min(most, single.latency);
    savings[d] = savings[d + 1] + most;
  }
  std::vector<std::vector<State>> states(kMostChanged + 1);
  states[0].push_back({});
  for (std::size_t d = 0; d < singles.size(); ++d) {
    const auto own = best_by_latency(singles[d], kSinglesPerBin);
    for (int changed = kMostChanged; changed > 0; --changed) {
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
  for (int changed = 2; changed <= kMostChanged; ++changed)
    for (const auto& state : states[changed]) {
      if (state.latency > room) continue;
      Digits digits = start;
      for (const auto& [d, value] : state.changes) digits[d] = value;
      list.push_back(std::move(digits));
    }
  return list;
}

JointExchange::Digits JointExchange::improve(Digits start, double limit, const std::function<bool()>& go_on) {
  for (bool better = true; better && go_on();) {
    check_interrupt();
    Digits best;
    double best_quality;
    const auto exchanges = singles(start, limit, best, best_quality);
    const auto list = promising(start, exchanges, limit - latency_of(start));
    const auto scores = score(list, limit);
    for (std::size_t i = 0; i < list.size(); ++i)
      if (scores[i] > best_quality && latency_of(list[i]) <= limit) best = list[i], best_quality = scores[i];
    better = best != start;
    start = std::move(best);
  }
  return start;
}

}  // namespace oneproxy
