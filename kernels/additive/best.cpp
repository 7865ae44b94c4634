// One limit needs no front of the whole space: the best partner of a point of one half's front is the last point of the
// other half's front that still fits, and both are walked once.
#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/kernels/additive/chains.h"
#include "oneproxy/kernels/additive/front.h"
#include "oneproxy/kernels/additive/levels.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using namespace detail;

// The front of some digits, with the architectures of its points on request.
class Half {
 public:
  explicit Half(std::vector<Choices> choices) : choices_(std::move(choices)) {
    std::int64_t width = 0;
    for (const Choices& digit : choices_) {
      radices_.push_back(static_cast<std::uint32_t>(digit.size()));
      width += digit.size();
    }
    latency_.reserve(width);
    for (const Choices& digit : choices_)
      for (const AdditivePoint& sum : digit.sums) {
        latency_.push_back(sum.latency);
        quality_.push_back(sum.quality);
      }
    if (radices_.empty()) return;
    AdditiveProblem problem;
    problem.radices = radices_;
    problem.latency = {latency_, kNoBias};
    problem.quality = {quality_, kNoBias};
    front_ = additive_front(problem, {std::numeric_limits<std::int64_t>::max()});
    size_ = front_.size();
  }

  std::int64_t size() const { return size_; }
  AdditivePoint point(std::int64_t i) const { return radices_.empty() ? AdditivePoint{} : front_.point(i); }
  std::vector<std::uint32_t> values(std::int64_t i) const {
    std::vector<std::uint32_t> digits(radices_.size());
    if (!digits.empty()) front_.digits(i, digits);
    for (std::size_t d = 0; d < digits.size(); ++d) digits[d] = choices_[d].values[digits[d]];
    return digits;
  }

 private:
  static constexpr std::int64_t kNoBias[1] = {0};
  std::vector<Choices> choices_;
  std::vector<std::uint32_t> radices_;
  std::vector<std::int64_t> latency_, quality_;
  AdditiveFront front_;
  std::int64_t size_ = 1;
};

bool better(const AdditivePoint& a, const AdditivePoint& b) {
  return a.quality != b.quality ? a.quality > b.quality : a.latency < b.latency;
}

// Both halves' points of lowest index stand for their sums (kernels/additive/front.h), so that of equal sums the lowest
// first half decides; for one point of it there is one partner. Architectures are traced back at ties and at the end
// only.
void meet(const Half& first, const Half& second, std::int64_t limit, AdditiveBest& best) {
  AdditivePoint point;
  std::int64_t best_i = -1, best_j = -1;
  std::vector<std::uint32_t> values;  // of best_i, once a tie has asked for them
  std::int64_t j = second.size() - 1;
  for (std::int64_t i = 0; i < first.size(); ++i) {
    const AdditivePoint a = first.point(i);
    while (j >= 0 && second.point(j).latency > limit - a.latency) --j;
    if (j < 0) break;
    const AdditivePoint b = second.point(j);
    const AdditivePoint sum{a.latency + b.latency, a.quality + b.quality, 0};
    if (best_i >= 0 && better(point, sum)) continue;
    std::vector<std::uint32_t> tied;
    if (best_i >= 0 && !better(sum, point)) {
      if (values.empty()) values = first.values(best_i);
      tied = first.values(i);
      if (values < tied) continue;
    }
    values = std::move(tied);
    point = sum;
    best_i = i;
    best_j = j;
  }
  if (best_i < 0 || (best.found && better(best.point, point))) return;
  values = first.values(best_i);
  const std::vector<std::uint32_t> rest = second.values(best_j);
  values.insert(values.end(), rest.begin(), rest.end());
  if (best.found && !better(point, best.point) && best.digits < values) return;
  best = {true, point, std::move(values)};
}

}  // namespace

std::vector<AdditiveBest> additive_best(const AdditiveProblem& problem, std::span<const std::int64_t> limits) {
  check_problem(problem);
  if (problem.n_objectives() == 3)
    throw Error("additive front: the best under a limit takes two objectives; leave the third one out");
  Chains chains = make_chains(problem);
  constexpr std::int64_t kMaxLimit = std::int64_t{1} << 62;
  std::vector<AdditiveBest> best(limits.size());
  // Digit 0's values that share a chain belong to the first half; a value with tables of its own is a half of its own.
  for (std::size_t c = 0; c < chains.chains.size(); ++c) {
    std::vector<Choices> digits = {Choices{}};
    for (std::int64_t v = 0; v < chains.first.size(); ++v) {
      if (chains.chain_of[v] != static_cast<int>(c)) continue;
      digits[0].values.push_back(chains.first.values[v]);
      digits[0].sums.push_back(chains.first.sums[v]);
    }
    digits.insert(digits.end(), chains.chains[c].begin(), chains.chains[c].end());
    double all = 0, half = 0;
    for (const Choices& choices : digits) all += std::log(static_cast<double>(choices.size()));
    std::size_t middle = 0;
    while (middle < digits.size() && half < all / 2) half += std::log(static_cast<double>(digits[middle++].size()));
    const Half first({digits.begin(), digits.begin() + middle}), second({digits.begin() + middle, digits.end()});
    for (std::size_t l = 0; l < limits.size(); ++l)
      meet(first, second, std::clamp(limits[l], -kMaxLimit, kMaxLimit), best[l]);
  }
  return best;
}

}  // namespace oneproxy
