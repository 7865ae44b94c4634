#pragma once
// How large the errors of adapted predictors are at what searches answer, learnt from the source devices alone.
//
// Each source in turn (of many, ten) is the target: measured where a plan would measure it, adapted to with the other
// sources, and then searched for the best network within limits. What is best is a random sum over decisions around the
// MACs, several times anew, because nobody knows yet what a search will maximise. The error of an answer is
// (measured - predicted) / spread, one later measurement with its noise and drift included:
//   over the source's own measurements, with and without some spreads kept from the limit;
//   where predictors add up over decisions also over the whole space, whose answers lie far from any measurement: the
//   truth is then what a fit to all of the source's measurements says, times a residual of that fit.
#include <cstdint>

#include "oneproxy/engine/adapt/method_registry.h"
#include "oneproxy/engine/predictor/posterior.h"

namespace oneproxy {

// Of predictors from n_measured measurements (kMostPlayed where there are more), by a method as `settings` make it.
// `learned` from all the sources: what is learnt of them together, a prior, knows the source that plays the target as
// one of many. The stated calibrations with fewer than 3 sources, or where the method knows no posterior.
LimitCalibrations calibrate_limits(const Sources& sources, const MethodSettings& settings,
                                   const LearnedFromSources& learned, int n_measured, std::uint64_t seed);

inline constexpr int kMostPlayed = 100;

}  // namespace oneproxy
