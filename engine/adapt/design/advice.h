#pragma once
// How many further measurements a target needs.
#include <cstdint>
#include <span>

#include "oneproxy/engine/adapt/gaussian_process/bayes.h"

namespace oneproxy {

// Below this many samples the estimate of the SRCC says little (it is pessimistic, and now and then far too sure).
inline constexpr int kMinSamplesToStop = 10;

struct Advice {
  bool stop = false;     // P(SRCC >= threshold) has reached the confidence, and there are kMinSamplesToStop samples
  int more = 0;          // measurements to go on with; -1: not reached with the architectures given
  double reachable = 0;  // expected SRCC with all of `next` measured
};

// `next` [m, n_decisions]: architectures that would be measured next, in order. The 10 % quantile of the SRCC is taken
// to close in on the expected value as that closes in on 1.
Advice advise(const BayesModel& model, const AdaptedBayes& adapted, const ExpectedSrcc& expected, double threshold,
              double confidence, std::span<const std::uint8_t> next);

}  // namespace oneproxy
