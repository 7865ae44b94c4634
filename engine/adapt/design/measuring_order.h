#pragma once
// The one rule by which architectures to measure are chosen, for a plan that a person measures and for every trial of
// an experiment. In the candidates' random order the first 500 that may be measured, or twice as many as are asked
// for, are the pool; of what is left the first 500 are the reference, over which a design lowers the variance. The
// design chooses as many as asked for and 10 to spare, which come next where measurements fail.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/adapt/design/candidates.h"
#include "oneproxy/engine/adapt/design/design.h"
#include "oneproxy/engine/adapt/gaussian_process/bayes.h"

namespace oneproxy {

// What a design takes the blocks' variances for: all the same, or the medians of the model's prior.
enum class DesignScales { flat, prior };

struct DesignSettings {
  Selection selection = Selection::a_optimal;
  DesignScales scales = DesignScales::flat;
  bool connected_only = true;  // no cell without a path from input to output (Selection::random takes any)
};

struct ChosenArchitectures {
  std::vector<std::uint8_t> choices;  // [n, n_decisions] in the order in which to measure them
  std::vector<std::int64_t> draws;    // [n] number of each among the candidates, from 0
};

// k architectures and 10 to spare, fewer where the candidates end. `measured` [m, n_decisions] is known already: it
// counts, and is not chosen again. Orders are nested where is_nested(selection) says so: the first k are the start of
// any longer one of up to 250. Deterministic by the candidates and `seed` (kmeans).
ChosenArchitectures choose_architectures(const GaussianProcess& model, Candidates& candidates,
                                         const DesignSettings& settings, int k, std::uint64_t seed,
                                         std::span<const std::uint8_t> measured = {});

// All rows of a set in the order in which trial number `trial` measures them on every target: those chosen for k
// measurements, then the others at random. choices [n, n_decisions].
std::vector<std::int64_t> measuring_order(const GaussianProcess& model, std::span<const std::uint8_t> choices,
                                          const DesignSettings& settings, int k, std::uint64_t seed,
                                          std::uint32_t trial);

}  // namespace oneproxy
