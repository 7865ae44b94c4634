#include "oneproxy/engine/fleet/generator.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// A component with less than this share of the variance is rounding.
constexpr double kLeastShare = 1e-9;

BayesOptions physics_alone() {
  BayesOptions options;
  options.sources = false;
  options.prior = PriorChoice::stated;
  return options;
}

}  // namespace

DeviceGenerator::DeviceGenerator(const LatencyBasis& basis, const GeneratorSettings& settings)
    : basis_(basis), settings_(settings), prior_(basis.features(), {}, physics_alone()) {
  const auto share = [](double value) { return value >= 0 && value <= 1; };
  if (!share(settings.pca_share) || !share(settings.mixture_share) ||
      settings.pca_share + settings.mixture_share > 1 + 1e-12)
    throw Error("plausible devices: a share of " + brief(settings.pca_share) + " along components and of " +
                brief(settings.mixture_share) + " mixtures; they are 0 to 1, and together at most 1");
  const Index sources = basis.n_sources();
  const Eigen::Map<const RowMajor> at(basis.at_reference().data(), basis.n_reference(), basis.n_columns());
  const MatrixXd functions = at.leftCols(sources);
  const MatrixXd centred = functions.colwise() - functions.rowwise().mean();
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(centred.transpose() * centred);
  const auto& variance = solver.eigenvalues();  // ascending
  const MatrixXd centring = MatrixXd::Identity(sources, sources).array() - 1.0 / static_cast<double>(sources);
  for (Index j = sources - 1; j >= 0 && n_components_ < settings.components; --j) {
    if (!(variance[j] > kLeastShare * variance[sources - 1])) break;
    // Centred functions times the eigenvector is a component of length sqrt(variance); the sources' own deviation along
    // it is sqrt(variance / (sources - 1)) for a unit vector.
    const Eigen::VectorXd one = centring * solver.eigenvectors().col(j) / std::sqrt(static_cast<double>(sources - 1));
    components_.insert(components_.end(), one.data(), one.data() + sources);
    ++n_components_;
  }
}

std::vector<double> DeviceGenerator::physics(RandomDraws& random) const {
  std::vector<double> weights(basis_.n_columns(), 0.0);
  const auto& layout = prior_.layout();
  const int first = basis_.n_sources();
  for (int c = 0; c < layout.n_blocks(); ++c) {
    const double scale = std::exp((prior_.prior().log_mean[c] + prior_.prior().deviation[c] * random.normal()) / 2);
    for (int j = layout.begin[c]; j < layout.begin[c + 1]; ++j)
      weights[first + j] = scale * (prior_.prior().rho[c] * prior_.direction()[j] + random.normal());
  }
  basis_.standardise(weights);
  return weights;
}

std::vector<double> DeviceGenerator::draw(int n, std::uint64_t seed, int first) const {
  const int columns = basis_.n_columns(), sources = basis_.n_sources();
  std::vector<double> all;
  all.reserve(static_cast<std::size_t>(n) * columns);
  for (int i = 0; i < n; ++i) {
    RandomDraws random(random_stream(seed, Draws::plausible_devices, static_cast<std::uint32_t>(first + i)));
    const double which = random.uniform();
    std::vector<double> weights = physics(random);
    if (which < settings_.pca_share + settings_.mixture_share)
      for (double& weight : weights) weight *= settings_.physics_amplitude;
    if (which < settings_.pca_share) {
      for (int j = 0; j < sources; ++j) weights[j] += 1.0 / sources;
      for (int c = 0; c < n_components_; ++c) {
        const double z = std::sqrt(settings_.inflation) * random.normal();
        for (int j = 0; j < sources; ++j) weights[j] += z * components_[c * sources + j];
      }
    } else if (which < settings_.pca_share + settings_.mixture_share) {
      const int parts = 1 + static_cast<int>(random.below(3));
      std::vector<double> mixture(sources, 0.0);
      double total = 0;
      for (int p = 0; p < parts; ++p) {  // exponentials over their sum: even on the simplex
        const auto source = random.below(static_cast<std::uint32_t>(sources));
        const double share = random.exponential();
        mixture[source] += share;
        total += share;
      }
      const double stretch = 1 + (settings_.most_stretch - 1) * random.uniform();
      for (int j = 0; j < sources; ++j) weights[j] += 1.0 / sources + stretch * (mixture[j] / total - 1.0 / sources);
    }
    basis_.standardise(weights);
    all.insert(all.end(), weights.begin(), weights.end());
  }
  return all;
}

std::vector<double> DeviceGenerator::draw_physics(int n, std::uint64_t seed) const {
  std::vector<double> all;
  for (int i = 0; i < n; ++i) {
    RandomDraws random(random_stream(seed, Draws::plausible_energies, static_cast<std::uint32_t>(i)));
    const auto weights = physics(random);
    all.insert(all.end(), weights.begin(), weights.end());
  }
  return all;
}

std::vector<double> DeviceGenerator::sources() const {
  const int columns = basis_.n_columns();
  std::vector<double> all(static_cast<std::size_t>(basis_.n_sources()) * columns, 0.0);
  for (int j = 0; j < basis_.n_sources(); ++j) all[j * columns + j] = 1;
  return all;
}

double nearest_srcc(std::span<const double> device, std::span<const double> others) {
  double nearest = -1;
  for (std::size_t first = 0; first < others.size(); first += device.size())
    nearest = std::max(nearest, spearman(device, others.subspan(first, device.size()), Backend::cpu).value);
  return nearest;
}

}  // namespace oneproxy
