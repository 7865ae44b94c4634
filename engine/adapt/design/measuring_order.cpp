#include "oneproxy/engine/adapt/design/measuring_order.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace oneproxy {
namespace {

constexpr int kPool = 500, kPoolOfEach = 2;  // candidates at least, and for each architecture asked for
constexpr int kReference = 500;
constexpr std::int64_t kDrawsOfEach = 50;  // candidates looked at for each of pool and reference, at most
constexpr int kSpare = 10;                 // further architectures of a design, for failed measurements

using Architecture = std::vector<std::uint8_t>;

void append(Architecture& all, std::span<const std::uint8_t> more) { all.insert(all.end(), more.begin(), more.end()); }

// Those that a design may choose, with their draws, and what it is made for.
struct Pool {
  Architecture choices, reference;  // [n, n_decisions]
  std::vector<std::int64_t> draws;  // [n]
};

Pool draw_pool(const Physics& physics, Candidates& candidates, bool connected_only, std::size_t size,
               std::span<const std::uint8_t> measured, std::size_t decisions) {
  std::set<Architecture> known;
  for (std::size_t i = 0; i < measured.size(); i += decisions)
    known.insert({measured.begin() + i, measured.begin() + i + decisions});
  Pool pool;
  std::size_t references = 0;
  const auto max_draws = kDrawsOfEach * static_cast<std::int64_t>(size + kReference);
  for (std::int64_t draw = 0; draw < max_draws && (pool.draws.size() < size || references < kReference); ++draw) {
    const auto one = candidates.next();
    if (!one) break;
    if (pool.draws.size() < size && !known.count(*one) && (!connected_only || physics.connected(*one))) {
      append(pool.choices, *one);
      pool.draws.push_back(draw);
    } else if (references < kReference) {
      append(pool.reference, *one);
      ++references;
    }
  }
  // Of few candidates the pool took all, or all that matter: they too are what the design is for.
  const auto missing = std::min(kReference - references, pool.draws.size());
  append(pool.reference, std::span(pool.choices).first(missing * decisions));
  return pool;
}

std::vector<double> scales_of(const GaussianProcess& model, DesignScales scales) {
  auto th = flat_scales(model.layout());
  if (scales == DesignScales::prior)
    for (std::size_t c = 0; c < th.size(); ++c) th[c] = std::exp(model.prior().log_mean[c]);
  return th;
}

}  // namespace

ChosenArchitectures choose_architectures(const GaussianProcess& model, Candidates& candidates,
                                         const DesignSettings& settings, int k, std::uint64_t seed,
                                         std::span<const std::uint8_t> measured) {
  const auto& features = model.features();
  const std::size_t decisions = features.space().radices().size();
  const bool random = settings.selection == Selection::random;
  const auto pool = draw_pool(features.physics(), candidates, settings.connected_only && !random,
                              std::max(kPool, kPoolOfEach * k), measured, decisions);
  const auto n = static_cast<std::int64_t>(pool.draws.size());
  const int count = static_cast<int>(std::min<std::int64_t>(k + kSpare, n));
  // The design knows what is measured already as further candidates, behind the others.
  Architecture all = pool.choices;
  append(all, measured);
  std::vector<std::int64_t> known(measured.size() / decisions);
  for (std::size_t i = 0; i < known.size(); ++i) known[i] = n + static_cast<std::int64_t>(i);
  const auto p = model.design(features.rows(all)), r = model.design(features.rows(pool.reference));
  const DesignProblem problem{.candidates = p,
                              .reference = r,
                              .th = scales_of(model, settings.scales),
                              .space = &features.space(),
                              .choices = all};
  ChosenArchitectures chosen;
  for (const auto i : choose_samples(model.layout(), problem, settings.selection, count, seed, known)) {
    append(chosen.choices, std::span(pool.choices).subspan(i * decisions, decisions));
    chosen.draws.push_back(pool.draws[i]);
  }
  return chosen;
}

std::vector<std::int64_t> measuring_order(const GaussianProcess& model, std::span<const std::uint8_t> choices,
                                          const DesignSettings& settings, int k, std::uint64_t seed,
                                          std::uint32_t trial) {
  RowCandidates candidates(choices, model.features().space().radices().size(), seed, trial);
  const auto& order = candidates.order();
  std::vector<std::int64_t> rows;
  std::vector<char> used(order.size(), 0);
  for (const auto draw : choose_architectures(model, candidates, settings, k, seed).draws) {
    rows.push_back(order[draw]);
    used[draw] = 1;
  }
  for (std::size_t draw = 0; draw < order.size(); ++draw)
    if (!used[draw]) rows.push_back(order[draw]);
  return rows;
}

}  // namespace oneproxy
