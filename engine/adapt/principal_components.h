#pragma once
// The sources' latency functions as a Gaussian over their principal components, and a target in it, in closed form:
//   y(x) standardised over the samples;  y(x) = a + b m(x) + sum_j z_j p_j(x) + noise of variance 0.05
//   a ~ N(0, 1000),  b ~ N(1, 100),  z_j ~ N(0, inflation)
// m is the mean of the sources' standardised functions, p_j the first principal components of their deviations from it,
// each as long as its standard deviation over the sources. Without measurements: m.
#include <vector>

#include "oneproxy/engine/adapt/standardised_sources.h"
#include "oneproxy/engine/device/samples.h"

namespace oneproxy {

struct PrincipalComponents {
  std::vector<double> coefficients;  // [components, d]: p_j as a mixture of the sources' functions
  std::vector<double> variance;      // [components] of the devices along each, falling
  int n() const { return static_cast<int>(variance.size()); }

  // At most `components`, and at most as many as the sources span.
  PrincipalComponents(const StandardisedSources& sources, int components);
};

// The posterior mean as a mixture of the sources' functions, on the scale of y: what is constant is left out. `rows`
// are the measured architectures', y [n] of about unit deviation.
struct ComponentPosterior {
  std::vector<double> coefficients;  // [d]
  double constant = 0;               // a
  std::vector<double> z;             // [components]
};
ComponentPosterior fit_components(const Sources& sources, const StandardisedSources& standardised,
                                  const PrincipalComponents& components, double inflation,
                                  const ArchitectureFeatures::Rows& rows, std::span<const double> y);

}  // namespace oneproxy
