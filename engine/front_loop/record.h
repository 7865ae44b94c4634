#pragma once
// All that was measured on the target so far, network by network.
#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/device/quantity.h"
#include "oneproxy/engine/search/objective.h"

namespace oneproxy {

// Values are to be minimised: a rate as the time of an item, of a quality to be maximised its negative.
struct RecordedNetwork {
  std::vector<std::uint8_t> choices;
  std::vector<std::vector<double>> repeats;  // [n_measured] those that succeeded, in order of time
  double quality = 0;                        // NaN: not known
  int attempts = 0;                          // failed ones too

  bool known() const;                 // every quantity was measured once
  int n_repeats() const;              // times that all of them were
  std::vector<double> point() const;  // [n_measured + 1] medians, and the quality; known
};

class MeasurementRecord {
 public:
  MeasurementRecord(const SearchSpace& space, std::vector<Quantity> measured, Objective quality);

  // values [n_measured] in the quantities' units, NaN: failed. Errors: as FrontLoop::tell.
  void tell(std::span<const std::uint8_t> choices, std::span<const double> values);

  const std::vector<RecordedNetwork>& networks() const { return networks_; }  // in order of their first measurement
  const RecordedNetwork* find(std::span<const std::uint8_t> choices) const;   // nullptr: never measured
  bool failed(std::span<const std::uint8_t> choices) const;                   // measured, in vain

  std::int64_t n_attempts() const;  // measurements, failed ones too

  // Of the first n networks: how many are known; the points [.., n_measured + 1] of these, where the quality is known.
  std::size_t n_known(std::size_t n) const;
  std::vector<double> points(std::size_t n) const;
  std::size_t n_known() const { return n_known(networks_.size()); }
  std::vector<double> points() const { return points(networks_.size()); }

 private:
  const SearchSpace& space_;
  std::vector<Quantity> measured_;
  Objective quality_;
  std::vector<RecordedNetwork> networks_;
  // Looked up for every candidate of a step: without a copy of its choices.
  struct Before {
    using is_transparent = void;
    bool operator()(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) const {
      return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
    }
  };
  std::map<std::vector<std::uint8_t>, std::size_t, Before> number_;  // in networks_
};

}  // namespace oneproxy
