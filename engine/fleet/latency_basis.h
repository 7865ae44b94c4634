#pragma once
// The latency functions of a space as weights over one basis, so that a device is a vector:
//   f(x, d) = <basis(x), w(d)>
// the predictor of a (DNN, device) pair. Source: Lu, Yang, Ren, "Scaling Up Deep Neural Network Optimization for Edge
// Inference", 2020; their device features are open, these are the weights of linear predictors. The basis: what the
// source devices' predictors say, then the physical features and the code of an architecture, as `bayes` has them. All
// functions here are in standard units: over the reference architectures their mean is 0 and their deviation 1.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/sources.h"
#include "oneproxy/engine/predictor/tabulation.h"

namespace oneproxy {

inline constexpr std::size_t kMinFleetSources = 3;  // fewer say nothing about how devices differ

class LatencyBasis {
 public:
  // Keeps the features. Error: fewer than 3 sources.
  explicit LatencyBasis(const Sources& sources);

  const ArchitectureFeatures& features() const { return *features_; }
  const std::vector<std::string>& sources() const { return sources_; }
  int n_sources() const { return static_cast<int>(sources_.size()); }
  int n_columns() const { return n_columns_; }  // sources, then the columns of features().layout()
  // At most 512 architectures on which functions are compared, [n_reference, n_decisions].
  const std::vector<std::uint8_t>& reference() const { return reference_; }
  int n_reference() const { return n_reference_; }
  // [n_reference, n_columns]; every column has the mean 0 and, where it is a source, the deviation 1.
  const std::vector<double>& at_reference() const { return at_reference_; }

  // Scales weights [n_columns] so that the function has unit deviation. Error: a constant function.
  void standardise(std::span<double> weights) const;
  // weights [n, n_columns] -> values [n, n_reference].
  std::vector<double> values(std::span<const double> weights) const;
  // weights [n, n_columns] -> n predictors in standard units, each a table of one space.
  std::vector<Predictor> predictors(std::span<const double> weights) const;

 private:
  std::shared_ptr<const ArchitectureFeatures> features_;
  Tabulation tabulation_;
  std::vector<std::string> sources_;
  int n_columns_ = 0, n_reference_ = 0;
  std::vector<std::uint8_t> reference_;
  std::vector<double> at_reference_;
  std::vector<double> at_table_;  // [tabulation_.n(), n_columns]
};

}  // namespace oneproxy
