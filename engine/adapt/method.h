#pragma once
// What every way to adapt has in common: built from source devices, given the target's measurements, it returns a
// predictor of the target's latency, or of what else adds up (device/quantity.h). The methods: adapt/method_registry.h.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/design/advice.h"
#include "oneproxy/engine/adapt/gaussian_process/bayes.h"
#include "oneproxy/engine/adapt/source_predictor.h"
#include "oneproxy/engine/device/samples.h"
#include "oneproxy/engine/predictor/posterior.h"
#include "oneproxy/engine/predictor/predictor.h"

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

// Owns all that it needs: it may outlive the method and the sources.
class AdaptedPredictor {
 public:
  virtual ~AdaptedPredictor() = default;
  virtual std::vector<double> latency_ms(const Architectures& at) const = 0;  // [n]
  // Posterior standard deviation of the noiseless latency, ms, [n]. NaN where the method does not know.
  virtual std::vector<double> deviation_ms(const Architectures& at) const;
  // Of one measurement, in ms; nothing where the method does not know.
  virtual std::optional<MeasurementNoise> noise() const { return std::nullopt; }
  // What is not known of predictor()'s values, with the stated calibration; nothing where the method does not know.
  virtual std::optional<Posterior> posterior() const { return std::nullopt; }
  // To search the space with: a sum over decisions, a network, or of a small space the latency of every architecture.
  // Error: none of these.
  virtual Predictor predictor() const = 0;
  // NaN values where the method does not know.
  virtual ExpectedSrcc expected_srcc() const;
  // Why the measurements allowed no adaptation, so that the sources alone rank; "" where they did.
  virtual std::string why_not_adapted() const { return {}; }
  bool adapted() const { return why_not_adapted().empty(); }
  // How many more measurements it needs, at most `max_more`; nothing where the method does not know. `measured`
  // [m, n_decisions] is not proposed again.
  virtual std::optional<Advice> advice(double /*threshold*/, double /*confidence*/, int /*max_more*/,
                                       std::span<const std::uint8_t> /*measured*/, std::uint64_t /*seed*/) const {
    return std::nullopt;
  }
  // Of the latencies given, those far beyond all others, which count for next to nothing.
  virtual std::vector<std::int64_t> outliers() const { return {}; }
  // What else a person should know about the measurements.
  virtual std::vector<Remark> remarks() const { return {}; }
};

class AdaptationMethod {
 public:
  virtual ~AdaptationMethod() = default;
  // NaN values are failed measurements. data_sheet: of the target; nullptr where there is none, and of no consequence
  // for methods that use none. Errors: too few measurements for the method, no data sheet where it needs one.
  virtual std::unique_ptr<AdaptedPredictor> adapt(const TargetSamples& measured, const DataSheet* data_sheet) const = 0;
  std::unique_ptr<AdaptedPredictor> adapt(const TargetSamples& measured) const { return adapt(measured, nullptr); }
  // Where its prior comes from, for people; "" without one.
  virtual std::string prior() const { return {}; }
  // The Gaussian process behind it, with whose blocks a design is made; nullptr where there is none.
  virtual const GaussianProcess* model() const { return nullptr; }
};

}  // namespace oneproxy
