#pragma once
// A phone that is none: latencies of any network by a formula that no predictor here knows, for `oneproxy demo`, for
// the examples, and as a command for `oneproxy next --measure-with`.
#include <cstdint>
#include <span>
#include <string>

#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// A roofline (Williams, Waterman, Patterson, "Roofline: an insightful visual performance model", CACM 2009): each layer
// takes the longer of its arithmetic and its memory traffic, and a time to start. 3x3 convolutions are quicker and 5x5
// slower for each multiply-accumulate, and edges of a cell that nothing reaches or reads are not computed: so neither
// do latencies add up over decisions, nor are they those of a device in the store.
class DemoPhone {
 public:
  // Keeps the space's address. Error: its choices are names only, so that nothing says what they cost.
  explicit DemoPhone(const SearchSpace& space);

  double latency_ms(std::span<const std::uint8_t> choices) const;  // [n_decisions], without noise
  // As a measurement gives it: times a factor of mean 1 and this relative deviation. The same network measured for the
  // same time (`repeat`, from 1) under the same seed comes out the same, whatever was measured before.
  double measure_ms(std::span<const std::uint8_t> choices, int repeat, double noise, std::uint64_t seed) const;

 private:
  const SearchSpace& space_;
};

struct DemoPhoneOptions {
  std::string space = "nasbench201", geometry;
  std::string asked, measured;  // CSV files
  int repeats = 1;              // lines for each line of `asked`
  double noise = 0.03;          // relative standard deviation of a measurement
  std::uint64_t seed = 1;
};
// `oneproxy demo-phone`: reads the column arch of one CSV, writes arch, latency_ms, repeat to the other.
std::string measure_on_demo_phone(const DemoPhoneOptions& options);

}  // namespace oneproxy
