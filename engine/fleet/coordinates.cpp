#include "oneproxy/engine/fleet/coordinates.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double kLeastShare = 1e-5;  // of the variance

}  // namespace

DeviceCoordinates::Device DeviceCoordinates::of(const Predictor& predictor) const {
  std::vector<double> values(mean.size());
  predict(predictor, reference, values);
  return of(values);
}

DeviceCoordinates::Device DeviceCoordinates::of(std::span<const double> values) const {
  const auto n = static_cast<Index>(mean.size());
  ONEPROXY_ASSERT(static_cast<Index>(values.size()) == n);
  VectorXd function = Eigen::Map<const VectorXd>(values.data(), n);
  if (!function.allFinite())
    throw Error(
        "the device's predictor knows no value of some architectures of the space; the optimizer needs one of each");
  Device device;
  device.mean = function.mean();
  function.array() -= device.mean;
  device.deviation = function.norm() / std::sqrt(static_cast<double>(n));
  if (!(device.deviation > 1e-12 * std::max(std::abs(device.mean), 1e-300)))
    throw Error("the device's predictor gives " + brief(device.mean) +
                " for every architecture; it tells nothing about the device");
  function /= device.deviation;
  const VectorXd from_mean = function - Eigen::Map<const VectorXd>(mean.data(), n);
  const Eigen::Map<const RowMajor> scaled(components.data(), n_coordinates(), n);
  const Eigen::Map<const RowMajor> unit(directions.data(), n_coordinates(), n);
  const VectorXd coordinates = scaled * from_mean, inside = unit * from_mean;
  device.coordinates.assign(coordinates.data(), coordinates.data() + coordinates.size());
  device.distance = std::sqrt(coordinates.squaredNorm() / static_cast<double>(std::max<Index>(n_coordinates(), 1)));
  const double total = from_mean.squaredNorm();
  device.outside = total > 0 ? std::sqrt(std::max(0.0, 1 - inside.squaredNorm() / total)) : 0;
  return device;
}

DeviceCoordinates fit_coordinates(std::vector<std::uint8_t> reference, std::span<const double> functions,
                                  int n_reference, int most_coordinates) {
  const auto n = static_cast<Index>(functions.size()) / n_reference;
  ONEPROXY_ASSERT(n > 1);
  DeviceCoordinates fitted;
  fitted.reference = std::move(reference);
  const Eigen::Map<const RowMajor> rows(functions.data(), n, n_reference);
  const Eigen::RowVectorXd mean = rows.colwise().mean();
  fitted.mean.assign(mean.data(), mean.data() + n_reference);
  const MatrixXd centred = rows.rowwise() - mean;
  MatrixXd covariance = MatrixXd::Zero(n_reference, n_reference);
  covariance.selfadjointView<Eigen::Lower>().rankUpdate(centred.transpose(), 1.0 / static_cast<double>(n));
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(covariance);  // reads the lower half
  const double total = solver.eigenvalues().sum();
  for (Index j = n_reference - 1; j >= 0 && fitted.n_coordinates() < most_coordinates; --j) {
    const double variance = solver.eigenvalues()[j];
    if (!(variance > kLeastShare * total)) break;
    // The sign of an eigenvector is the library's choice: the largest entry is made positive.
    VectorXd direction = solver.eigenvectors().col(j);
    Index largest;
    direction.cwiseAbs().maxCoeff(&largest);
    if (direction[largest] < 0) direction = -direction;
    fitted.directions.insert(fitted.directions.end(), direction.data(), direction.data() + n_reference);
    direction /= std::sqrt(variance);
    fitted.components.insert(fitted.components.end(), direction.data(), direction.data() + n_reference);
  }
  for (Index i = 0; i < n; ++i) {
    const auto device = fitted.of(functions.subspan(i * n_reference, n_reference));
    fitted.farthest = std::max(fitted.farthest, device.distance);
    fitted.most_outside = std::max(fitted.most_outside, device.outside);
  }
  return fitted;
}

}  // namespace oneproxy
