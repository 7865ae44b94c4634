#pragma once
// Which architectures of a space a person should measure next: a design over random candidates of the whole space.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/adapt/design/design.h"
#include "oneproxy/engine/adapt/gaussian_process/bayes.h"

namespace oneproxy {

// k architectures, choices [k, n_decisions], in the order in which to measure them. Candidates: uniform draws without
// repetition, connected cells only; 500, or 20 k up to 4,000, at least 2 k. `measured` [m, n_decisions] is known
// already: it counts, and is not proposed again. Deterministic by seed. Error: a space with fewer candidates than k.
std::vector<std::uint8_t> propose(const BayesModel& model, Selection selection, int k, std::uint64_t seed,
                                  std::span<const std::uint8_t> measured);

// Below this many samples the estimate of the SRCC says little (it is pessimistic, and now and then far too sure).
inline constexpr int kLeastToStop = 10;

// How many further measurements the agreement is expected to need.
struct Advice {
  bool stop = false;     // P(SRCC >= threshold) has reached the confidence, and there are kLeastToStop samples
  int more = 0;          // measurements to go on with; -1: not reached with the proposals given
  double reachable = 0;  // expected SRCC with all of `next` measured
};

// `next` [m, n_decisions]: proposals in their order. The 10 % quantile of the SRCC is taken to close in on the expected
// value as that closes in on 1.
Advice advise(const BayesModel& model, const AdaptedBayes& adapted, const ExpectedSrcc& expected, double threshold,
              double confidence, std::span<const std::uint8_t> next);

}  // namespace oneproxy
