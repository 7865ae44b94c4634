#include "oneproxy/engine/adapt/gaussian_process/joint_posterior.h"

#include <Eigen/Dense>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

using Eigen::MatrixXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

JointPosterior joint_posterior(const GaussianProcess& model, const AdaptedBayes& adapted) {
  ONEPROXY_ASSERT(!adapted.from_prior);
  const Eigen::Index size = model.layout().n_columns() + 1;
  const auto covariance = weight_covariance(model.layout(), adapted.posterior, adapted.samples);
  // By eigenvalues, because the covariance may be singular.
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(Eigen::Map<const MatrixXd>(covariance.data(), size, size));
  JointPosterior joint;
  joint.root.resize(size * size);
  Eigen::Map<RowMajor>(joint.root.data(), size, size) =
      adapted.deviation_ms * eigen.eigenvectors() *
      eigen.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal().toDenseMatrix();
  for (const double weight : adapted.weights) joint.mean.push_back(adapted.deviation_ms * weight);
  joint.mean.push_back(adapted.mean_ms + adapted.deviation_ms * adapted.offset);
  return joint;
}

}  // namespace oneproxy
