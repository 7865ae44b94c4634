#include "oneproxy/engine/adapt/design/proposal.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "oneproxy/engine/base/streams.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kPool = 500, kReference = 500, kTriesOfDraw = 50;
constexpr int kPoolOfSample = 20, kLargePool = 4000, kLeastPoolOfSample = 2;  // candidates for each to choose

std::vector<std::uint8_t> draw_architecture(const SearchSpace& space, const Philox& random, std::uint64_t& draw) {
  std::vector<std::uint32_t> digits;
  for (const auto& digit : space.digits())
    digits.push_back(static_cast<std::uint32_t>(random.below(draw++, digit.radix)));
  return space.choices_of(digits);
}

}  // namespace

std::vector<std::uint8_t> propose(const BayesModel& model, Selection selection, int k, std::uint64_t seed,
                                  std::span<const std::uint8_t> measured) {
  const auto& features = model.features();
  const auto& space = features.space();
  const std::size_t decisions = space.radices().size();
  std::vector<std::uint8_t> pool(measured.begin(), measured.end()), reference;
  std::vector<std::int64_t> known;
  std::set<std::vector<std::uint8_t>> seen;
  for (std::size_t i = 0; i * decisions < measured.size(); ++i) {
    known.push_back(static_cast<std::int64_t>(i));
    seen.insert({measured.begin() + i * decisions, measured.begin() + (i + 1) * decisions});
  }
  const Philox random = random_stream(seed, Draws::design_pool, 0);
  std::uint64_t draw = 0;
  const std::int64_t wanted = std::max({kPool, std::min(kPoolOfSample * k, kLargePool), kLeastPoolOfSample * k});
  std::int64_t candidates = 0;
  for (std::int64_t tries = 0; candidates < wanted && tries < kTriesOfDraw * wanted; ++tries) {
    const auto one = draw_architecture(space, random, draw);
    if (!features.physics().connected(one) || !seen.insert(one).second) continue;
    pool.insert(pool.end(), one.begin(), one.end());
    ++candidates;
  }
  if (candidates < k)
    throw Error("space " + space.name() + " has " + std::to_string(candidates) +
                " architectures left to propose, asked for " + std::to_string(k) + "; ask for fewer");
  for (int i = 0; i < kReference; ++i) {
    const auto one = draw_architecture(space, random, draw);
    reference.insert(reference.end(), one.begin(), one.end());
  }
  const auto p = model.design(features.rows(pool)), r = model.design(features.rows(reference));
  const DesignProblem problem{p, r, flat_scales(model.layout())};
  std::vector<std::uint8_t> chosen;
  for (const auto i : choose_samples(model.layout(), problem, selection, k, seed, known))
    chosen.insert(chosen.end(), pool.begin() + i * decisions, pool.begin() + (i + 1) * decisions);
  return chosen;
}

Advice advise(const BayesModel& model, const AdaptedBayes& adapted, const ExpectedSrcc& expected, double threshold,
              double confidence, std::span<const std::uint8_t> next) {
  Advice advice;
  const std::size_t decisions = model.features().space().radices().size();
  const int most = static_cast<int>(next.size() / decisions);
  if (adapted.from_prior) {
    advice.more = -1;
    advice.reachable = std::nan("");
    return advice;
  }
  const int n = static_cast<int>(adapted.posterior.scales.size());
  const int least = std::max(0, kLeastToStop - n);
  advice.stop = least == 0 && expected.probability(threshold) >= confidence;
  if (advice.stop) {
    advice.reachable = expected.value;
    return advice;
  }
  const auto z = model.design(model.features().rows(next));
  const std::size_t columns = model.layout().n_columns();
  // The quantile of the draws that has to reach the threshold.
  const auto& draws = expected.draws;
  const auto at = static_cast<std::size_t>((1 - confidence) * static_cast<double>(draws.size() - 1));
  const double gap = (expected.value - draws[at]) / std::max(1 - expected.value, 1e-9);
  advice.more = -1;
  for (int m = std::max(1, least); m <= most; ++m) {
    advice.reachable = model.expected_srcc_with(adapted, std::span(z).first(m * columns));
    if (advice.reachable - gap * (1 - advice.reachable) >= threshold) {
      advice.more = m;
      break;
    }
  }
  return advice;
}

}  // namespace oneproxy
