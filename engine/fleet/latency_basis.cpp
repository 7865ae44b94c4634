#include "oneproxy/engine/fleet/latency_basis.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/streams.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Map = Eigen::Map<const RowMajor>;

constexpr std::int64_t kReference = 512;  // functions of a space have some 100 dimensions

// [rows.n, sources + columns]: what the sources say, in units of their medians, then the features.
RowMajor raw_columns(const Sources& sources, const ArchitectureFeatures::Rows& rows) {
  const auto n_sources = static_cast<Index>(sources.predictors.size());
  const Index features = sources.features->layout().n_columns();
  RowMajor columns(rows.n, n_sources + features);
  for (Index j = 0; j < n_sources; ++j) {
    const auto said = sources.predictors[j].predict(rows);
    columns.col(j) = Eigen::Map<const Eigen::VectorXd>(said.data(), rows.n);
  }
  columns.rightCols(features) = Map(rows.blocks.data(), rows.n, features);
  return columns;
}

}  // namespace

LatencyBasis::LatencyBasis(const Sources& sources)
    : features_(sources.features),
      tabulation_(features_->space(), features_->physics().additive()),
      sources_(sources.names()) {
  if (sources_.size() < kMinFleetSources)
    throw Error("plausible devices of " + features_->space().name() + " are drawn from at least " +
                std::to_string(kMinFleetSources) + " source devices, there are " + std::to_string(sources_.size()) +
                "; name more of them (`oneproxy info` lists those of a store)");
  const auto& all = features_->reference();
  std::vector<std::int64_t> picked;
  for (const auto i : random_permutation(all.n, random_stream(1, Draws::feature_reference, 2)))
    if (static_cast<std::int64_t>(picked.size()) < kReference) picked.push_back(i);
  std::sort(picked.begin(), picked.end());
  n_reference_ = static_cast<int>(picked.size());
  const auto decisions = features_->space().radices().size();
  for (const auto i : picked) {
    const auto one = std::span(features_->reference_choices()).subspan(i * decisions, decisions);
    reference_.insert(reference_.end(), one.begin(), one.end());
  }

  RowMajor at = raw_columns(sources, features_->pick(all, picked));
  n_columns_ = static_cast<int>(at.cols());
  const Eigen::RowVectorXd mean = at.colwise().mean();
  Eigen::RowVectorXd scale = Eigen::RowVectorXd::Ones(at.cols());
  at.rowwise() -= mean;
  for (int j = 0; j < n_sources(); ++j) {
    const double deviation = at.col(j).norm() / std::sqrt(static_cast<double>(at.rows()));
    if (!(deviation > 1e-12))
      throw Error("source device " + sources_[j] + " says the same of all architectures; leave it out");
    scale[j] = 1 / deviation;
  }
  at = at * scale.asDiagonal();
  at_reference_.assign(at.data(), at.data() + at.size());

  // In pieces: the features of all architectures of a space are some hundred numbers each.
  const std::size_t step = (1 << 14) * decisions;
  const auto choices = tabulation_.choices();
  for (std::size_t first = 0; first < choices.size(); first += step) {
    const auto rows = features_->rows(choices.subspan(first, std::min(step, choices.size() - first)));
    RowMajor some = (raw_columns(sources, rows).rowwise() - mean) * scale.asDiagonal();
    at_table_.insert(at_table_.end(), some.data(), some.data() + some.size());
  }
}

void LatencyBasis::standardise(std::span<double> weights) const {
  const auto f = values(weights);
  double squares = 0;
  for (const double value : f) squares += value * value;
  const double deviation = std::sqrt(squares / n_reference_);
  if (!(deviation > 1e-12) || !std::isfinite(deviation))
    throw Error("a latency function has the deviation " + std::to_string(deviation) +
                " over the reference architectures; it must tell them apart");
  for (double& weight : weights) weight /= deviation;
}

std::vector<double> LatencyBasis::values(std::span<const double> weights) const {
  const auto n = static_cast<Index>(weights.size()) / n_columns_;
  std::vector<double> values(n * n_reference_);
  Eigen::Map<RowMajor>(values.data(), n, n_reference_).noalias() =
      Map(weights.data(), n, n_columns_) * Map(at_reference_.data(), n_reference_, n_columns_).transpose();
  return values;
}

std::vector<Predictor> LatencyBasis::predictors(std::span<const double> weights) const {
  const auto n = static_cast<Index>(weights.size()) / n_columns_;
  const Index entries = tabulation_.n();
  constexpr Index kChunk = 128;  // devices: their tables of a cell space are 125 kB each
  std::vector<Predictor> predictors;
  predictors.reserve(n);
  for (Index first = 0; first < n; first += kChunk) {
    const Index some = std::min(kChunk, n - first);
    const RowMajor tables = Map(weights.data() + first * n_columns_, some, n_columns_) *
                            Map(at_table_.data(), entries, n_columns_).transpose();
    for (Index i = 0; i < some; ++i)
      predictors.push_back(
          tabulation_.predictor(std::span(tables.data() + i * entries, entries), "standard deviations"));
  }
  return predictors;
}

}  // namespace oneproxy
