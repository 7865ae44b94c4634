#include "oneproxy/engine/predictor/linear_fit.h"

#include <Eigen/Dense>
#include <cmath>
#include <numeric>
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

AdditivePredictor fit_linear(std::span<const std::uint8_t> radices, std::span<const std::uint8_t> choices,
                             std::span<const double> latency_ms) {
  using Eigen::Index;
  using Eigen::MatrixXd;
  using Eigen::VectorXd;
  constexpr double kRank = 1e-10;    // of the largest pivot; dependent columns leave about 1e-15
  constexpr double kSpread = 1e-12;  // of the mean latency

  const std::size_t decisions = radices.size();
  if (decisions == 0 || choices.size() != latency_ms.size() * decisions) {
    throw Error("the linear predictor got " + std::to_string(choices.size()) + " choices for " +
                std::to_string(latency_ms.size()) + " latencies of " + std::to_string(decisions) +
                " decisions; pass one choice a decision for each latency");
  }
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < latency_ms.size(); ++i) {
    if (std::isinf(latency_ms[i])) {
      throw Error("infinite latency in row " + std::to_string(i) + "; mark a failed measurement with NaN");
    }
    if (!std::isnan(latency_ms[i])) rows.push_back(i);
  }
  if (rows.size() < 2) {
    throw Error("the linear predictor has " + std::to_string(rows.size()) + " rows with a latency out of " +
                std::to_string(latency_ms.size()) + "; it needs at least 2");
  }

  const Index n = static_cast<Index>(rows.size());
  const Index dims = std::accumulate(radices.begin(), radices.end(), Index{0});
  MatrixXd codes = MatrixXd::Zero(n, dims);
  VectorXd y(n);
  for (Index i = 0; i < n; ++i) {
    y[i] = latency_ms[rows[i]];
    Index column = 0;
    for (std::size_t d = 0; d < decisions; ++d) {
      const std::uint8_t choice = choices[rows[i] * decisions + d];
      if (choice >= radices[d]) {
        throw Error("choice " + std::to_string(choice) + " at decision " + std::to_string(d) + " of row " +
                    std::to_string(rows[i]) + " is not below the radix " + std::to_string(radices[d]) +
                    "; check that the rows are of this space");
      }
      codes(i, column + choice) = 1;
      column += radices[d];
    }
  }
  const double mean = y.mean();
  y.array() -= mean;
  if (!(y.norm() > kSpread * std::abs(mean) * std::sqrt(static_cast<double>(n)))) {
    throw Error("all " + std::to_string(n) + " latencies are " + std::to_string(mean) +
                " ms; a predictor needs latencies that differ");
  }
  const Eigen::RowVectorXd shares = codes.colwise().mean();
  codes.rowwise() -= shares;

  Eigen::CompleteOrthogonalDecomposition<MatrixXd> factors;
  factors.setThreshold(kRank);
  factors.compute(codes);
  VectorXd weights = factors.solve(y);
  for (Index j = 0; j < dims; ++j) {
    if (shares[j] == 0) weights[j] = 0;  // rounding leaves 1e-17
  }

  AdditivePredictor predictor;
  predictor.radices.assign(radices.begin(), radices.end());
  predictor.unit = "ms";
  predictor.weights.assign(weights.data(), weights.data() + dims);
  predictor.bias = {mean - shares.dot(weights)};
  return predictor;
}

AdditivePredictor fit_linear(const SearchSpace& space, std::span<const std::uint8_t> choices,
                             std::span<const double> latency_ms) {
  AdditivePredictor predictor = fit_linear(space.radices(), choices, latency_ms);
  predictor.space = space.name();
  return predictor;
}

}  // namespace oneproxy
