#include <utility>

#include "oneproxy/engine/adapt/design/measuring_order.h"
#include "oneproxy/engine/adapt/methods/methods.h"

namespace oneproxy {
namespace {

constexpr std::size_t kMinSources = 3;  // for a learnt prior

// A model with the features that it refers to.
struct OwnedModel {
  std::shared_ptr<const ArchitectureFeatures> features;
  GaussianProcess model;
};

class AdaptedByBayes : public AdaptedPredictor {
 public:
  AdaptedByBayes(std::shared_ptr<const OwnedModel> owned, AdaptedBayes adapted)
      : owned_(std::move(owned)), model_(owned_->model), adapted_(std::move(adapted)) {}
  std::vector<double> latency_ms(const Architectures& at) const override {
    return model_.latency_ms(adapted_, at.rows);
  }
  std::vector<double> deviation_ms(const Architectures& at) const override {
    return model_.deviation_ms(adapted_, model_.design(at.rows));
  }
  Predictor predictor() const override { return model_.predictor(adapted_); }
  ExpectedSrcc expected_srcc() const override { return model_.expected_srcc(adapted_); }
  std::string why_not_adapted() const override { return adapted_.why_from_prior; }
  std::optional<Advice> advice(double threshold, double confidence, int max_more,
                               std::span<const std::uint8_t> measured, std::uint64_t seed) const override {
    SpaceCandidates candidates(model_.features().space(), seed, 0);
    const auto next = choose_architectures(model_, candidates, {}, max_more, seed, measured);
    const std::size_t decisions = model_.features().space().radices().size();
    const auto n = std::min(next.choices.size(), max_more * decisions);
    return advise(model_, adapted_, expected_srcc(), threshold, confidence, std::span(next.choices).first(n));
  }
  std::vector<std::int64_t> outliers() const override { return adapted_.outliers; }
  std::vector<Remark> remarks() const override { return adapted_.remarks; }

 private:
  std::shared_ptr<const OwnedModel> owned_;
  const GaussianProcess& model_;
  AdaptedBayes adapted_;
};

class BayesMethod : public AdaptationMethod {
 public:
  BayesMethod(std::shared_ptr<const OwnedModel> owned, std::string prior)
      : owned_(std::move(owned)), prior_(std::move(prior)) {}
  std::unique_ptr<AdaptedPredictor> adapt(const TargetSamples& measured) const override {
    const auto z = owned_->model.design(owned_->features->rows(measured.choices));
    return std::make_unique<AdaptedByBayes>(owned_, owned_->model.adapt(z, measured.values));
  }
  std::string prior() const override { return prior_; }
  const GaussianProcess* model() const override { return &owned_->model; }

 private:
  std::shared_ptr<const OwnedModel> owned_;
  std::string prior_;
};

struct PriorOfSources : SourceKnowledge {
  BlockPrior prior;
};

class BayesSettings : public MethodSettings {
 public:
  std::unique_ptr<MethodSettings> clone() const override { return std::make_unique<BayesSettings>(*this); }

  void read(Config& config) override {
    const std::vector<std::string> names = {"learnt", "stated", "flat"};  // in the order of PriorChoice
    const auto name = config.one_of("prior", names[static_cast<std::size_t>(options_.prior)], names,
                                    "bayes: where its hyper-parameters come from");
    options_.prior = static_cast<PriorChoice>(std::find(names.begin(), names.end(), name) - names.begin());
    options_.split_sources =
        config.flag("split_sources", options_.split_sources, "bayes: mean of the sources apart from deviations");
  }

  std::vector<Ablation> ablations() const override {
    return {without("without sources", false, true), without("without physics", true, false),
            without("with neither", false, false)};
  }

  std::shared_ptr<const SourceKnowledge> learn_from_all(const ArchitectureFeatures& features,
                                                        std::span<const SourceDevice> devices,
                                                        std::uint64_t seed) const override {
    if (options_.prior != PriorChoice::learnt || devices.size() < kMinSources) return nullptr;
    auto learned = std::make_shared<PriorOfSources>();
    learned->prior = learn_prior(features, devices, options_, seed);
    return learned;
  }

  std::unique_ptr<AdaptationMethod> make(const Sources& sources, const LearnedFromSources& learned,
                                         std::uint64_t /*seed*/) const override {
    std::optional<BlockPrior> prior;
    if (learned.of_all) prior = static_cast<const PriorOfSources&>(*learned.of_all).prior;
    std::string said = options_.prior == PriorChoice::stated ? "stated" : "flat";
    if (options_.prior == PriorChoice::learnt)
      said = prior ? "learnt" : "flat (a learnt one needs " + std::to_string(kMinSources) + " source devices)";
    auto owned = std::make_shared<const OwnedModel>(
        OwnedModel{sources.features, {*sources.features, sources.predictors, options_, std::move(prior)}});
    return std::make_unique<BayesMethod>(std::move(owned), std::move(said));
  }

 private:
  Ablation without(const std::string& name, bool sources, bool physics) const {
    auto settings = std::make_shared<BayesSettings>(*this);
    settings->options_.sources = sources;
    settings->options_.physics = physics;
    return {name, std::move(settings)};
  }

  BayesOptions options_;
};

}  // namespace

AdaptationMethodKind bayes_method() {
  return {"bayes", "Gaussian process over source devices, physical features and code", 0, false,
          [] { return std::make_unique<BayesSettings>(); }};
}

}  // namespace oneproxy
