#pragma once
// `bayes`: a target device's latency from a few measurements, in closed form. A Gaussian process over three kinds of
// blocks (block_regression.h): what the source devices' predictors say (S), groups of physical features (P_*), and the
// one-hot code (Oh). Hyper-parameters are averaged under a prior that is stated or learnt from the source devices; the
// target's measurements never set it.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/gaussian_process/block_regression.h"
#include "oneproxy/engine/adapt/remark.h"
#include "oneproxy/engine/adapt/source_predictor.h"
#include "oneproxy/engine/predictor/predictor.h"

namespace oneproxy {

enum class PriorChoice {
  learnt,  // from the source devices, each in turn as the target (at least 3 sources; with fewer: flat)
  stated,  // log-normal medians chosen by hand
  flat,    // 0.1 for every block, noise 0.2
};

struct BayesOptions {
  bool sources = true, physics = true;  // without one: what it contributes
  // S as the mean of the sources (or their mixture) and the sources' deviations from it: for many sources.
  bool split_sources = false;
  PriorChoice prior = PriorChoice::learnt;
  // [sources] sum 1: the mixture of the sources that the target is expected to be like, where something is known of it
  // (its data sheet); empty: their mean.
  std::vector<double> source_weights;
  RegressionOptions regression;
};

// The agreement that an adapted predictor is expected to have with the target's latencies, over the space.
struct ExpectedSrcc {
  double value = 0;                            // from the mean posterior variance
  double low = 0, high = 0;                    // 10 % and 90 % of the posterior
  std::vector<double> draws;                   // sorted, of the posterior
  double probability(double threshold) const;  // that the SRCC is at least the threshold
};

// One target after adaptation.
struct AdaptedBayes {
  BlockPosterior posterior;              // weights in units of deviation_ms; empty points where from_prior
  std::vector<double> weights;           // [n_columns] of the score
  double offset = 0;                     // score of the centre of the space
  double mean_ms = 0, deviation_ms = 0;  // latency_ms = mean_ms + deviation_ms * score
  std::vector<double> samples;           // [n, n_columns] rows that were measured
  double left_out_srcc = 0;              // of the samples, each predicted by the others; NaN where undefined
  bool from_prior = false;               // too few or equal latencies: the sources' mean (or MACs) ranks
  std::string why_from_prior;            // "" where adapted
  std::vector<std::int64_t> outliers;    // of the latencies given, more than 20 times their median: nearly left out
  std::vector<Remark> remarks;           // units, no spread
};

class GaussianProcess {
 public:
  // Everything that can be done before the target is measured. `features` must outlive it. Without a prior: the one
  // that the options ask for, with `flat` for `learnt` (learn_prior gives the learnt one).
  GaussianProcess(const ArchitectureFeatures& features, std::vector<SourcePredictor> sources,
                  const BayesOptions& options, std::optional<BlockPrior> prior = std::nullopt);

  const ArchitectureFeatures& features() const { return features_; }
  const BlockLayout& layout() const { return layout_; }
  const BlockPrior& prior() const { return prior_; }
  const BayesOptions& options() const { return options_; }
  const std::vector<double>& direction() const { return direction_; }  // [n_columns] d of block_regression.h
  // [n_columns, n_columns] mean of Z Z' over (2000 rows of) the reference.
  const std::vector<double>& gram() const { return gram_; }

  // Z of rows: [n, layout().n_columns()].
  std::vector<double> design(const ArchitectureFeatures::Rows& rows) const;

  // z [n, n_columns] of the measured architectures, latency_ms [n]. NaN latencies are left out. Errors: none usable,
  // one outside device/value_range.h.
  AdaptedBayes adapt(std::span<const double> z, std::span<const double> latency_ms) const;

  std::vector<double> latency_ms(const AdaptedBayes& adapted, const ArchitectureFeatures::Rows& rows) const;  // [n]
  // Posterior standard deviation of the noiseless latency, ms, [n]. NaN where from_prior.
  std::vector<double> deviation_ms(const AdaptedBayes& adapted, std::span<const double> z) const;
  // NaN values where from_prior.
  ExpectedSrcc expected_srcc(const AdaptedBayes& adapted) const;
  // The same estimate as if `more` further architectures [m, n_columns] had been measured (they need no latencies).
  double expected_srcc_with(const AdaptedBayes& adapted, std::span<const double> more) const;

  // To search with (predictor/tabulation.h): weights where the features add up over decisions (given the resolution, if
  // that is one), else the latency of every architecture. Error where the space is too large for that.
  Predictor predictor(const AdaptedBayes& adapted) const;

 private:
  const ArchitectureFeatures& features_;
  BayesOptions options_;
  std::vector<SourcePredictor> sources_;
  std::vector<double> source_mean_, source_deviation_;  // over the reference
  std::vector<double> source_weights_;                  // [sources] of the mixture that S_mean is
  double mean_deviation_ = 1;                           // of the mixture of the z-scored sources
  double split_length_ = 1;
  BlockLayout layout_;
  std::vector<int> from_;  // first column of each block in the features' blocks; negative: a block of the sources
  std::vector<double> direction_;
  BlockPrior prior_;
  std::vector<double> gram_;
};

// Prior with the medians of PriorChoice::stated or ::flat for a layout.
BlockPrior stated_prior(const BlockLayout& layout, PriorChoice choice);

// From the source devices alone: each in turn (of many, ten) is the target with 60 of its measurements (two draws), the
// others are its sources. Twice, the second time from the result of the first. Error with fewer than 3 devices.
BlockPrior learn_prior(const ArchitectureFeatures& features, std::span<const SourceDevice> devices,
                       const BayesOptions& options, std::uint64_t seed);

}  // namespace oneproxy
