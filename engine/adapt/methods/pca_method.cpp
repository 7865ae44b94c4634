#include <cmath>
#include <utility>

#include "oneproxy/engine/adapt/methods/adapted_mixture.h"
#include "oneproxy/engine/adapt/methods/methods.h"
#include "oneproxy/engine/adapt/principal_components.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kMinSamples = 3;

struct PcaOptions {
  int components = 8;
  double inflation = 3;  // of the sources' variance: a target is further from them than they from each other
};

class PcaMethod : public AdaptationMethod {
 public:
  PcaMethod(Sources sources, const PcaOptions& options)
      : sources_(std::move(sources)),
        options_(options),
        standardised_(sources_),
        components_(standardised_, options.components) {}

  std::unique_ptr<AdaptedPredictor> adapt(const TargetSamples& measured,
                                          const DataSheet* /*data_sheet*/) const override {
    const auto known = known_samples(measured, "pca");
    const auto n = known.n();
    double mean = 0, squares = 0;
    for (const double v : known.values) mean += v / static_cast<double>(n);
    for (const double v : known.values) squares += (v - mean) * (v - mean) / static_cast<double>(n);
    const double deviation = std::sqrt(squares);
    if (n < kMinSamples || !(deviation > 1e-9 * mean)) return sources_mean(known);
    std::vector<double> y;
    for (const double v : known.values) y.push_back((v - mean) / deviation);
    const auto posterior = fit_components(sources_, standardised_, components_, options_.inflation,
                                          sources_.features->rows(known.choices), y);
    auto latency = mixture(sources_, standardised_, posterior.coefficients);
    for (double& weight : latency.weights) weight *= deviation;
    latency.bias = mean + deviation * (latency.bias + posterior.constant);
    return std::make_unique<AdaptedMixture>(sources_.features, std::move(latency), std::vector<Remark>{}, "");
  }

  std::string prior() const override {
    return std::to_string(components_.n()) + " principal components of " +
           count_of(standardised_.n(), "source device") + ", variance times " + plain(options_.inflation);
  }

 private:
  std::unique_ptr<AdaptedPredictor> sources_mean(const Samples& known) const {
    const std::string why =
        known.n() < kMinSamples
            ? count_of(known.n(), "measurement") + (known.n() == 1 ? " is" : " are") +
                  " too few to adapt to (3 is the least)"
            : "all measurements are " + brief(known.values[0]) + " and tell nothing about the ranking";
    const std::vector<double> equal(standardised_.n(), 1.0 / standardised_.n());
    auto latency = in_ms(sources_, standardised_, equal, mixture(sources_, standardised_, equal));
    std::vector<Remark> remarks = {{Remark::Kind::not_adapted, why + ": the mean of the sources ranks"}};
    return std::make_unique<AdaptedMixture>(
        sources_.features, on_scale_of(known, *sources_.features, std::move(latency)), std::move(remarks), why);
  }

  Sources sources_;
  PcaOptions options_;
  StandardisedSources standardised_;
  PrincipalComponents components_;
};

class PcaSettings : public MethodSettings {
 public:
  std::unique_ptr<MethodSettings> clone() const override { return std::make_unique<PcaSettings>(*this); }
  void read(Config& config) override {
    options_.components = static_cast<int>(
        config.integer("components", options_.components, 1, 100, "pca: principal components of the sources"));
    options_.inflation = config.number("inflation", options_.inflation, 1e-3, 1e6,
                                       "pca: variance along them, times that of the sources");
  }
  int min_measurements() const override { return 0; }
  std::unique_ptr<AdaptationMethod> make(const Sources& sources, const LearnedFromSources& /*learned*/,
                                         std::uint64_t /*seed*/) const override {
    return std::make_unique<PcaMethod>(sources, options_);
  }

 private:
  PcaOptions options_;
};

}  // namespace

AdaptationMethodKind pca_method() {
  return {"pca", "Gaussian over the principal components of the sources' latency functions", 3, false,
          [] { return std::make_unique<PcaSettings>(); }};
}

}  // namespace oneproxy
