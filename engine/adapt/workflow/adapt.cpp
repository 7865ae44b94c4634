#include "oneproxy/engine/adapt/workflow/adapt.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "oneproxy/engine/adapt/calibrate_limits.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/provenance.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/device/drift.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/engine/predictor/rate_scale.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kScattered = 0.2;      // relative spread of repeats
constexpr double kNotableDrift = 0.05;  // relative size

// Of a measurement; of predictions, which may be zero or less, scale_of() says it.
double in_unit(const Quantity& quantity, double additive) { return quantity.is_rate() ? 1000 / additive : additive; }

// Half of the shortest time that was measured.
RateScale scale_of(const MeasuredArchitectures& measured) {
  double least = std::numeric_limits<double>::infinity();
  for (const double time : measured.latency_ms)
    if (!std::isnan(time)) least = std::min(least, time);
  return {least / 2};
}

std::vector<ScatteredRepeats> scattered_repeats(const MeasuredArchitectures& measured) {
  std::vector<ScatteredRepeats> scattered;
  for (std::int64_t i = 0; i < measured.n(); ++i) {
    const auto& own = measured.repeats[i];
    if (own.size() < 2) continue;
    const auto [low, high] = std::minmax_element(own.begin(), own.end());
    if (!(*high - *low > kScattered * measured.latency_ms[i])) continue;
    const auto [min, max] = std::minmax({in_unit(measured.quantity, *low), in_unit(measured.quantity, *high)});
    scattered.push_back({i, min, max});
  }
  return scattered;
}

// What architectures that were measured again and again say of the device; divided out where that is asked for.
std::optional<DriftSeen> look_for_drift(MeasuredArchitectures& measured, bool divide_out) {
  const Drift drift = find_drift(measured);
  if (drift.references.empty()) {
    if (!divide_out) return std::nullopt;
    std::vector<std::string> files;
    for (const auto& file : measured.files) files.push_back(file.name);
    throw Error((files.empty() ? std::string("the measurements") : join(files)) +
                ": to divide out the drift takes an architecture that was measured at least 3 times with others in "
                "between, and there is none; a plan with reference 5 has one");
  }
  if (divide_out) measured = without_drift(measured, drift);
  return DriftSeen{drift.min_factor, drift.max_factor, drift.max_factor > drift.min_factor * (1 + kNotableDrift),
                   divide_out};
}

std::vector<OutlyingValue> outlying_values(const MeasuredArchitectures& measured, const AdaptedPredictor& predictor) {
  std::vector<double> known;
  for (const double additive : measured.latency_ms)
    if (!std::isnan(additive)) known.push_back(in_unit(measured.quantity, additive));
  std::vector<OutlyingValue> outliers;
  for (const auto i : predictor.outliers()) {
    const double value = in_unit(measured.quantity, measured.latency_ms[i]);
    outliers.push_back({i, value, value / median_of(known)});
  }
  return outliers;
}

// A slip of the unit shows where the sources are in the same one.
std::vector<Remark> remarks_on(const Quantity& quantity, const Sources& sources, std::vector<Remark> remarks) {
  const bool same_unit =
      !quantity.is_rate() && std::all_of(sources.devices.begin(), sources.devices.end(),
                                         [&](const auto& source) { return source.unit == quantity.unit; });
  std::vector<Remark> kept;
  for (auto& remark : remarks) {
    const bool low = remark.kind == Remark::Kind::looks_like_seconds;
    if (low || remark.kind == Remark::Kind::looks_like_microseconds) {
      if (!same_unit) continue;
      if (quantity.unit != "ms")
        remark.text = quantity.label + " is some 1000 times " + (low ? "below" : "above") +
                      " that of the sources: is it really in " + quantity.unit + "?";
    }
    kept.push_back(std::move(remark));
  }
  return kept;
}

}  // namespace

AdaptReport adapt(const Sources& sources, MeasuredArchitectures measured, const AdaptSettings& settings) {
  settings.method.require_available("adapt");
  settings.method.require_sources(sources);
  settings.method.require_data_sheets(sources, settings.data_sheet.has_value());
  const auto& space = sources.features->space();
  for (std::size_t i = 0; i < measured.repeats.size(); ++i)  // a program may have made them
    for (const double additive : measured.repeats[i])
      check_measured(in_unit(measured.quantity, additive), measured.quantity,
                     "a repeat of architecture " + std::to_string(i));
  AdaptReport report;
  report.space = space.name();
  report.geometry = space.geometry();
  report.method = settings.method.kind().name;
  report.sources = sources.names();
  report.features = sources.features;
  if (!settings.divide_out_drift) report.scattered = scattered_repeats(measured);
  report.drift = look_for_drift(measured, settings.divide_out_drift);
  report.n_known = measured.n_known();
  report.measured = std::move(measured);

  check_interrupt();
  const auto& method_settings = settings.method.settings();
  const auto learned = method_settings.learn(sources, settings.seed);
  const auto method = method_settings.make(sources, learned, settings.seed);
  report.prior = method->prior();
  check_interrupt();
  report.data_sheet = settings.data_sheet;
  report.predictor = method->adapt({report.measured.choices, report.measured.latency_ms},
                                   settings.data_sheet ? &*settings.data_sheet : nullptr);
  check_interrupt();
  report.why_not_adapted = report.predictor->why_not_adapted();
  report.outliers = outlying_values(report.measured, *report.predictor);
  report.remarks = remarks_on(report.quantity(), sources, report.predictor->remarks());
  report.expected = report.predictor->expected_srcc();
  report.threshold = settings.threshold;
  report.probability = report.expected.probability(settings.threshold);
  if (report.adapted())
    report.advice = report.predictor->advice(settings.threshold, settings.confidence, kMaxAdvised,
                                             report.measured.choices, settings.seed);
  check_interrupt();
  if (settings.calibrate && report.adapted() && report.predictor->noise())
    report.calibration =
        calibrate_limits(sources, method_settings, learned, static_cast<int>(report.n_known), settings.seed);
  return report;
}

Predictions predict(const AdaptReport& report, std::vector<std::uint8_t> choices) {
  const std::size_t decisions = report.features->space().radices().size();
  const auto row = [&](const std::vector<std::uint8_t>& all, std::size_t i) {
    return std::vector<std::uint8_t>(all.begin() + i * decisions, all.begin() + (i + 1) * decisions);
  };
  std::map<std::vector<std::uint8_t>, double> known;
  for (std::int64_t i = 0; i < report.measured.n(); ++i)
    known[row(report.measured.choices, i)] = in_unit(report.quantity(), report.measured.latency_ms[i]);
  const Architectures at(*report.features, std::move(choices));
  Predictions predictions{at.choices, report.predictor->latency_ms(at), report.predictor->deviation_ms(at), {}};
  const RateScale scale = scale_of(report.measured);
  for (std::int64_t i = 0; i < at.n(); ++i) {
    const auto found = known.find(row(at.choices, i));
    predictions.measured.push_back(found == known.end() ? std::numeric_limits<double>::quiet_NaN() : found->second);
    if (!report.quantity().is_rate()) continue;
    double &value = predictions.values[i], &deviation = predictions.deviations[i];
    deviation = scale.deviation(-value, deviation);
    value = scale.rate(-value);
  }
  return predictions;
}

Predictor recorded_predictor(const AdaptReport& report, const std::string& device) {
  if (!report.adapted()) throw Error(report.why_not_adapted + ": there is no predictor; measure more architectures");
  std::vector<std::string> files, checksums;
  for (const auto& file : report.measured.files) {
    files.push_back(file.name);
    checksums.push_back(file.sha256);
  }
  const Quantity& quantity = report.quantity();
  Predictor model = report.predictor->predictor();
  if (quantity.is_rate()) model = as_rate(std::move(model), scale_of(report.measured));
  std::visit(
      [&](auto& m) {
        m.target = quantity.label + " on " + device;
        m.unit = quantity.unit;
        m.record["direction"] = to_string(quantity.direction);
        m.record["source"] =
            (files.empty() ? "" : join(files) + ", ") + count_of(report.n_known, "measurement") + ", " + report.method;
        m.record["licence"] = std::string("private");
        m.record["method"] = report.method;
        m.record["n_measured"] = report.n_known;
        m.record["sources"] = join(report.sources);
        m.record["measurements_sha256"] = join(checksums);
        m.record["version"] = version();
        m.record["geometry"] = report.geometry;
        if (!report.prior.empty()) m.record["prior"] = report.prior;
        if (!std::isnan(report.expected.value)) m.record["expected_srcc"] = report.expected.value;
      },
      model);
  return model;
}

std::optional<Posterior> recorded_posterior(const AdaptReport& report) {
  // Of a rate it would be that of the time, which the predictor does not answer; and errors at answers were learnt of
  // what is minimised: the other tail is another.
  if (report.quantity().is_rate() || report.quantity().maximised()) return std::nullopt;
  auto posterior = report.adapted() ? report.predictor->posterior() : std::nullopt;
  if (posterior && report.calibration) {
    posterior->calibration = report.calibration->over_rows;
    posterior->over_space = report.calibration->over_space;
  }
  return posterior;
}

Device measured_device(const AdaptReport& report, const std::string& device) {
  Device measured{device, report.space, {}, report.data_sheet};
  if (additive_unit(report.quantity()) != "ms") return measured;
  const std::size_t decisions = report.features->space().radices().size();
  for (std::int64_t i = 0; i < report.measured.n(); ++i)
    if (!std::isnan(report.measured.latency_ms[i]))
      measured.references.add(std::span(report.measured.choices).subspan(i * decisions, decisions),
                              report.measured.latency_ms[i]);
  return measured;
}

}  // namespace oneproxy
