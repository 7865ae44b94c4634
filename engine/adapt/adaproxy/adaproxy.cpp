#include "oneproxy/engine/adapt/adaproxy/adaproxy.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "oneproxy/engine/adapt/adaproxy/normed_least_squares.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajorMap = Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

constexpr double kExplained = 1e-12;      // of a vector: a remainder below counts as zero
constexpr double kTinyObjective = 1e-14;  // y has unit deviation; an objective below this is rounding noise
constexpr std::size_t kMinTraining = 3, kMinValidation = 2;

std::span<const double> view(const MatrixXd& m) { return {m.data(), static_cast<std::size_t>(m.size())}; }

}  // namespace

// With b given, a and c are a regression on {1, X w0}. Projecting that span out of y and of Z = X diag(w0) leaves
// 1/n ||r - A b||^2 + lambda ||b||_p, which is 2/n times the problem of NormedLeastSquares at mu = n lambda / 2.
struct AdaproxySolver::State {
  Norm norm = Norm::l2;
  MatrixXd z;  // [n, dims]
  VectorXd y;
  VectorXd prediction;      // X w0
  VectorXd slope;           // X w0, centred and of unit length; empty where X w0 is constant
  double slope_length = 0;  // before it was scaled
  MatrixXd a;               // [n, dims]
  std::optional<NormedLeastSquares> core;

  VectorXd project(const VectorXd& v) const {
    VectorXd rest = v;
    for (int pass = 0; pass < 2; ++pass) {  // the second removes what rounding left
      rest.array() -= rest.mean();
      if (slope.size() > 0) rest -= slope * slope.dot(rest);
    }
    return rest;
  }

  AdaproxySolution solve(double lambda, std::span<const double> start) const;
};

AdaproxySolver::AdaproxySolver(AdaproxyProblem problem) : state_(std::make_unique<State>()) {
  const Index n = problem.n, dims = problem.dims;
  ONEPROXY_ASSERT(n > 0 && dims > 0 && static_cast<Index>(problem.x.size()) == n * dims &&
                  static_cast<Index>(problem.w0.size()) == dims && static_cast<Index>(problem.y.size()) == n);
  State& s = *state_;
  s.norm = problem.norm;
  s.y = Eigen::Map<const VectorXd>(problem.y.data(), n);
  const Eigen::Map<const VectorXd> w0(problem.w0.data(), dims);
  s.z = RowMajorMap(problem.x.data(), n, dims) * w0.asDiagonal();

  s.prediction = s.z.rowwise().sum();
  const VectorXd centred = s.prediction.array() - s.prediction.mean();
  s.slope_length = centred.norm();
  if (s.slope_length > kExplained * s.z.norm()) s.slope = centred / s.slope_length;

  s.a.resize(n, dims);
  for (Index j = 0; j < dims; ++j) {
    s.a.col(j) = s.project(s.z.col(j));
    // A choice that all samples show, or none.
    if (s.a.col(j).norm() <= kExplained * s.z.col(j).norm()) s.a.col(j).setZero();
  }
  VectorXd r = s.project(s.y);
  if (r.norm() <= kExplained * s.y.norm()) r.setZero();
  // Samples in which the correction can explain nothing, as far as rounding lets one tell: lambda_max is 0, b is 0.
  const VectorXd lengths = s.a.colwise().norm();
  if ((s.a.transpose() * r).lpNorm<Eigen::Infinity>() <= kExplained * lengths.maxCoeff() * r.norm()) s.a.setZero();
  s.core.emplace(view(s.a), view(r), s.norm);
}

AdaproxySolver::~AdaproxySolver() = default;
AdaproxySolver::AdaproxySolver(AdaproxySolver&&) noexcept = default;
AdaproxySolver& AdaproxySolver::operator=(AdaproxySolver&&) noexcept = default;

double AdaproxySolver::lambda_max() const { return 2 * state_->core->mu_max() / static_cast<double>(state_->y.size()); }

AdaproxySolution AdaproxySolver::solve(double lambda) const { return state_->solve(lambda, {}); }

AdaproxySolution AdaproxySolver::solve(double lambda, const AdaproxySolution& start) const {
  return state_->solve(lambda, start.b);
}

AdaproxySolution AdaproxySolver::State::solve(double lambda, std::span<const double> start) const {
  const double n = static_cast<double>(y.size());
  // lambda_max() and this product round; at lambda_max() itself b is 0.
  double mu = lambda * n / 2;
  if (mu > core->mu_max() * (1 - 1e-14)) mu = std::max(mu, core->mu_max());
  ONEPROXY_ASSERT(std::isfinite(lambda) && (mu > 0 || core->mu_max() == 0));
  AdaproxySolution solution;
  solution.lambda = lambda;
  NormedMinimiser minimiser = core->solve(mu, start);
  solution.b = std::move(minimiser.b);

  const Eigen::Map<const VectorXd> b(solution.b.data(), z.cols());
  const VectorXd left = y - z * b;
  solution.a = slope.size() > 0 ? slope.dot(left) / slope_length : 0.0;
  solution.c = left.mean() - solution.a * prediction.mean();
  const VectorXd residual = left - solution.a * prediction - VectorXd::Constant(y.size(), solution.c);
  const double penalty = norm_value(norm, solution.b);
  solution.objective = residual.squaredNorm() / n + lambda * penalty;

  // Dual: maximise (2 r'theta - ||theta||^2) / n subject to ||A'theta||_q <= mu; here theta is the minimiser's
  // residual, shrunk to be feasible. The difference to the primal value is written so that nothing large cancels.
  VectorXd theta = project(Eigen::Map<const VectorXd>(minimiser.residual.data(), y.size()));
  const double dual_norm = norm_value(dual(norm), view(a.transpose() * theta));
  if (dual_norm > mu) theta *= mu / dual_norm;
  const double gap = ((residual - theta).squaredNorm() + 2 * (mu * penalty - b.dot(a.transpose() * theta))) / n;
  solution.relative_gap = gap / std::max(solution.objective, kTinyObjective);
  if (!(solution.relative_gap <= kAdaproxyMaxGap)) {
    std::ostringstream message;
    message << "internal error (please report): AdaProxy with norm " << to_string(norm) << ", " << y.size()
            << " samples of " << z.cols() << " dimensions at lambda " << lambda << " (largest "
            << 2 * core->mu_max() / n << ") ends with relative duality gap " << solution.relative_gap << ", objective "
            << solution.objective;
    throw std::logic_error(message.str());
  }
  return solution;
}

namespace {

// `what`: "training" or "validation".
void check_samples(const Samples& samples, std::span<const std::uint8_t> radices, std::size_t least,
                   const std::string& what) {
  const auto& [choices, latency_ms] = samples;
  const std::size_t n = latency_ms.size(), decisions = radices.size();
  if (n < least) {
    throw Error("AdaProxy has " + std::to_string(n) + " " + what + " samples; measure at least " +
                std::to_string(least));
  }
  if (choices.size() != n * decisions) {
    throw Error("AdaProxy's " + what + " samples hold " + std::to_string(choices.size()) + " choices for " +
                std::to_string(n) + " latencies of " + std::to_string(decisions) + " decisions; pass " +
                std::to_string(n * decisions));
  }
  for (std::size_t i = 0; i < n; ++i) {
    check_value(latency_ms[i], "", "the value of AdaProxy's " + what + " sample " + std::to_string(i));
    for (std::size_t d = 0; d < decisions; ++d) {
      if (choices[i * decisions + d] >= radices[d]) {
        throw Error("choice " + std::to_string(choices[i * decisions + d]) + " at decision " + std::to_string(d) +
                    " of AdaProxy's " + what + " sample " + std::to_string(i) + " is not below the radix " +
                    std::to_string(radices[d]) + "; check that the samples are of the proxy's space");
      }
    }
  }
}

double mean_of(const std::vector<double>& v) { return std::accumulate(v.begin(), v.end(), 0.0) / v.size(); }

// Population standard deviation.
double deviation_of(const std::vector<double>& v, double mean) {
  double squares = 0;
  for (const double value : v) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / v.size());
}

}  // namespace

AdaproxyResult adapt_adaproxy(const AdditivePredictor& proxy, double proxy_deviation, const TrainingSamples& training,
                              const ValidationSamples& validation, Norm norm) {
  const std::size_t dims = std::accumulate(proxy.radices.begin(), proxy.radices.end(), std::size_t{0});
  if (dims == 0 || proxy.weights.size() != dims) {
    throw Error("the proxy's predictor has " + std::to_string(proxy.weights.size()) + " weights for " +
                std::to_string(dims) + " choices; fit it anew");
  }
  if (!(proxy_deviation > 0) || !std::isfinite(proxy_deviation)) {
    throw Error("the proxy's predictions have deviation " + std::to_string(proxy_deviation) +
                "; choose a proxy device that tells architectures apart");
  }
  check_samples(training, proxy.radices, kMinTraining, "training");
  check_samples(validation, proxy.radices, kMinValidation, "validation");
  const double mean = mean_of(training.values), deviation = deviation_of(training.values, mean);
  if (!(deviation > kExplained * std::abs(mean))) {
    throw Error("all " + std::to_string(training.values.size()) + " training latencies of AdaProxy are " + brief(mean) +
                " ms; measure architectures that differ");
  }

  AdaproxyProblem problem;
  problem.n = static_cast<std::int64_t>(training.values.size());
  problem.dims = static_cast<std::int64_t>(dims);
  problem.norm = norm;
  problem.x.assign(training.values.size() * dims, 0.0);
  for (std::size_t i = 0, k = 0; i < training.values.size(); ++i) {
    std::size_t column = i * dims;
    for (const std::uint8_t radix : proxy.radices) {
      problem.x[column + training.choices[k++]] = 1;
      column += radix;
    }
    problem.y.push_back((training.values[i] - mean) / deviation);
  }
  for (const double weight : proxy.weights) problem.w0.push_back(weight / proxy_deviation);

  const std::vector<double> w0 = problem.w0;
  const AdaproxySolver solver(std::move(problem));
  const double lambda_max = solver.lambda_max();
  AdaproxyResult best;
  AdaproxySolution solution;
  std::vector<double> predicted(validation.values.size());
  for (int k = 0; k < kAdaproxyLambdaSteps; ++k) {
    const double lambda = lambda_max * std::pow(10.0, -k / 5.0);
    solution = k == 0 ? solver.solve(lambda) : solver.solve(lambda, solution);

    AdditivePredictor predictor{proxy.space, proxy.radices, "", "ms", {}, {mean + deviation * solution.c}, {}};
    for (std::size_t j = 0; j < dims; ++j) {
      predictor.weights.push_back(deviation * (solution.a + solution.b[j]) * w0[j]);
    }
    predictor.predict(validation.choices, predicted);
    const double srcc = spearman(predicted, validation.values, Backend::cpu).value;
    if (k == 0 || std::isnan(best.validation_srcc) || srcc >= best.validation_srcc) {
      best = {std::move(predictor), lambda, k, srcc, solution};
    }
  }
  return best;
}

}  // namespace oneproxy
