#pragma once
// The file of an adapted device, as `oneproxy adapt --out` writes it, read again: its predictor, what is not known of
// it, and what the measurements said.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "oneproxy/engine/adapt/workflow/adapt.h"
#include "oneproxy/engine/device/device.h"
#include "oneproxy/engine/predictor/posterior.h"
#include "oneproxy/engine/predictor/predictor.h"

namespace oneproxy {

// What stands in the record of the predictor beside it. NaN where the method did not know.
struct AdaptedRecord {
  std::string method, geometry;
  std::vector<std::string> sources;
  std::int64_t n_known = 0;  // architectures with a value
  double expected_srcc = 0, expected_low = 0, expected_high = 0;
  double threshold = 0, probability = 0;
  std::optional<Advice> advice;
  std::optional<std::pair<double, double>> drift;  // slowest and fastest, as factors
  std::vector<std::string> remarks;
  struct Outlier {
    std::string arch;
    double value = 0, times_median = 0;
  };
  std::vector<Outlier> outliers;
};

struct AdaptedFile {
  Predictor predictor;
  std::optional<Posterior> posterior;
  std::optional<Device> device;
  AdaptedRecord record;

  // choices [n, n_decisions] -> values [n] and their standard deviations [n], in the predictor's unit; these are NaN
  // where the file has no posterior.
  void predict(std::span<const std::uint8_t> choices, std::span<double> values, std::span<double> deviations) const;
};

// What AdaptedRecord reads, of a report: attributes for the predictor's record.
H5Attributes record_of(const AdaptReport& report);

// The space that the file is of. Error: no file of a predictor.
std::string adapted_space(const std::string& path);

// Errors: no file of a predictor, one of another space, one that was not made by an adaptation, damaged parts.
AdaptedFile load_adapted(const std::string& path, const SearchSpace& space);

}  // namespace oneproxy
