#include "oneproxy/engine/adapt/sheet_regression.h"

#include <Eigen/Dense>
#include <cmath>
#include <limits>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr std::size_t kMinSources = 3;
constexpr double kLengths[] = {0.25, 0.5, 1, 2, 4}, kRidges[] = {0.01, 0.03, 0.1, 0.3, 1};
constexpr double kFar = 2;          // D from which nothing of the nearest source is left but the mean of all
constexpr double kConstant = 1e-9;  // deviation of logarithms below which a number tells nothing

VectorXd weights_of(const MatrixXd& kernel, const VectorXd& to_target, double ridge) {
  const Index d = kernel.rows();
  MatrixXd system = kernel;
  system.diagonal().array() += ridge;
  VectorXd weights = system.ldlt().solve(to_target);
  weights.array() += (1 - weights.sum()) / static_cast<double>(d);
  return weights;
}

MatrixXd without(const MatrixXd& all, Index i) {
  const Index d = all.rows(), rest = d - 1 - i;
  MatrixXd some(d - 1, d - 1);
  some << all.topLeftCorner(i, i), all.topRightCorner(i, rest), all.bottomLeftCorner(rest, i),
      all.bottomRightCorner(rest, rest);
  return some;
}

VectorXd without(const VectorXd& all, Index i) {
  VectorXd some(all.size() - 1);
  some << all.head(i), all.tail(all.size() - 1 - i);
  return some;
}

template <class Matrix>
Matrix kernel_of(const Matrix& squared_distances, double length) {
  return (squared_distances / (-2 * length * length)).array().exp();
}

// Squared error of each source predicted from the others, summed.
double left_out_error(const MatrixXd& kernel, const MatrixXd& gram, double ridge) {
  double error = 0;
  for (Index i = 0; i < kernel.rows(); ++i) {
    const VectorXd c = weights_of(without(kernel, i), without(VectorXd(kernel.col(i)), i), ridge);
    error += gram(i, i) - 2 * c.dot(without(VectorXd(gram.col(i)), i)) + c.dot(without(gram, i) * c);
  }
  return error;
}

}  // namespace

SheetRegression::SheetRegression(std::vector<DataSheet> sheets, const StandardisedSources& sources)
    : sheets_(std::move(sheets)) {
  if (sheets_.size() < kMinSources)
    throw Error("a prediction from data sheets needs " + std::to_string(kMinSources) +
                " source devices at least, there are " + std::to_string(sheets_.size()) + "; name more sources");
  ONEPROXY_ASSERT(std::ssize(sheets_) == sources.n());
  const auto& numbers = data_sheet_numbers();
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    double n = 0, sum = 0, squares = 0;
    for (const auto& sheet : sheets_) {
      const double value = sheet.*numbers[k].value;
      if (std::isnan(value)) continue;
      ++n;
      sum += std::log(value);
      squares += std::log(value) * std::log(value);
    }
    if (n < kMinSources) continue;
    const double deviation = std::sqrt(std::max(squares / n - sum / n * sum / n, 0.0));
    if (!(deviation > kConstant)) continue;
    numbers_.push_back(numbers[k].key);
    number_.push_back(static_cast<int>(k));
    centre_.push_back(sum / n);
    scale_.push_back(deviation);
  }
  for (const auto& sheet : sheets_) z_.push_back(encode(sheet));

  const Index d = std::ssize(sheets_);
  for (Index i = 0; i < d; ++i)
    for (Index j = 0; j < d; ++j) squared_distances_.push_back(squared_distance(sheets_[i], z_[i], sheets_[j], z_[j]));
  const MatrixXd distances = Eigen::Map<const MatrixXd>(squared_distances_.data(), d, d);
  const Eigen::Map<const MatrixXd> gram(sources.gram.data(), d, d);
  double least = std::numeric_limits<double>::infinity();
  for (const double length : kLengths)
    for (const double ridge : kRidges) {
      const double error = left_out_error(kernel_of(distances, length), gram, ridge);
      if (error < least) least = error, length_ = length, ridge_ = ridge;
    }
}

std::vector<double> SheetRegression::encode(const DataSheet& sheet) const {
  std::vector<double> z;
  for (std::size_t k = 0; k < number_.size(); ++k) {
    const auto value = data_sheet_numbers()[number_[k]].value;
    double log_value = std::log(sheet.*value);
    if (std::isnan(log_value)) {
      double n = 0, sum = 0;
      for (const auto& other : sheets_)
        if (other.device_class == sheet.device_class && !std::isnan(other.*value)) ++n, sum += std::log(other.*value);
      log_value = n > 0 ? sum / n : centre_[k];
    }
    z.push_back((log_value - centre_[k]) / scale_[k]);
  }
  return z;
}

double SheetRegression::squared_distance(const DataSheet& a, const std::vector<double>& za, const DataSheet& b,
                                         const std::vector<double>& zb) const {
  double sum = 0;
  for (std::size_t k = 0; k < za.size(); ++k) sum += (za[k] - zb[k]) * (za[k] - zb[k]);
  return (za.empty() ? 0 : sum / static_cast<double>(za.size())) + (a.device_class == b.device_class ? 0 : 1);
}

SheetRegression::Prediction SheetRegression::predict(const DataSheet& target) const {
  const Index d = std::ssize(sheets_);
  const auto z = encode(target);
  const MatrixXd distances = Eigen::Map<const MatrixXd>(squared_distances_.data(), d, d);
  VectorXd to_target(d);
  for (Index i = 0; i < d; ++i) to_target[i] = squared_distance(sheets_[i], z_[i], target, z);
  Index nearest = 0;
  const double least = to_target.minCoeff(&nearest);
  const VectorXd weights = weights_of(kernel_of(distances, length_), kernel_of(to_target, length_), ridge_);
  return {{weights.data(), weights.data() + d}, sheets_[nearest].device, std::sqrt(least)};
}

std::vector<Remark> SheetRegression::remarks(const Prediction& prediction) {
  if (!(prediction.distance > kFar)) return {};
  return {{Remark::Kind::far_data_sheet,
           "the data sheet is far from those of all sources: the nearest, " + prediction.nearest + ", is " +
               fixed(prediction.distance, 1) +
               " standard deviations away, so that it says little but the sources' mean; rely on measurements"}};
}

double SheetRegression::effective_dimensions() const {
  const Index d = std::ssize(sheets_);
  const MatrixXd kernel = kernel_of(MatrixXd(Eigen::Map<const MatrixXd>(squared_distances_.data(), d, d)), length_);
  const VectorXd values = Eigen::SelfAdjointEigenSolver<MatrixXd>(kernel, Eigen::EigenvaluesOnly).eigenvalues();
  return (values.array() / (values.array() + ridge_)).sum();
}

std::vector<DataSheet> data_sheets_of(const Sources& sources, const std::string& method) {
  std::vector<DataSheet> sheets;
  std::vector<std::string> without_one;
  for (const auto& device : sources.devices) {
    if (device.data_sheet)
      sheets.push_back(*device.data_sheet);
    else
      without_one.push_back(device.name);
  }
  if (!without_one.empty())
    throw Error("method " + method + " needs a data sheet of every source, and there is none of " + join(without_one) +
                "; add [[device]] tables for them to the file of data sheets, or leave them out of the sources");
  return sheets;
}

}  // namespace oneproxy
