#include "oneproxy/engine/adapt/gaussian_process/posterior_table.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "oneproxy/engine/adapt/gaussian_process/joint_posterior.h"
#include "oneproxy/engine/predictor/tabulation.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Values of L' (Z, 1) at the rows of table t of a tabulation: what its base has, then what each choice adds.
MatrixXd additions(const GaussianProcess& model, const MatrixXd& root, std::span<const std::uint8_t> choices) {
  const Index columns = model.layout().n_columns();
  const auto rows = model.features().rows(choices);
  const auto z = model.design(rows);
  MatrixXd values = Eigen::Map<const RowMajor>(z.data(), rows.n, columns) * root.topRows(columns);
  values.bottomRows(rows.n - 1).rowwise() -= values.row(0).eval();  // the constant cancels
  values.row(0) += root.row(columns);
  return values.transpose();  // [columns + 1, 1 + entries]
}

std::vector<AdditivePredictor> additive_factors(const GaussianProcess& model, const MatrixXd& root,
                                                const Tabulation& tabulation) {
  const auto& space = model.features().space();
  const std::vector<std::uint8_t> radices(space.radices().begin(), space.radices().end());
  Index entries = 0;
  for (const auto radix : radices) entries += radix;
  const Index width = static_cast<Index>(radices.size()), tables = tabulation.n() / (entries + 1);
  std::vector<AdditivePredictor> factors;
  for (Index t = 0; t < tables; ++t) {
    const auto choices = tabulation.choices().subspan(t * (entries + 1) * width, (entries + 1) * width);
    const MatrixXd values = additions(model, root, choices);
    // A choice 0 adds nothing: its columns stay out of the rotation, and zero.
    std::vector<Index> free = {0};
    for (Index i = 1; i <= entries; ++i)
      if (values.col(i).squaredNorm() > 0) free.push_back(i);
    const Eigen::HouseholderQR<MatrixXd> rotation(values(Eigen::all, free));
    const Index n_factors = std::min<Index>(values.rows(), std::ssize(free));
    const MatrixXd triangle = rotation.matrixQR().topRows(n_factors).triangularView<Eigen::Upper>();
    while (std::ssize(factors) < n_factors)
      factors.push_back({space.name(),
                         radices,
                         "",
                         "ms",
                         std::vector<double>(tables * entries, 0.0),
                         std::vector<double>(tables, 0.0),
                         {}});
    for (Index r = 0; r < n_factors; ++r) {
      factors[r].bias[t] = triangle(r, 0);
      for (std::size_t i = 1; i < free.size(); ++i)
        factors[r].weights[t * entries + free[i] - 1] = triangle(r, static_cast<Index>(i));
    }
  }
  return factors;
}

}  // namespace

MeasurementNoise noise_of(const AdaptedBayes& adapted) {
  ONEPROXY_ASSERT(!adapted.from_prior);
  return {adapted.deviation_ms * std::sqrt(adapted.posterior.noise), adapted.mean_ms};
}

Posterior tabulate_posterior(const GaussianProcess& model, const AdaptedBayes& adapted) {
  if (adapted.from_prior) throw Error(adapted.why_from_prior + ": there is no posterior; measure more architectures");
  const Tabulation tabulation(model.features().space(), model.features().physics().additive());
  Posterior posterior;
  posterior.noise = noise_of(adapted);
  posterior.calibration = stated_calibration();
  const auto joint = joint_posterior(model, adapted);
  const Index size = model.layout().n_columns() + 1;
  const MatrixXd root = Eigen::Map<const RowMajor>(joint.root.data(), size, size);
  if (tabulation.additive()) {
    posterior.deviation = additive_factors(model, root, tabulation);
    return posterior;
  }
  const Index columns = size - 1;
  const auto deviations = [&](std::span<const std::uint8_t> choices) {
    const auto rows = model.features().rows(choices);
    const auto z = model.design(rows);
    MatrixXd values = Eigen::Map<const RowMajor>(z.data(), rows.n, columns) * root.topRows(columns);
    values.rowwise() += root.row(columns);
    const VectorXd lengths = values.rowwise().norm();
    return std::vector<double>(lengths.begin(), lengths.end());
  };
  posterior.deviation = std::get<IndexTable>(tabulation.predictor(deviations, "ms"));
  return posterior;
}

}  // namespace oneproxy
