#include <utility>

#include "oneproxy/engine/adapt/design/measuring_order.h"
#include "oneproxy/engine/adapt/gaussian_process/posterior_table.h"
#include "oneproxy/engine/adapt/methods/adapted_mixture.h"
#include "oneproxy/engine/adapt/methods/methods.h"
#include "oneproxy/engine/adapt/sheet_regression.h"
#include "oneproxy/kernels/base/error.h"

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
  std::optional<MeasurementNoise> noise() const override {
    if (adapted_.from_prior) return std::nullopt;
    return noise_of(adapted_);
  }
  std::optional<Posterior> posterior() const override {
    if (adapted_.from_prior) return std::nullopt;
    return tabulate_posterior(model_, adapted_);
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
  std::unique_ptr<AdaptedPredictor> adapt(const TargetSamples& measured,
                                          const DataSheet* /*data_sheet*/) const override {
    const auto z = owned_->model.design(owned_->features->rows(measured.choices));
    return std::make_unique<AdaptedByBayes>(owned_, owned_->model.adapt(z, measured.values));
  }
  std::string prior() const override { return prior_; }
  const GaussianProcess* model() const override { return &owned_->model; }

 private:
  std::shared_ptr<const OwnedModel> owned_;
  std::string prior_;
};

// The same around what the target's data sheet says: the mixture of the sources that it predicts is the expected
// direction, in the place of their mean. Without measurements it is the prediction.
class BayesWithDataSheet : public AdaptationMethod {
 public:
  BayesWithDataSheet(Sources sources, BayesOptions options, BlockPrior prior, std::string said)
      : sources_(std::move(sources)),
        standardised_(sources_),
        regression_(data_sheets_of(sources_, "bayes with use_data_sheet"), standardised_),
        options_(std::move(options)),
        prior_(std::move(prior)),
        model_(*sources_.features, sources_.predictors, options_, prior_),
        said_(std::move(said)) {}

  std::unique_ptr<AdaptedPredictor> adapt(const TargetSamples& measured, const DataSheet* data_sheet) const override {
    if (!data_sheet) throw Error(no_data_sheet("bayes with use_data_sheet"));
    const auto known = known_samples(measured, "bayes");
    auto options = options_;
    auto prediction = regression_.predict(*data_sheet);
    auto remarks = SheetRegression::remarks(prediction);
    options.source_weights = std::move(prediction.weights);
    if (known.n() == 0) {
      const auto& weights = options.source_weights;
      return std::make_unique<AdaptedMixture>(
          sources_.features, in_ms(sources_, standardised_, weights, mixture(sources_, standardised_, weights)),
          std::move(remarks), "");
    }
    auto owned = std::make_shared<const OwnedModel>(
        OwnedModel{sources_.features, {*sources_.features, sources_.predictors, options, prior_}});
    const auto z = owned->model.design(owned->features->rows(measured.choices));
    auto adapted = owned->model.adapt(z, measured.values);
    adapted.remarks.insert(adapted.remarks.end(), remarks.begin(), remarks.end());
    return std::make_unique<AdaptedByBayes>(std::move(owned), std::move(adapted));
  }
  std::string prior() const override { return said_; }
  const GaussianProcess* model() const override { return &model_; }

 private:
  Sources sources_;
  StandardisedSources standardised_;
  SheetRegression regression_;
  BayesOptions options_;
  BlockPrior prior_;
  GaussianProcess model_;  // of any target
  std::string said_;
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
    use_data_sheet_ = config.flag("use_data_sheet", use_data_sheet_, "bayes: what the target's data sheet says counts");
  }
  bool needs_data_sheet() const override { return use_data_sheet_ && options_.sources; }
  int min_measurements() const override { return needs_data_sheet() ? 0 : 1; }

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
    if (needs_data_sheet())
      return std::make_unique<BayesWithDataSheet>(sources, options_, owned->model.prior(), said + ", data sheets");
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
  bool use_data_sheet_ = false;
};

}  // namespace

AdaptationMethodKind bayes_method() {
  return {"bayes", "Gaussian process over source devices, physical features and code", 0, false,
          [] { return std::make_unique<BayesSettings>(); }};
}

}  // namespace oneproxy
