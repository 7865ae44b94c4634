#include "oneproxy/engine/adapt/source_predictor.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr ArchIndex kWholeSpace = 1 << 16;  // architectures up to which the reference is the space itself
constexpr int kReferenceDraws = 10000;
constexpr double kConstant = 1e-12;     // deviation of a column, of its largest value, below which it says nothing
constexpr double kPhysicsWeight = 0.5;  // of z-scored physical features in the source predictors of cells

std::vector<std::uint8_t> draw_reference(const SearchSpace& space) {
  std::vector<std::uint8_t> all;
  auto add = [&](const std::vector<std::uint8_t>& one) { all.insert(all.end(), one.begin(), one.end()); };
  if (space.size() <= kWholeSpace) {
    for (ArchIndex i = 0; i < space.size(); ++i) add(space.choices(i));
    return all;
  }
  const Philox random = random_stream(1, Draws::feature_reference, 0);
  std::uint64_t draw = 0;
  for (int i = 0; i < kReferenceDraws; ++i) {
    std::vector<std::uint32_t> digits;
    for (const auto& digit : space.digits()) digits.push_back(random.below(draw++, digit.radix));
    add(space.choices_of(digits));
  }
  return all;
}

// Ridge with weights on the rows; rows are sparse where codes are one-hot, so zeros are skipped.
void ridge(const ArchitectureFeatures::Rows& rows, int n_features, const std::vector<double>& y,
           const std::vector<double>& row_weights, double lambda, SourcePredictor& out) {
  double total = 0;
  VectorXd mean = VectorXd::Zero(n_features), xy = VectorXd::Zero(n_features);
  double mean_y = 0;
  MatrixXd gram = MatrixXd::Zero(n_features, n_features);
  std::vector<int> used;
  for (std::int64_t i = 0; i < rows.n; ++i) {
    const double* x = &rows.source[i * n_features];
    used.clear();
    for (int j = 0; j < n_features; ++j)
      if (x[j] != 0) used.push_back(j);
    const double w = row_weights[i];
    total += w;
    mean_y += w * y[i];
    for (const int a : used) {
      mean[a] += w * x[a];
      xy[a] += w * x[a] * y[i];
      for (const int b : used) {
        if (b > a) break;
        gram(a, b) += w * x[a] * x[b];
      }
    }
  }
  mean /= total;
  mean_y /= total;
  gram.selfadjointView<Eigen::Lower>().rankUpdate(mean, -total);
  gram.diagonal().array() += lambda;
  const VectorXd weights = gram.selfadjointView<Eigen::Lower>().llt().solve(xy - total * mean_y * mean);
  out.weights.assign(weights.data(), weights.data() + n_features);
  out.bias = mean_y - mean.dot(weights);
}

}  // namespace

ArchitectureFeatures::ArchitectureFeatures(SearchSpace space) : space_(std::move(space)), physics_(space_) {
  const int physical = physics_.n_columns(), columns = physical + physics_.n_code();
  layout_.begin = {0};
  for (const auto& group : physics_.groups()) {
    layout_.names.push_back("P_" + group.name);
    layout_.begin.push_back(layout_.begin.back() + static_cast<int>(group.columns.size()));
  }
  layout_.names.push_back("Oh");
  layout_.begin.push_back(columns);
  n_source_ = physics_.n_code() + (physics_.additive() ? 0 : physical);

  // First with neutral scales, then with those of the reference.
  centre_.assign(columns, 0.0);
  scale_.assign(columns, 1.0);
  reference_choices_ = draw_reference(space_);
  const Rows raw = rows(reference_choices_);
  const Eigen::Map<const RowMajor> values(raw.blocks.data(), raw.n, columns);
  const Eigen::RowVectorXd mean = values.colwise().mean();
  const Eigen::RowVectorXd variance =
      (values.rowwise() - mean).array().square().colwise().sum() / static_cast<double>(raw.n);
  for (int j = 0; j < columns; ++j) {
    centre_[j] = mean[j];
    const double deviation = std::sqrt(variance[j]);
    const bool constant = !(deviation > kConstant * values.col(j).cwiseAbs().maxCoeff());
    scale_[j] = constant ? 0.0 : j < physical ? 1 / deviation : 1.0;
  }
  for (int c = 0; c < layout_.n_blocks(); ++c) {
    double length = 0;
    for (int j = layout_.begin[c]; j < layout_.begin[c + 1]; ++j) length += variance[j] * scale_[j] * scale_[j];
    block_length_.push_back(length > 0 ? std::sqrt(length) : 1.0);
  }
  reference_ = rows(reference_choices_);
}

ArchitectureFeatures::Rows ArchitectureFeatures::rows(std::span<const std::uint8_t> choices) const {
  const std::size_t decisions = space_.radices().size();
  ONEPROXY_ASSERT(choices.size() % decisions == 0);
  const int physical = physics_.n_columns(), n_code = physics_.n_code(), columns = physical + n_code;
  Rows rows;
  rows.n = static_cast<std::int64_t>(choices.size() / decisions);
  rows.blocks.resize(rows.n * columns);
  rows.source.resize(rows.n * n_source_);
  for (std::int64_t i = 0; i < rows.n; ++i) {
    const auto one = choices.subspan(i * decisions, decisions);
    for (std::size_t d = 0; d < decisions; ++d)
      if (one[d] >= space_.radices()[d])
        throw Error("architecture " + std::to_string(i) + ": choice " + std::to_string(one[d]) + " of " +
                    space_.decisions()[d].name + " is not below " + std::to_string(space_.radices()[d]) +
                    "; it is outside the space " + space_.name());
    const std::span<double> block(&rows.blocks[i * columns], columns);
    const std::span<double> source(&rows.source[i * n_source_], n_source_);
    physics_.features(one, block.first(physical));
    physics_.code(one, block.subspan(physical));
    std::copy(block.begin() + physical, block.end(), source.begin());
    for (int c = 0, j = 0; c < layout_.n_blocks(); ++c) {
      const double length = block_length_.empty() ? 1.0 : block_length_[c];
      for (; j < layout_.begin[c + 1]; ++j) {
        const double z = (block[j] - centre_[j]) * scale_[j];
        if (j < physical && !physics_.additive()) source[n_code + j] = kPhysicsWeight * z;
        block[j] = z / length;
      }
    }
  }
  return rows;
}

ArchitectureFeatures::Rows ArchitectureFeatures::pick(const Rows& rows, std::span<const std::int64_t> which) const {
  const std::int64_t columns = layout_.n_columns(), source = n_source_;
  Rows picked;
  picked.n = static_cast<std::int64_t>(which.size());
  for (const auto i : which) {
    ONEPROXY_ASSERT(i >= 0 && i < rows.n);
    picked.blocks.insert(picked.blocks.end(), &rows.blocks[i * columns], &rows.blocks[i * columns] + columns);
    picked.source.insert(picked.source.end(), &rows.source[i * source], &rows.source[i * source] + source);
  }
  return picked;
}

std::vector<double> SourcePredictor::predict(const ArchitectureFeatures::Rows& rows) const {
  const Index columns = static_cast<Index>(weights.size());
  const Eigen::Map<const RowMajor> x(rows.source.data(), rows.n, columns);
  const VectorXd values = (x * Eigen::Map<const VectorXd>(weights.data(), columns)).array() + bias;
  return {values.data(), values.data() + rows.n};
}

SourcePredictor fit_source(const ArchitectureFeatures& features, const SourceDevice& device) {
  const std::size_t decisions = features.space().radices().size();
  const auto& samples = device.samples;
  if (samples.choices.size() != samples.values.size() * decisions)
    throw Error("source device " + device.name + " has " + std::to_string(samples.choices.size()) + " choices for " +
                std::to_string(samples.values.size()) + " latencies of " + std::to_string(decisions) +
                " decisions; pass one choice a decision");
  std::vector<std::uint8_t> choices;
  std::vector<double> latency;
  for (std::size_t i = 0; i < samples.values.size(); ++i) {
    const double value = samples.values[i];
    if (std::isnan(value)) continue;
    check_value(value, "", "source device " + device.name + ": the value of measurement " + std::to_string(i));
    choices.insert(choices.end(), &samples.choices[i * decisions], &samples.choices[i * decisions] + decisions);
    latency.push_back(value);
  }
  if (latency.size() < 3)
    throw Error("source device " + device.name + " has " + std::to_string(latency.size()) +
                " measurements; a predictor needs at least 3");
  SourcePredictor predictor;
  predictor.name = device.name;
  predictor.median_ms = median_of(latency);
  const auto [min, max] = std::minmax_element(latency.begin(), latency.end());
  if (!(*max > *min * (1 + 1e-12)))
    throw Error("source device " + device.name + ": all " + std::to_string(latency.size()) + " latencies are " +
                brief(*min) + " ms; choose a source that tells architectures apart");
  for (double& value : latency) value /= predictor.median_ms;

  const auto rows = features.rows(choices);
  std::vector<double> weights(latency.size(), 1.0);
  const bool additive = features.physics().additive();
  ridge(rows, features.n_source_features(), latency, weights, additive ? 1.0 : 5.0, predictor);
  for (int round = 0; additive && round < 8; ++round) {
    const auto predicted = predictor.predict(rows);
    std::vector<double> size(latency.size());
    for (std::size_t i = 0; i < size.size(); ++i) size[i] = std::abs(latency[i] - predicted[i]);
    const double scale = 1.4826 * median_of(size);
    if (!(scale > 1e-9)) break;  // an exact fit
    for (std::size_t i = 0; i < size.size(); ++i) weights[i] = 5 / (4 + std::pow(size[i] / scale, 2));
    ridge(rows, features.n_source_features(), latency, weights, 1.0, predictor);
  }
  return predictor;
}

}  // namespace oneproxy
