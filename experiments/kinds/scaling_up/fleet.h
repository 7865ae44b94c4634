#pragma once
// The fleet that the cost of n devices is counted on: real devices that are no sources, then plausible ones, made from
// all real devices of the set (so that they are not the devices that an optimizer was trained on), each with a latency
// function that is known in full, and with measurements that are as noisy as those of a real device.
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "experiments/kinds/scaling_up/fold.h"

namespace oneproxy::scaling_up {

class FleetDevice {
 public:
  std::string name;
  bool real = false;
  Predictor truth_ms;             // of every architecture, free of noise: what answers are judged by
  std::vector<double> limits_ms;  // [n_limits], from the truth

  // One measurement, the same each time. A real device's, where the set has it (NaN: it failed); else the truth with
  // the relative error of a measurement of a real device, drawn by the architecture.
  double measure(const SearchSpace& space, std::span<const std::uint8_t> choices) const;

 private:
  friend struct Fleet;
  std::shared_ptr<const std::map<ArchIndex, std::int64_t>> rows_;  // of the set; null: none is known
  std::vector<double> values_;                                     // [rows of the set]
  std::shared_ptr<const std::vector<double>> errors_;              // measured / truth - 1, of a real device
  Philox noise_;
};

struct Fleet {
  std::vector<FleetDevice> devices;
  int n_real = 0;

  // A generated device is a function of the generator in standard units, with the mean and the deviation of a real one.
  // Where its fastest architecture would be faster than that device's, or than a twentieth of its mean, the mean is
  // raised. The real ones are the world's first group of held-out devices.
  Fleet(const World& world, const Optima& optima);

 private:
  FleetDevice generated(const World& world, const Optima& optima, const FleetDevice& like, const LatencyBasis& basis,
                        Predictor standard, int number) const;
};

}  // namespace oneproxy::scaling_up
