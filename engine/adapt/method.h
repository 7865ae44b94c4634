#pragma once
// What every way to adapt has in common: built from source devices, given the target's measurements, it returns a
// predictor of the target's latency.
//   adaproxy   the paper's: one proxy's linear predictor (adapt/adaproxy.h). Of several sources, the one whose
//              predictions rank the target's samples best is the proxy.
//   bayes      Gaussian process over sources, physics and code (adapt/bayes.h)
//   finetune   a neural predictor of a source, fine-tuned (adapt/fine_tune.h)
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/adaproxy/adaproxy.h"
#include "oneproxy/engine/adapt/design/proposal.h"
#include "oneproxy/engine/adapt/gaussian_process/bayes.h"
#include "oneproxy/engine/adapt/source_predictor.h"
#include "oneproxy/engine/predictor/space_model.h"

namespace oneproxy {

// Architectures with their features, made once and used by every method. Refers to the features.
struct Architectures {
  const ArchitectureFeatures* features = nullptr;
  std::vector<std::uint8_t> choices;  // [n, n_decisions]
  ArchitectureFeatures::Rows rows;

  Architectures(const ArchitectureFeatures& of, std::vector<std::uint8_t> all)
      : features(&of), choices(std::move(all)), rows(of.rows(choices)) {}
  std::int64_t n() const { return rows.n; }
  std::span<const std::uint8_t> row(std::int64_t i) const;
};

class AdaptedPredictor {
 public:
  virtual ~AdaptedPredictor() = default;
  virtual std::vector<double> latency_ms(const Architectures& at) const = 0;  // [n]
  // Posterior standard deviation of the noiseless latency, ms, [n]. NaN where the method does not know.
  virtual std::vector<double> deviation_ms(const Architectures& at) const;
  // To search the space with: a sum over decisions, a network, or of a small space the latency of every architecture.
  // Error: none of these.
  virtual SpaceModel space_model() const = 0;
  // NaN values where the method does not know.
  virtual ExpectedSrcc expected_srcc() const = 0;
  // Why the measurements allowed no adaptation, so that a stand-in ranks; "" where they did.
  virtual std::string why_not_adapted() const { return {}; }
  bool adapted() const { return why_not_adapted().empty(); }
  // How many more measurements it needs, at most `most`; nothing where the method does not know. `measured`
  // [m, n_decisions] is not proposed again.
  virtual std::optional<Advice> advice(double /*threshold*/, double /*confidence*/, int /*most*/,
                                       std::span<const std::uint8_t> /*measured*/, std::uint64_t /*seed*/) const {
    return std::nullopt;
  }
  // Of the latencies given, those far beyond all others, which count for next to nothing.
  virtual std::vector<std::int64_t> outliers() const { return {}; }
  // What else a person should know about the measurements.
  virtual std::vector<std::string> remarks() const { return {}; }
};

class AdaptationMethod {
 public:
  virtual ~AdaptationMethod() = default;
  virtual std::string name() const = 0;
  // Rows `measured` of `all` took latency_ms [n]; NaN: failed. Errors: too few measurements for the method.
  virtual std::unique_ptr<AdaptedPredictor> adapt(const Architectures& all, std::span<const std::int64_t> measured,
                                                  std::span<const double> latency_ms) const = 0;
};

std::unique_ptr<AdaptationMethod> make_adaproxy(const ArchitectureFeatures& features,
                                                std::span<const SourceDevice> sources, Norm norm);
// Refers to the model.
std::unique_ptr<AdaptationMethod> make_bayes(const BayesModel& model);

// Measurements that choose lambda, of n in all: a quarter, 2 to 10.
int adaproxy_validation(int n);

}  // namespace oneproxy
