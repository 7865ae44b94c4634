#pragma once
// Predictors of source devices, and the device-free features of a space that they and the target's model share.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/gaussian_process/block_regression.h"
#include "oneproxy/engine/device/data_sheet.h"
#include "oneproxy/engine/device/samples.h"
#include "oneproxy/engine/space/physics.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

struct SourceDevice {
  std::string name;
  SourceSamples samples;
  std::optional<DataSheet> data_sheet = {};
  std::string unit = "ms";  // of the samples
};

// Physics groups and the one-hot code as blocks of columns, and the features of the source predictors. Columns are
// centred over a reference, the whole space up to 2^16 architectures, else 10,000 uniform draws; physical columns are
// z-scored; each block is divided so that its mean squared row length over the reference is 1. Keeps the space.
class ArchitectureFeatures {
 public:
  explicit ArchitectureFeatures(SearchSpace space);
  ArchitectureFeatures(const ArchitectureFeatures&) = delete;  // the physics refer to the space in this object
  ArchitectureFeatures& operator=(const ArchitectureFeatures&) = delete;

  const SearchSpace& space() const { return space_; }
  const Physics& physics() const { return physics_; }
  const BlockLayout& layout() const { return layout_; }  // P_mac, P_n, ..., Oh
  int n_source_features() const { return n_source_; }

  struct Rows {
    std::int64_t n = 0;
    std::vector<double> blocks;  // [n, layout().n_columns()]
    std::vector<double> source;  // [n, n_source_features()]
  };
  // Error: a choice outside its radix (row and decision).
  Rows rows(std::span<const std::uint8_t> choices) const;
  Rows pick(const Rows& rows, std::span<const std::int64_t> which) const;
  const Rows& reference() const { return reference_; }
  const std::vector<std::uint8_t>& reference_choices() const { return reference_choices_; }  // [n, n_decisions]

 private:
  const SearchSpace space_;
  Physics physics_;
  BlockLayout layout_;
  int n_source_ = 0;
  std::vector<double> centre_, scale_;  // [n_columns]
  std::vector<double> block_length_;    // [blocks]
  std::vector<std::uint8_t> reference_choices_;
  Rows reference_;
};

// Ridge on latency / median with an unpenalised intercept.
//   additive spaces  one-hot code, lambda 1, eight Student-t reweightings (scale 1.4826 median |r|, nu = 4)
//   cells            one-hot code of live edges, one-hot code, half of the z-scored physical features; lambda 5
struct SourcePredictor {
  std::string name;
  std::vector<double> weights;  // [n_source_features]
  double bias = 0;
  double median_ms = 0;  // of its measurements

  // Latency / median, [n].
  std::vector<double> predict(const ArchitectureFeatures::Rows& rows) const;
};

// Errors: fewer than 3 measurements, no spread, a latency outside device/value_range.h, unequal lengths (each names
// the device).
SourcePredictor fit_source(const ArchitectureFeatures& features, const SourceDevice& device);

}  // namespace oneproxy
