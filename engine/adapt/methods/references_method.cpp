#include <map>
#include <mutex>
#include <utility>

#include "oneproxy/engine/adapt/methods/adapted_mixture.h"
#include "oneproxy/engine/adapt/methods/methods.h"
#include "oneproxy/engine/adapt/reference_network.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/train/torch_module.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kMinReferences = 3;

class AdaptedByReferences : public AdaptedPredictor {
 public:
  explicit AdaptedByReferences(MlpPredictor predictor) : predictor_(std::move(predictor)) {}
  std::vector<double> latency_ms(const Architectures& at) const override {
    std::vector<double> latency(at.n());
    predictor_.predict(at.choices, latency);
    return latency;
  }
  Predictor predictor() const override { return predictor_; }

 private:
  MlpPredictor predictor_;
};

// A network belongs to the architectures that are measured, so it is trained when these are known; targets that are
// measured on the same ones share it.
class ReferencesMethod : public AdaptationMethod {
 public:
  ReferencesMethod(Sources sources, ReferenceNetworkSettings settings)
      : sources_(std::move(sources)), settings_(std::move(settings)) {
    require_torch();
  }

  std::unique_ptr<AdaptedPredictor> adapt(const TargetSamples& measured,
                                          const DataSheet* /*data_sheet*/) const override {
    const auto known = known_samples(measured, "references");
    if (known.n() < kMinReferences)
      throw Error("method references: " + count_of(known.n(), "measurement") + " of the target, it needs " +
                  std::to_string(kMinReferences) + " at least; measure more architectures");
    std::lock_guard lock(mutex_);
    auto& network = networks_[known.choices];
    if (!network) network = std::make_unique<ReferenceNetwork>(sources_, known.choices, settings_);
    return std::make_unique<AdaptedByReferences>(network->of_device(known.values));
  }

 private:
  Sources sources_;
  ReferenceNetworkSettings settings_;
  mutable std::mutex mutex_;
  mutable std::map<std::vector<std::uint8_t>, std::unique_ptr<const ReferenceNetwork>> networks_;  // by references
};

class ReferencesSettings : public MethodSettings {
 public:
  std::unique_ptr<MethodSettings> clone() const override { return std::make_unique<ReferencesSettings>(*this); }
  void read(Config& config) override {
    auto& s = settings_;
    const auto hidden = config.integers("reference_hidden", {s.hidden.begin(), s.hidden.end()}, 1, 1 << 16,
                                        "references: widths of the hidden layers");
    s.hidden.assign(hidden.begin(), hidden.end());
    if (s.hidden.empty())
      throw Error(config.location("reference_hidden") + ": reference_hidden = [] has no layer; try [128, 128]");
    s.epochs = config.integer("reference_epochs", s.epochs, 1, 1000000, "references: over the sources' measurements");
    s.learning_rate =
        config.number("reference_learning_rate", s.learning_rate, 1e-12, 1e3, "references: of AdamW, at the start");
  }
  int min_measurements() const override { return kMinReferences; }
  std::unique_ptr<AdaptationMethod> make(const Sources& sources, const LearnedFromSources& /*learned*/,
                                         std::uint64_t seed) const override {
    auto settings = settings_;
    settings.seed = seed;
    return std::make_unique<ReferencesMethod>(sources, std::move(settings));
  }

 private:
  ReferenceNetworkSettings settings_;
};

}  // namespace

AdaptationMethodKind references_method() {
  return {"references", "one network on (architecture, measured reference latencies), trained on the sources", 3, true,
          [] { return std::make_unique<ReferencesSettings>(); }};
}

}  // namespace oneproxy
