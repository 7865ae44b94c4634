#pragma once
// The sources' latency functions on one scale: (latency / median - mean) / deviation over the reference architectures
// of the space. Mixtures of them are again weights on the features, so f(x, d) = features(x) . w(d) for every device
// that is described by what it shares with the sources.
#include <span>
#include <vector>

#include "oneproxy/engine/adapt/sources.h"

namespace oneproxy {

struct StandardisedSources {
  std::vector<double> mean, deviation;  // [d] of latency / median over the reference; deviation > 0
  std::vector<double> gram;             // [d, d] mean over the reference of the product of two functions

  explicit StandardisedSources(const Sources& sources);
  int n() const { return static_cast<int>(mean.size()); }
};

// sum of coefficients[j] * (function of source j): weights on the sources' features, [d] coefficients.
SourcePredictor mixture(const Sources& sources, const StandardisedSources& standardised,
                        std::span<const double> coefficients);

// What a device of this mixture of the sources would take, in ms, before any of it is measured: the function of
// `weights` (which sum to 1) on the scale of the mixture's (geometric) mean latency and deviation.
SourcePredictor in_ms(const Sources& sources, const StandardisedSources& standardised, std::span<const double> weights,
                      SourcePredictor function);

}  // namespace oneproxy
