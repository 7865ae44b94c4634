#pragma once
// What is not known about the values of an adapted predictor: how far the truth of an architecture may be from its
// prediction, the noise of one measurement of it, and how large the errors of such predictions are at what a search
// answers. It stands below its predictor in a file or a store, and makes of a limit one that holds with a confidence:
//   spread(x)^2 = deviation(x)^2 + noise(x)^2                    of one measurement of x around the predicted value
//   kept:         value(x) + z spread(x) <= limit                z: quantile of the calibration at the confidence
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/predictor/additive_predictor.h"
#include "oneproxy/engine/predictor/index_table.h"
#include "oneproxy/engine/predictor/limit_calibration.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// Of one measurement, in the unit of the value. It grows with the value, from a floor on: what is slow scatters more.
//   noise(value)^2 = deviation^2 (kFloor^2 + (value / typical)^2)
struct MeasurementNoise {
  static constexpr double kFloor = 0.15;
  double deviation = 0, typical = 1;  // typical > 0: the mean value of what was measured
  double variance(double value) const;
};

struct Posterior {
  // deviation(x)^2 = sum of factor(x)^2 where the predictor adds up over decisions; else the deviation of each
  // architecture. In the unit of the value.
  std::variant<std::vector<AdditivePredictor>, IndexTable> deviation;
  MeasurementNoise noise;
  LimitCalibration calibration;
  LimitCalibration over_space = {};  // of searches over the whole space; no errors: that of all searches

  // The one that counts where all of a space is searched; it replaces `calibration`.
  void calibrate_for_space() {
    if (!over_space.errors.empty()) calibration = over_space;
  }

  // choices [n, n_decisions] -> standard deviation of the value without noise, [n].
  void deviations(std::span<const std::uint8_t> choices, std::span<double> out) const;
  // That of one measurement. values [n] are the predicted ones.
  void spreads(std::span<const std::uint8_t> choices, std::span<const double> values, std::span<double> out) const;
};

// Error where it belongs to another space or to another layout of its code.
void check_posterior(const Posterior& posterior, const SearchSpace& space, const std::string& where);

// Over all numbers that an answer depends on, as hex.
std::string checksum(const Posterior& posterior);

// Where it stands beside its predictor: below the predictor's group ("/" in a file of its own).
inline std::string posterior_group(const std::string& predictor) { return below(predictor, "posterior"); }

// HDF5: attributes format "oneproxy-posterior", schema_version, space, noise_deviation, noise_typical, n_devices;
// radices [n_decisions] u8, errors [m]; of sums also errors_over_space [k], where these were looked for, and the
// attribute n_devices_over_space; of sums factor_weights [r, n_tables, sum of radices] and factor_bias [r, n_tables],
// else deviation [n]. Errors of reading: another format or a newer schema, missing parts, lengths that do not fit,
// numbers that are not finite.
void write_posterior(H5File& file, const std::string& group, const Posterior& posterior);
Posterior read_posterior(const H5File& file, const std::string& group);
bool is_posterior(const H5File& file, const std::string& group);

}  // namespace oneproxy
