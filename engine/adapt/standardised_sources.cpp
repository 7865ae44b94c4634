#include "oneproxy/engine/adapt/standardised_sources.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kNoSpread = 1e-300, kNoMean = 1e-12;

}  // namespace

StandardisedSources::StandardisedSources(const Sources& sources) {
  const auto& reference = sources.features->reference();
  const Index n = reference.n, d = static_cast<Index>(sources.predictors.size());
  MatrixXd functions(n, d);
  for (Index j = 0; j < d; ++j) {
    const auto predicted = sources.predictors[j].predict(reference);
    functions.col(j) = Eigen::Map<const VectorXd>(predicted.data(), n);
    mean.push_back(functions.col(j).mean());
    functions.col(j).array() -= mean.back();
    deviation.push_back(std::max(functions.col(j).norm() / std::sqrt(static_cast<double>(n)), kNoSpread));
    functions.col(j) /= deviation.back();
  }
  const MatrixXd products = functions.transpose() * functions / static_cast<double>(n);
  gram.assign(products.data(), products.data() + products.size());
}

SourcePredictor mixture(const Sources& sources, const StandardisedSources& standardised,
                        std::span<const double> coefficients) {
  ONEPROXY_ASSERT(std::ssize(coefficients) == standardised.n());
  SourcePredictor sum;
  sum.weights.assign(sources.features->n_source_features(), 0.0);
  sum.median_ms = 1;
  for (int j = 0; j < standardised.n(); ++j) {
    const auto& source = sources.predictors[j];
    const double a = coefficients[j] / standardised.deviation[j];
    for (std::size_t i = 0; i < sum.weights.size(); ++i) sum.weights[i] += a * source.weights[i];
    sum.bias += a * (source.bias - standardised.mean[j]);
  }
  return sum;
}

SourcePredictor in_ms(const Sources& sources, const StandardisedSources& standardised, std::span<const double> weights,
                      SourcePredictor function) {
  double log_mean = 0, log_relative = 0;
  for (int j = 0; j < standardised.n(); ++j) {
    const double mean = std::max(standardised.mean[j], kNoMean);
    log_mean += weights[j] * std::log(sources.predictors[j].median_ms * mean);
    log_relative += weights[j] * std::log(standardised.deviation[j] / mean);
  }
  const double mean = std::exp(log_mean), deviation = mean * std::exp(log_relative);
  for (double& weight : function.weights) weight *= deviation;
  function.bias = mean + deviation * function.bias;
  return function;
}

}  // namespace oneproxy
