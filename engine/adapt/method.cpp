#include "oneproxy/engine/adapt/method.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/engine/predictor/linear_fit.h"
#include "oneproxy/kernels/base/error.h"
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
  SpaceModel space_model() const override { return predictor_; }
  ExpectedSrcc expected_srcc() const override {
    const double unknown = std::numeric_limits<double>::quiet_NaN();
    return {unknown, unknown, unknown, {}};
  }

 private:
  AdditivePredictor predictor_;
};

class AdaproxyMethod : public AdaptationMethod {
 public:
  AdaproxyMethod(const ArchitectureFeatures& features, std::span<const SourceDevice> sources, Norm norm) : norm_(norm) {
    if (sources.empty()) throw Error("AdaProxy needs a source device, its proxy; name one");
    for (const auto& source : sources) {
      Proxy proxy;
      proxy.name = source.name;
      proxy.predictor = fit_linear(features.space(), source.choices, source.latency_ms);
      std::vector<double> predicted(source.latency_ms.size());
      proxy.predictor.predict(source.choices, predicted);
      double n = 0, mean = 0, squares = 0;
      for (std::size_t i = 0; i < predicted.size(); ++i) {
        if (std::isnan(source.latency_ms[i])) continue;
        const double step = predicted[i] - mean;
        mean += step / ++n;
        squares += step * (predicted[i] - mean);
      }
      proxy.deviation = std::sqrt(squares / n);
      proxies_.push_back(std::move(proxy));
    }
  }

  std::string name() const override { return "adaproxy"; }

  std::unique_ptr<AdaptedPredictor> adapt(const Architectures& all, std::span<const std::int64_t> measured,
                                          std::span<const double> latency_ms) const override {
    std::vector<std::uint8_t> choices;
    std::vector<double> latency;
    for (std::size_t i = 0; i < measured.size(); ++i) {
      if (std::isnan(latency_ms[i])) continue;
      const auto row = all.row(measured[i]);
      choices.insert(choices.end(), row.begin(), row.end());
      latency.push_back(latency_ms[i]);
    }
    const int n = static_cast<int>(latency.size());
    const Proxy* best = &proxies_.front();
    double best_srcc = -2;
    for (const auto& proxy : proxies_) {
      if (proxies_.size() == 1) break;
      std::vector<double> predicted(n);
      proxy.predictor.predict(choices, predicted);
      const double srcc = spearman(predicted, latency, Backend::cpu).value;
      if (srcc > best_srcc) best_srcc = srcc, best = &proxy;
    }
    const auto training = static_cast<std::size_t>(std::max(0, n - adaproxy_validation(n)));
    const std::size_t decisions = best->predictor.radices.size();
    TrainingSamples train{{choices.begin(), choices.begin() + training * decisions},
                          {latency.begin(), latency.begin() + training}};
    ValidationSamples validation{{choices.begin() + training * decisions, choices.end()},
                                 {latency.begin() + training, latency.end()}};
    return std::make_unique<AdaptedLinear>(
        adapt_adaproxy(best->predictor, best->deviation, train, validation, norm_).predictor, best->name);
  }

 private:
  struct Proxy {
    std::string name;
    AdditivePredictor predictor;
    double deviation = 0;
  };
  Norm norm_;
  std::vector<Proxy> proxies_;
};

class AdaptedByBayes : public AdaptedPredictor {
 public:
  AdaptedByBayes(const BayesModel& model, AdaptedBayes adapted) : model_(model), adapted_(std::move(adapted)) {}
  std::vector<double> latency_ms(const Architectures& at) const override {
    return model_.latency_ms(adapted_, at.rows);
  }
  std::vector<double> deviation_ms(const Architectures& at) const override {
    return model_.deviation_ms(adapted_, model_.design(at.rows));
  }
  SpaceModel space_model() const override {
    if (model_.features().physics().additive()) return model_.additive_table(adapted_);
    return model_.index_table(adapted_);
  }
  ExpectedSrcc expected_srcc() const override { return model_.expected_srcc(adapted_); }
  std::string why_not_adapted() const override { return adapted_.why_from_prior; }
  std::optional<Advice> advice(double threshold, double confidence, int most, std::span<const std::uint8_t> measured,
                               std::uint64_t seed) const override {
    const auto next = propose(model_, Selection::a_optimal, most, seed, measured);
    return advise(model_, adapted_, expected_srcc(), threshold, confidence, next);
  }
  std::vector<std::int64_t> outliers() const override { return adapted_.outliers; }
  std::vector<std::string> remarks() const override { return adapted_.remarks; }

 private:
  const BayesModel& model_;
  AdaptedBayes adapted_;
};

class BayesMethod : public AdaptationMethod {
 public:
  explicit BayesMethod(const BayesModel& model) : model_(model) {}
  std::string name() const override { return "bayes"; }
  std::unique_ptr<AdaptedPredictor> adapt(const Architectures& all, std::span<const std::int64_t> measured,
                                          std::span<const double> latency_ms) const override {
    const auto z = model_.design(model_.features().pick(all.rows, measured));
    return std::make_unique<AdaptedByBayes>(model_, model_.adapt(z, latency_ms));
  }

 private:
  const BayesModel& model_;
};

}  // namespace

std::span<const std::uint8_t> Architectures::row(std::int64_t i) const {
  const auto decisions = features->space().radices().size();
  return std::span(choices).subspan(i * decisions, decisions);
}

std::vector<double> AdaptedPredictor::deviation_ms(const Architectures& at) const {
  return std::vector<double>(at.n(), std::numeric_limits<double>::quiet_NaN());
}

int adaproxy_validation(int n) { return std::clamp(n / 4, 2, 10); }

std::unique_ptr<AdaptationMethod> make_adaproxy(const ArchitectureFeatures& features,
                                                std::span<const SourceDevice> sources, Norm norm) {
  return std::make_unique<AdaproxyMethod>(features, sources, norm);
}

std::unique_ptr<AdaptationMethod> make_bayes(const BayesModel& model) { return std::make_unique<BayesMethod>(model); }

}  // namespace oneproxy
