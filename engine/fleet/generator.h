#pragma once
// Plausible devices: latency functions that nobody measured, but that a device could have. From the source devices'
// functions (in standard units, weights over a LatencyBasis), drawn in three ways:
//   pca      mean of the sources plus a Gaussian along their principal components, its variance inflated (a new device
//            is farther out than those known), plus a little of a physics draw
//   mixture  one to three sources, mixed, and stretched away from the mean of all, plus the same
//   physics  weights of physical features and code drawn from the prior that `bayes` states: what no source is like
// Each draw has a stream of its own, so device i is the same however many are drawn.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/fleet/latency_basis.h"

namespace oneproxy {

struct GeneratorSettings {
  double pca_share = 0.5, mixture_share = 0.25;  // the rest: physics
  int components = 10;                           // principal, at most those that the sources have
  double inflation = 2;                          // of the variance
  double most_stretch = 1.6;                     // of a mixture's deviation from the mean of the sources, from 1
  double physics_amplitude = 0.15;               // in the other two, in standard units
};

class DeviceGenerator {
 public:
  // Keeps the basis' address. Errors: shares outside 0 .. 1 or of more than 1 together.
  explicit DeviceGenerator(const LatencyBasis& basis, const GeneratorSettings& settings = {});

  const LatencyBasis& basis() const { return basis_; }
  // Weights [n, basis.n_columns()] in standard units of the devices number `first` on.
  std::vector<double> draw(int n, std::uint64_t seed, int first = 0) const;
  // Of physics alone, whatever the shares: an energy, of which no device is known.
  std::vector<double> draw_physics(int n, std::uint64_t seed) const;
  // The sources themselves, [n_sources, n_columns].
  std::vector<double> sources() const;

 private:
  std::vector<double> physics(RandomDraws& random) const;

  const LatencyBasis& basis_;
  GeneratorSettings settings_;
  GaussianProcess prior_;           // without sources: blocks, directions and scales of the physics
  std::vector<double> components_;  // [n_components, n_sources] a deviation of one along each
  int n_components_ = 0;
};

// How near a device comes to others: the largest SRCC of its function with one of theirs, over the same architectures.
// device [n], others [m, n].
double nearest_srcc(std::span<const double> device, std::span<const double> others);

}  // namespace oneproxy
