#include <algorithm>
#include <cmath>
#include <utility>

#include "oneproxy/engine/adapt/adaproxy/adaproxy.h"
#include "oneproxy/engine/adapt/methods/methods.h"
#include "oneproxy/engine/predictor/linear_fit.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

class AdaptedLinear : public AdaptedPredictor {
 public:
  AdaptedLinear(AdditivePredictor predictor, const std::string& proxy) : predictor_(std::move(predictor)) {
    predictor_.record["proxy"] = proxy;
  }

  std::vector<double> latency_ms(const Architectures& at) const override {
    std::vector<double> latency(at.n());
    predictor_.predict(at.choices, latency);
    return latency;
  }
  Predictor predictor() const override { return predictor_; }

 private:
  AdditivePredictor predictor_;
};

// Measurements that choose lambda, of n in all.
int validation_of(int n) { return std::clamp(n / 4, 2, 10); }

class AdaproxyMethod : public AdaptationMethod {
 public:
  AdaproxyMethod(const Sources& sources, Norm norm) : features_(sources.features), norm_(norm) {
    for (const auto& source : sources.devices) {
      const auto& samples = source.samples;
      Proxy proxy;
      proxy.name = source.name;
      proxy.predictor = fit_linear(features_->space(), samples.choices, samples.values);
      std::vector<double> predicted(samples.values.size());
      proxy.predictor.predict(samples.choices, predicted);
      double n = 0, mean = 0, squares = 0;
      for (std::size_t i = 0; i < predicted.size(); ++i) {
        if (std::isnan(samples.values[i])) continue;
        const double step = predicted[i] - mean;
        mean += step / ++n;
        squares += step * (predicted[i] - mean);
      }
      proxy.deviation = std::sqrt(squares / n);
      proxies_.push_back(std::move(proxy));
    }
  }

  std::unique_ptr<AdaptedPredictor> adapt(const TargetSamples& measured,
                                          const DataSheet* /*data_sheet*/) const override {
    const std::size_t decisions = features_->space().radices().size();
    Samples known;
    for (std::int64_t i = 0; i < measured.n(); ++i)
      if (!std::isnan(measured.values[i]))
        known.add(std::span(measured.choices).subspan(i * decisions, decisions), measured.values[i]);
    const int n = static_cast<int>(known.n());
    const Proxy* best = &proxies_.front();
    double best_srcc = -2;
    for (const auto& proxy : proxies_) {
      if (proxies_.size() == 1) break;
      std::vector<double> predicted(n);
      proxy.predictor.predict(known.choices, predicted);
      const double srcc = spearman(predicted, known.values, Backend::cpu).value;
      if (srcc > best_srcc) best_srcc = srcc, best = &proxy;
    }
    const auto& [choices, values] = known;
    const auto training = static_cast<std::ptrdiff_t>(std::max(0, n - validation_of(n)));
    const auto cut = choices.begin() + training * static_cast<std::ptrdiff_t>(decisions);
    const TrainingSamples train{{choices.begin(), cut}, {values.begin(), values.begin() + training}};
    const ValidationSamples validation{{cut, choices.end()}, {values.begin() + training, values.end()}};
    return std::make_unique<AdaptedLinear>(
        adapt_adaproxy(best->predictor, best->deviation, train, validation, norm_).predictor, best->name);
  }

 private:
  struct Proxy {
    std::string name;
    AdditivePredictor predictor;
    double deviation = 0;  // of its predictions
  };
  std::shared_ptr<const ArchitectureFeatures> features_;
  Norm norm_;
  std::vector<Proxy> proxies_;  // one a source
};

class AdaproxySettings : public MethodSettings {
 public:
  std::unique_ptr<MethodSettings> clone() const override { return std::make_unique<AdaproxySettings>(*this); }
  void read(Config& config) override {
    norm_ = parse_norm(config.one_of("p", to_string(norm_), {"1", "2", "inf"}, "adaproxy: norm of the penalty"));
  }
  std::unique_ptr<AdaptationMethod> make(const Sources& sources, const LearnedFromSources& /*learned*/,
                                         std::uint64_t /*seed*/) const override {
    return std::make_unique<AdaproxyMethod>(sources, norm_);
  }

 private:
  Norm norm_ = Norm::l2;
};

}  // namespace

AdaptationMethodKind adaproxy_method() {
  return {"adaproxy", "the paper's: the linear predictor of one proxy device, adapted", 1, false,
          [] { return std::make_unique<AdaproxySettings>(); }};
}

}  // namespace oneproxy
