#pragma once
// A device as a few numbers, which a network takes: its latency function in standard units, along the principal
// components of the functions of the devices that the network is trained on, each of unit variance among them. Linear
// in the predictor's weights; any predictor has coordinates, adapted, imported or trained.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/predictor/predictor.h"

namespace oneproxy {

struct DeviceCoordinates {
  std::vector<std::uint8_t> reference;    // [n_reference, n_decisions] architectures on which functions are compared
  std::vector<double> mean;               // [n_reference] of the devices' functions
  std::vector<double> components;         // [n_coordinates, n_reference]: coordinate = <component, function - mean>
  std::vector<double> directions;         // [n_coordinates, n_reference] unit vectors of the same
  double farthest = 0, most_outside = 0;  // of the devices that it is made from, as Device has them

  int n_coordinates() const { return mean.empty() ? 0 : static_cast<int>(components.size() / mean.size()); }

  struct Device {
    double mean = 0, deviation = 1;   // of the predictor over the reference, in its unit: value = mean + deviation f
    std::vector<double> coordinates;  // [n_coordinates]
    double distance = 0;              // root mean square of the coordinates: about 1 for a device like those known
    double outside = 0;               // share of the function's deviation from the mean that no component has
    double limit(double value) const { return (value - mean) / deviation; }  // in standard units
  };
  // Errors: a predictor of another space, one that is constant or not finite over the reference.
  Device of(const Predictor& predictor) const;
  // The same of values [n_reference] over the reference.
  Device of(std::span<const double> values) const;

  // Far from every device that it is made from: what is asked for such a device is a guess.
  bool is_far(const Device& device) const { return device.distance > farthest || device.outside > most_outside; }
};

// functions [n, n_reference] in standard units. Components of less than 1e-5 of the variance are left out: their
// coordinates would be noise.
DeviceCoordinates fit_coordinates(std::vector<std::uint8_t> reference, std::span<const double> functions,
                                  int n_reference, int most_coordinates);

}  // namespace oneproxy
