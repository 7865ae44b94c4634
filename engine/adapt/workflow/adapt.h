#pragma once
// A predictor of a new device from its measurements, and what the measurements say of it and of the device. They may be
// latencies or any other quantity (engine/device/quantity.h): inside all is what adds up over the parts of a network,
// of a rate the time of an item; predictions and the predictor that is written are in the quantity's own unit.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/method_registry.h"
#include "oneproxy/engine/adapt/sources.h"
#include "oneproxy/engine/device/device.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/engine/predictor/posterior.h"

namespace oneproxy {

struct AdaptSettings {
  MethodChoice method = {};
  bool divide_out_drift = false;
  double threshold = 0.9;   // SRCC that is good enough
  double confidence = 0.9;  // probability of it at which to stop measuring
  std::uint64_t seed = 1;
  std::optional<DataSheet> data_sheet = {};  // of the target
  bool calibrate = false;  // learn from the sources how far from a limit to stay (calibrate_limits.h): takes a second
};

// Further measurements that are looked at when advising how many more to make.
inline constexpr int kMaxAdvised = 64;

// Architectures are counted as AdaptReport::measured has them, values are in the quantity's unit.
struct OutlyingValue {
  std::int64_t architecture = 0;
  double value = 0, times_median = 0;  // counts for next to nothing
};
struct ScatteredRepeats {
  std::int64_t architecture = 0;
  double min = 0, max = 0;  // further apart than a fifth of the median
};
struct DriftSeen {
  double min_factor = 1, max_factor = 1;  // of the device's middle speed
  bool notable = false;                   // by more than 5 %
  bool divided_out = false;
};

struct AdaptReport {
  std::string space, geometry, method;
  std::string prior;  // where the method's prior comes from; "" without one
  std::vector<std::string> sources;

  MeasuredArchitectures measured;           // without the drift, where it was divided out
  std::int64_t n_known = 0;                 // of them, with a latency
  std::optional<DriftSeen> drift;           // nothing where no architecture was measured again and again
  std::vector<ScatteredRepeats> scattered;  // looked for where the drift stays in
  std::vector<OutlyingValue> outliers;
  std::vector<Remark> remarks;  // of the method

  std::string why_not_adapted;            // "" where adapted
  ExpectedSrcc expected;                  // NaN values where the method does not know
  double threshold = 0, probability = 0;  // that the SRCC is at least the threshold; NaN likewise
  std::optional<Advice> advice;           // nothing where the method does not know, or nothing was adapted

  std::optional<LimitCalibrations> calibration;  // where it was asked for, and the method knows a posterior
  std::optional<DataSheet> data_sheet;           // of the target, as given
  std::shared_ptr<const ArchitectureFeatures> features;
  std::unique_ptr<AdaptedPredictor> predictor;  // owns what it needs

  bool adapted() const { return why_not_adapted.empty(); }
  const Quantity& quantity() const { return measured.quantity; }
};

// Errors: no measurement that succeeded, drift to be divided out that nothing shows, what the method refuses.
AdaptReport adapt(const Sources& sources, MeasuredArchitectures measured, const AdaptSettings& settings);

// Predictions beside what was measured, [n], in the quantity's unit; NaN where not measured, deviations NaN where
// unknown.
struct Predictions {
  std::vector<std::uint8_t> choices;  // [n, n_decisions]
  std::vector<double> values, deviations, measured;
};
Predictions predict(const AdaptReport& report, std::vector<std::uint8_t> choices);

// What a search takes, with target, unit and the record of how it came to be, the direction among it. Error: nothing
// was adapted.
Predictor recorded_predictor(const AdaptReport& report, const std::string& device);

// What is not known of that predictor, calibrated where that was asked for; nothing where the method does not know,
// and of rates.
std::optional<Posterior> recorded_posterior(const AdaptReport& report);

// The device that it was adapted to: the networks that were measured on it, where latencies (or rates, as the time of
// an item) were measured, and its data sheet where there is one.
Device measured_device(const AdaptReport& report, const std::string& device);

}  // namespace oneproxy
