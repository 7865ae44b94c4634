// The priors of `bayes`: stated by hand, flat, or learnt from source devices.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "oneproxy/engine/adapt/gaussian_process/bayes.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::VectorXd;
using MapVector = Eigen::Map<const VectorXd>;

constexpr int kPriorSamples = 60, kPriorDraws = 2, kPriorPoints = 512, kPriorRounds = 2;
constexpr std::size_t kMaxHeldOut = 10;  // devices that play the target
constexpr double kMinPriorVariance = 0.09, kPriorWidening = 1.0, kStartWidth = 2.0;

// Which of d devices play the target.
std::vector<std::size_t> held_out(std::size_t d) {
  std::vector<std::size_t> devices;
  const std::size_t count = std::min(d, kMaxHeldOut);
  for (std::size_t i = 0; i < count; ++i) devices.push_back(i * d / count);
  return devices;
}

}  // namespace

BlockPrior stated_prior(const BlockLayout& layout, PriorChoice choice) {
  const auto& names = layout.names;
  const bool split = std::find(names.begin(), names.end(), "S_mean") != names.end();
  BlockPrior prior;
  for (const auto& name : names) {
    double median = 0.03, rho = 0;
    if (name == "S") median = 0.5, rho = 0.7;
    if (name == "S_mean") median = 0.5, rho = 1;
    if (name == "S_dev") median = 0.15;
    if (name == "P_mac" || name == "P_size") median = split ? 0.02 : 0.1, rho = split ? 0 : 0.7;
    if (name == "P_n") median = split ? 0.02 : 0.1;
    if (name == "P_mem" || name == "P_pool") median = split ? 0.01 : 0.05;
    if (split && (name == "P_rest" || name == "Oh")) median = 0.005;
    if (choice == PriorChoice::flat) median = 0.1;
    prior.log_mean.push_back(std::log(median));
    prior.deviation.push_back(split ? 1 : 2);
    prior.rho.push_back(rho);
  }
  prior.log_mean.push_back(std::log(0.2));
  prior.deviation.push_back(1.5);
  return prior;
}

BlockPrior learn_prior(const ArchitectureFeatures& features, std::span<const SourceDevice> devices,
                       const BayesOptions& options, std::uint64_t seed) {
  const std::size_t d = devices.size(), decisions = features.space().radices().size();
  if (d < 3)
    throw Error("a prior is learnt from at least 3 source devices, there are " + std::to_string(d) +
                "; use prior = \"flat\"");
  std::vector<SourcePredictor> predictors;
  for (const auto& device : devices) predictors.push_back(fit_source(features, device));
  // The start: flat, and wide whatever the layout, so that it is the sources that speak.
  BayesOptions flat = options;
  flat.prior = PriorChoice::flat;
  BlockPrior prior = GaussianProcess(features, predictors, flat).prior();
  std::fill(prior.deviation.begin(), prior.deviation.end() - 1, kStartWidth);
  for (int round = 0; round < kPriorRounds; ++round) {
    std::vector<VectorXd> means, variances;
    for (const std::size_t target : held_out(d)) {
      check_interrupt();
      auto others = predictors;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(target));
      BayesOptions one = options;
      one.regression.points = kPriorPoints;
      const GaussianProcess model(features, others, one, prior);
      const auto& device = devices[target].samples;
      std::vector<std::int64_t> known;
      for (std::size_t i = 0; i < device.values.size(); ++i)
        if (!std::isnan(device.values[i])) known.push_back(static_cast<std::int64_t>(i));
      for (int draw = 0; draw < kPriorDraws; ++draw) {
        const auto order = random_permutation(
            static_cast<std::int64_t>(known.size()),
            random_stream(seed, Draws::prior_samples, static_cast<std::uint32_t>(target * kPriorDraws + draw)));
        std::vector<std::uint8_t> choices;
        std::vector<double> latency;
        for (std::size_t i = 0; i < std::min<std::size_t>(order.size(), kPriorSamples); ++i) {
          const auto row = known[order[i]];
          choices.insert(choices.end(), &device.choices[row * decisions], &device.choices[row * decisions] + decisions);
          latency.push_back(device.values[row]);
        }
        const auto adapted = model.adapt(model.design(features.rows(choices)), latency);
        if (adapted.from_prior) continue;
        const auto& at = adapted.posterior;
        const Index q = static_cast<Index>(at.log_hyper_mean.size());
        means.push_back(MapVector(at.log_hyper_mean.data(), q));
        variances.push_back(MapVector(at.log_hyper_variance.data(), q));
      }
    }
    if (means.empty())
      throw Error(
          "no source device's latencies differ but for outliers, so there is no prior to learn; choose others or "
          "use prior = \"flat\"");
    const auto count = static_cast<double>(means.size());
    VectorXd mean = VectorXd::Zero(means[0].size()), variance = mean;
    for (const auto& one : means) mean += one / count;
    for (std::size_t i = 0; i < means.size(); ++i)
      variance += ((means[i] - mean).array().square().matrix() + variances[i]) / count;
    variance = variance.cwiseMax(kMinPriorVariance);
    if (round + 1 == kPriorRounds) variance.array() += kPriorWidening;
    prior.log_mean.assign(mean.data(), mean.data() + mean.size());
    const VectorXd deviation = variance.cwiseSqrt();
    prior.deviation.assign(deviation.data(), deviation.data() + deviation.size());
  }
  return prior;
}

}  // namespace oneproxy
