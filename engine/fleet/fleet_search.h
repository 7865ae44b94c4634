#pragma once
// The best architecture of many devices, each under limits of its own: what a fleet asks for, exactly. Of a small space
// every architecture is looked at, many devices side by side (kernels/score/fleet.h); where latency and quality add up
// over decisions, dynamic programming answers, device after device (kernels/additive/front.h).
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "oneproxy/engine/search/objective.h"

namespace oneproxy {

struct FleetAnswer {
  std::vector<std::uint8_t> choices;  // [n_decisions]; empty: no architecture that the device can run keeps the limit
  double latency = 0, quality = 0;    // by the device's predictor, in its unit, and by the objective; 0 without answer
  bool found() const { return !choices.empty(); }
};

class FleetSearch {
 public:
  // Refers to the space. Architectures whose quality is not known are no answers. Errors: a quality that is to be
  // minimised, one that does not add up over the decisions of a large space (with the remedy).
  FleetSearch(const SearchSpace& space, const Objective& quality);
  ~FleetSearch();
  FleetSearch(FleetSearch&&) noexcept;
  FleetSearch& operator=(FleetSearch&&) noexcept;

  // Latency predictors of the devices and limits [n_devices, n_limits] -> answers [n_devices, n_limits]: the highest
  // quality whose latency, in fp64, is at most the limit; ties go to the lower latency, then to the lower index. Of
  // sums, qualities count as equal where they are equal to 52 bits of the largest sum. The same on any number of
  // threads and both back ends; dynamic programming runs on the CPU. Blocks until all is known. Errors: limits that are
  // NaN or not equally many a device, a predictor of another space, one that does not add up over a large space.
  std::vector<FleetAnswer> best(std::span<const Predictor> devices, std::span<const double> limits,
                                Backend backend) const;

  struct Method;

 private:
  std::unique_ptr<const Method> method_;
};

}  // namespace oneproxy
