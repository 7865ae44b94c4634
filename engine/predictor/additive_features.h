#pragma once
// A physical feature of an architecture (MACs, parameters, activation traffic) as a sum over decisions, so that a
// predictor which uses it can be folded into one row a (decision, choice).
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/space/space.h"

namespace oneproxy {

struct AdditiveFeature {
  std::string name;             // of kernels' cost models: "macs", "parameters", "activation_bytes"
  double base = 0;              // in the model's unit
  std::vector<double> per_row;  // [sum of radices]
  std::vector<double> of(std::span<const std::uint8_t> choices, std::span<const std::uint8_t> radices) const;
};

// `name` without "model:". Errors: an unknown name; a space whose cost is not the sum over its decisions (compared on
// 1,000 random architectures).
AdditiveFeature additive_feature(const SearchSpace& space, const std::string& name);

}  // namespace oneproxy
