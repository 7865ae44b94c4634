#include "oneproxy/engine/adapt/gaussian_process/bayes.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/engine/predictor/tabulation.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Map = Eigen::Map<const RowMajor>;
using MapVector = Eigen::Map<const VectorXd>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int kGramRows = 2000;
constexpr int kAllSources = -1, kSourceMean = -2, kSourceDeviations = -3;  // blocks that are not the features'
constexpr int kPosteriorDraws = 256;
constexpr double kOutlier = 20;    // times the median latency: no architecture of a space is that slow
constexpr double kWrongUnit = 50;  // times outside the sources' range of medians
constexpr std::size_t kMinSamples = 3;

std::vector<int> gram_rows(std::int64_t n) {
  std::vector<int> rows;
  const auto order = random_permutation(n, random_stream(1, Draws::feature_reference, 1));
  for (std::int64_t i = 0; i < std::min<std::int64_t>(n, kGramRows); ++i) rows.push_back(static_cast<int>(order[i]));
  return rows;
}

// The same for every target: [columns, kPosteriorDraws] standard normal.
const MatrixXd& normal_draws(Index columns) {
  static std::mutex mutex;
  static std::map<Index, MatrixXd> made;
  std::lock_guard lock(mutex);
  auto& draws = made[columns];
  if (draws.size() > 0) return draws;
  RandomDraws random(random_stream(1, Draws::posterior_draws, 0));
  draws.resize(columns, kPosteriorDraws);
  for (Index k = 0; k < kPosteriorDraws; ++k)
    for (Index j = 0; j < columns; ++j) draws(j, k) = random.normal();
  return draws;
}

double spearman_of_pearson(double rho) { return 6 / M_PI * std::asin(std::clamp(rho, -1.0, 1.0) / 2); }

}  // namespace

double ExpectedSrcc::probability(double threshold) const {
  if (draws.empty()) return kNan;
  const auto above = draws.end() - std::lower_bound(draws.begin(), draws.end(), threshold);
  return static_cast<double>(above) / static_cast<double>(draws.size());
}

GaussianProcess::GaussianProcess(const ArchitectureFeatures& features, std::vector<SourcePredictor> sources,
                                 const BayesOptions& options, std::optional<BlockPrior> prior)
    : features_(features), options_(options), sources_(std::move(sources)) {
  if (!options_.sources) sources_.clear();
  source_weights_ = options_.source_weights;
  if (source_weights_.empty() || sources_.empty())
    source_weights_.assign(sources_.size(), 1.0 / static_cast<double>(sources_.size()));
  ONEPROXY_ASSERT(source_weights_.size() == sources_.size());
  // S: predictions of the sources, z-scored over the reference.
  const auto& reference = features.reference();
  const Index n = reference.n, devices = static_cast<Index>(sources_.size());
  MatrixXd s(n, devices);
  for (Index j = 0; j < devices; ++j) {
    const auto predicted = sources_[j].predict(reference);
    s.col(j) = MapVector(predicted.data(), n);
    source_mean_.push_back(s.col(j).mean());
    s.col(j).array() -= source_mean_.back();
    source_deviation_.push_back(std::max(s.col(j).norm() / std::sqrt(static_cast<double>(n)), 1e-300));
    s.col(j) /= source_deviation_.back();
  }
  layout_.begin = {0};
  auto add_block = [&](const std::string& name, int width, int from) {
    layout_.names.push_back(name);
    layout_.begin.push_back(layout_.begin.back() + width);
    from_.push_back(from);
    direction_.insert(direction_.end(), width, 0.0);
  };
  if (devices > 0) {
    const VectorXd mean = s * MapVector(source_weights_.data(), devices);
    mean_deviation_ = std::max(mean.norm() / std::sqrt(static_cast<double>(n)), 1e-300);
    if (options_.split_sources && devices > 1) {
      add_block("S_mean", 1, kSourceMean);
      direction_.back() = 1;
      add_block("S_dev", static_cast<int>(devices), kSourceDeviations);
      split_length_ = std::sqrt((s.colwise() - mean).squaredNorm() / static_cast<double>(n));
      if (!(split_length_ > 1e-12)) split_length_ = 1;
    } else {
      add_block("S", static_cast<int>(devices), kAllSources);
      // The mixture of the z-scores, z-scored, written in the block's columns s / sqrt(devices).
      for (Index j = 0; j < devices; ++j)
        direction_[j] = source_weights_[j] * std::sqrt(static_cast<double>(devices)) / mean_deviation_;
    }
  }
  const auto& given = features.layout();
  for (int c = 0; c < given.n_blocks(); ++c) {
    const bool physical = given.names[c] != "Oh";
    if (physical && !options_.physics) continue;
    const int width = given.begin[c + 1] - given.begin[c];
    add_block(given.names[c], width, given.begin[c]);
    // MACs point the way: all kinds of them the same, because nobody knows yet which of them the device runs.
    if (given.names[c] == "P_mac" || given.names[c] == "P_size") {
      const auto columns = Map(reference.blocks.data(), n, given.n_columns()).middleCols(given.begin[c], width);
      const double deviation = columns.rowwise().sum().norm() / std::sqrt(static_cast<double>(n));
      const int first = layout_.begin[layout_.n_blocks() - 1];
      for (int j = 0; j < width; ++j) direction_[first + j] = deviation > 0 ? 1 / deviation : 0;
    }
  }
  prior_ = prior
               ? std::move(*prior)
               : stated_prior(layout_, options_.prior == PriorChoice::stated ? PriorChoice::stated : PriorChoice::flat);
  ONEPROXY_ASSERT(static_cast<int>(prior_.rho.size()) == layout_.n_blocks());

  const auto picked = gram_rows(n);
  ArchitectureFeatures::Rows some;
  some.n = static_cast<std::int64_t>(picked.size());
  const int blocks = given.n_columns(), source = features.n_source_features();
  for (const int i : picked) {
    some.blocks.insert(some.blocks.end(), &reference.blocks[i * std::int64_t{blocks}],
                       &reference.blocks[i * std::int64_t{blocks}] + blocks);
    some.source.insert(some.source.end(), &reference.source[i * std::int64_t{source}],
                       &reference.source[i * std::int64_t{source}] + source);
  }
  const auto z = design(some);
  const MatrixXd rows = Map(z.data(), some.n, layout_.n_columns());
  MatrixXd gram = MatrixXd::Zero(rows.cols(), rows.cols());
  gram.selfadjointView<Eigen::Lower>().rankUpdate(rows.transpose(), 1.0 / static_cast<double>(some.n));
  gram.triangularView<Eigen::StrictlyUpper>() = gram.transpose();
  gram_.assign(gram.data(), gram.data() + gram.size());
}

std::vector<double> GaussianProcess::design(const ArchitectureFeatures::Rows& rows) const {
  const Index n = rows.n, columns = layout_.n_columns(), given = features_.layout().n_columns();
  const Index devices = static_cast<Index>(sources_.size());
  std::vector<double> z(n * columns);
  Eigen::Map<RowMajor> out(z.data(), n, columns);
  RowMajor s(n, devices);
  for (Index j = 0; j < devices; ++j) {
    const auto predicted = sources_[j].predict(rows);
    s.col(j) = (MapVector(predicted.data(), n).array() - source_mean_[j]) / source_deviation_[j];
  }
  const VectorXd mixture = s * MapVector(source_weights_.data(), devices);
  const Map blocks(rows.blocks.data(), n, given);
  for (int c = 0; c < layout_.n_blocks(); ++c) {
    const Index begin = layout_.begin[c], width = layout_.begin[c + 1] - begin;
    if (from_[c] >= 0)
      out.middleCols(begin, width) = blocks.middleCols(from_[c], width);
    else if (from_[c] == kAllSources)
      out.middleCols(begin, width) = s / std::sqrt(static_cast<double>(devices));
    else if (from_[c] == kSourceMean)
      out.col(begin) = mixture / mean_deviation_;
    else
      out.middleCols(begin, width) = (s.colwise() - mixture) / split_length_;
  }
  return z;
}

AdaptedBayes GaussianProcess::adapt(std::span<const double> z, std::span<const double> latency_ms) const {
  const std::size_t columns = layout_.n_columns();
  ONEPROXY_ASSERT(z.size() == latency_ms.size() * columns);
  AdaptedBayes adapted;
  std::vector<double> y;
  std::vector<std::int64_t> given;  // of each y, among the latencies
  for (std::size_t i = 0; i < latency_ms.size(); ++i) {
    if (std::isnan(latency_ms[i])) continue;
    check_value(latency_ms[i], "", "the value of target sample " + std::to_string(i));
    y.push_back(latency_ms[i]);
    given.push_back(static_cast<std::int64_t>(i));
    adapted.samples.insert(adapted.samples.end(), &z[i * columns], &z[i * columns] + columns);
  }
  if (y.empty()) throw Error("the target has no measurement that succeeded; measure at least 3 architectures");
  const std::size_t n = y.size();
  const double median = median_of(y);

  // One slip (a stalled run, a wrong unit in one line) must not set the scale of all.
  std::vector<char> outlier(n, 0);
  if (n >= 4)
    for (std::size_t i = 0; i < n; ++i) outlier[i] = y[i] > kOutlier * median;
  const auto kept = static_cast<double>(std::count(outlier.begin(), outlier.end(), 0));
  double mean = 0, squares = 0;
  for (std::size_t i = 0; i < n; ++i) mean += outlier[i] ? 0 : y[i] / kept;
  for (std::size_t i = 0; i < n; ++i) squares += outlier[i] ? 0 : (y[i] - mean) * (y[i] - mean) / kept;
  for (std::size_t i = 0; i < n; ++i)
    if (outlier[i]) adapted.outliers.push_back(given[i]);
  if (!sources_.empty()) {
    double low = sources_[0].median_ms, high = low;
    for (const auto& source : sources_) low = std::min(low, source.median_ms), high = std::max(high, source.median_ms);
    auto within = [&](double value) { return value > low / 5 && value < high * 5; };
    const std::string range =
        "the median is " + brief(median) + " ms, that of the sources " + brief(low) + " to " + brief(high) + " ms";
    if (median < low / kWrongUnit && within(median * 1000))
      adapted.remarks.push_back(
          {Remark::Kind::looks_like_seconds, "the latencies look like seconds: " + range + "; multiply by 1000"});
    else if (median > high * kWrongUnit && within(median / 1000))
      adapted.remarks.push_back({Remark::Kind::looks_like_microseconds,
                                 "the latencies look like microseconds: " + range + "; divide by 1000"});
  }

  adapted.mean_ms = mean;
  adapted.deviation_ms = std::sqrt(squares);
  if (n < kMinSamples || !(adapted.deviation_ms > 1e-9 * mean)) {
    adapted.from_prior = true;
    adapted.why_from_prior = n < kMinSamples
                                 ? count_of(static_cast<std::int64_t>(n), "measurement") + (n == 1 ? " is" : " are") +
                                       " too few to adapt to (3 is the least)"
                                 : "all measurements are " + brief(mean) + " and tell nothing about the ranking";
    adapted.remarks.push_back({Remark::Kind::not_adapted,
                               adapted.why_from_prior + (sources_.empty() ? ": architectures are ranked by their MACs"
                                                                          : ": the mean of the sources ranks")});
    // The first block that has a mean direction: the sources' mean, else MACs.
    adapted.weights.assign(columns, 0.0);
    for (int c = 0; c < layout_.n_blocks(); ++c) {
      double size = 0;
      for (int j = layout_.begin[c]; j < layout_.begin[c + 1]; ++j) size += std::abs(direction_[j]);
      if (size == 0) continue;
      std::copy(&direction_[layout_.begin[c]], &direction_[layout_.begin[c]] + layout_.begin[c + 1] - layout_.begin[c],
                &adapted.weights[layout_.begin[c]]);
      break;
    }
    // In ms: the relative spread of the sources around the mean of the samples, or 30 % without sources.
    double relative = sources_.empty() ? 0.3 : 0;
    for (std::size_t j = 0; j < sources_.size(); ++j)
      relative += source_deviation_[j] / std::max(source_mean_[j], 1e-12) / static_cast<double>(sources_.size());
    adapted.deviation_ms = relative * mean;
    return adapted;
  }
  std::vector<double> scales(n, 1.0);
  for (std::size_t i = 0; i < n; ++i) {
    y[i] = (y[i] - mean) / adapted.deviation_ms;
    if (outlier[i]) scales[i] = (4 + y[i] * y[i]) / 5;
  }
  adapted.posterior = fit_blocks(layout_, prior_, direction_, adapted.samples, y, scales, options_.regression);
  adapted.left_out_srcc = spearman(adapted.posterior.left_out, y, Backend::cpu).value;
  adapted.weights = adapted.posterior.weights;
  adapted.offset = adapted.posterior.constant;
  return adapted;
}

// The weights of S are folded into those of the source predictors' features, so that Z is never made.
std::vector<double> GaussianProcess::latency_ms(const AdaptedBayes& adapted,
                                                const ArchitectureFeatures::Rows& rows) const {
  const Index n = rows.n, given = features_.layout().n_columns(), source = features_.n_source_features();
  const Index devices = static_cast<Index>(sources_.size());
  VectorXd block_weights = VectorXd::Zero(given), source_weights = VectorXd::Zero(source), s = VectorXd::Zero(devices);
  const MapVector mixture(source_weights_.data(), devices);
  for (int c = 0; c < layout_.n_blocks(); ++c) {
    const Index width = layout_.begin[c + 1] - layout_.begin[c];
    const MapVector v(&adapted.weights[layout_.begin[c]], width);
    if (from_[c] >= 0)
      block_weights.segment(from_[c], width) = v;
    else if (from_[c] == kAllSources)
      s += v / std::sqrt(static_cast<double>(devices));
    else if (from_[c] == kSourceMean)
      s += v[0] / mean_deviation_ * mixture;
    else
      s += (v - v.sum() * mixture) / split_length_;
  }
  double offset = adapted.offset;
  for (Index j = 0; j < devices; ++j) {
    const double a = s[j] / source_deviation_[j];
    source_weights += a * MapVector(sources_[j].weights.data(), source);
    offset += a * (sources_[j].bias - source_mean_[j]);
  }
  VectorXd score = Map(rows.blocks.data(), n, given) * block_weights;
  if (devices > 0) score += Map(rows.source.data(), n, source) * source_weights;
  std::vector<double> latency(n);
  for (Index i = 0; i < n; ++i) latency[i] = adapted.mean_ms + adapted.deviation_ms * (score[i] + offset);
  return latency;
}

Predictor GaussianProcess::predictor(const AdaptedBayes& adapted) const {
  const Tabulation tabulation(features_.space(), features_.physics().additive());
  return tabulation.predictor(
      [&](std::span<const std::uint8_t> choices) { return latency_ms(adapted, features_.rows(choices)); }, "ms");
}

std::vector<double> GaussianProcess::deviation_ms(const AdaptedBayes& adapted, std::span<const double> z) const {
  const Index columns = layout_.n_columns(), n = static_cast<Index>(z.size()) / columns;
  if (adapted.from_prior) return std::vector<double>(n, kNan);
  const auto covariance = weight_covariance(layout_, adapted.posterior, adapted.samples);
  const Map c(covariance.data(), columns + 1, columns + 1);
  const Map rows(z.data(), n, columns);
  const MatrixXd half = rows * c.topLeftCorner(columns, columns);
  VectorXd variance = half.cwiseProduct(rows).rowwise().sum();
  variance += 2 * rows * c.col(columns).head(columns);
  variance.array() += c(columns, columns);
  std::vector<double> deviation(n);
  for (Index i = 0; i < n; ++i) deviation[i] = adapted.deviation_ms * std::sqrt(std::max(variance[i], 0.0));
  return deviation;
}

ExpectedSrcc GaussianProcess::expected_srcc(const AdaptedBayes& adapted) const {
  ExpectedSrcc expected;
  if (adapted.from_prior) {
    expected.value = expected.low = expected.high = kNan;
    return expected;
  }
  const Index columns = layout_.n_columns();
  const Eigen::Map<const MatrixXd> gram(gram_.data(), columns, columns);
  const auto covariance = weight_covariance(layout_, adapted.posterior, adapted.samples);
  const MatrixXd c = Map(covariance.data(), columns + 1, columns + 1).topLeftCorner(columns, columns);
  const MapVector v(adapted.weights.data(), columns);
  const VectorXd gram_v = gram * v;
  const double explained = v.dot(gram_v), unknown = gram.cwiseProduct(c).sum(), noise = adapted.posterior.noise;
  expected.value = spearman_of_pearson(std::sqrt(explained / (explained + unknown + noise)));
  // Draws of the whole function: their correlation with the mean.
  const Eigen::LDLT<MatrixXd> factor(c);
  const VectorXd root = factor.vectorD().cwiseMax(0).cwiseSqrt();
  MatrixXd draws = root.asDiagonal() * normal_draws(columns);
  draws = factor.matrixL() * draws;
  draws = factor.transpositionsP().transpose() * draws;
  draws.colwise() += v;
  const MatrixXd gram_draws = gram * draws;
  for (Index k = 0; k < kPosteriorDraws; ++k) {
    const double own = draws.col(k).dot(gram_draws.col(k)) + noise;
    expected.draws.push_back(spearman_of_pearson(gram_v.dot(draws.col(k)) / std::sqrt(explained * own)));
  }
  std::sort(expected.draws.begin(), expected.draws.end());
  expected.low = expected.draws[kPosteriorDraws / 10];
  expected.high = expected.draws[kPosteriorDraws - 1 - kPosteriorDraws / 10];
  return expected;
}

double GaussianProcess::expected_srcc_with(const AdaptedBayes& adapted, std::span<const double> more) const {
  if (adapted.from_prior) return kNan;
  const Index columns = layout_.n_columns(), extra = static_cast<Index>(more.size()) / columns;
  const Eigen::Map<const MatrixXd> gram(gram_.data(), columns, columns);
  const auto covariance = weight_covariance(layout_, adapted.posterior, adapted.samples);
  MatrixXd c = Map(covariance.data(), columns + 1, columns + 1);
  const MapVector v(adapted.weights.data(), columns);
  const double noise = adapted.posterior.noise;
  const double total = v.dot(gram * v) + gram.cwiseProduct(c.topLeftCorner(columns, columns)).sum();
  // One measurement after the other, at the averaged hyper-parameters.
  for (Index i = 0; i < extra; ++i) {
    VectorXd x(columns + 1);
    x.head(columns) = MapVector(&more[i * columns], columns);
    x[columns] = 1;
    const VectorXd cx = c * x;
    c -= cx * cx.transpose() / (x.dot(cx) + noise);
  }
  const double unknown = gram.cwiseProduct(c.topLeftCorner(columns, columns)).sum();
  return spearman_of_pearson(std::sqrt(std::max(total - unknown, 0.0) / (total + noise)));
}

}  // namespace oneproxy
