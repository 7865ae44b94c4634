#pragma once
// Drift of a device while a person measures it: throttling, other work, a governor. An architecture that is measured
// again and again between the others (`oneproxy plan --reference`) shows it, and it can be divided out. Of public
// measurements of phones, neighbours in time are off by the same factor: with the drift out of 20 samples of FBNet on
// essential_ph_1 the SRCC with the drift-free latencies is .97, with it .94.
#include <cstdint>
#include <vector>

#include "oneproxy/engine/device/measurement_csv.h"

namespace oneproxy {

struct Drift {
  std::vector<std::int64_t> references;     // architectures measured at least 3 times with others in between
  std::vector<std::vector<double>> factor;  // of each repeat: measured = factor * undisturbed; like repeats
  double min_factor = 1, max_factor = 1;
};

// Each measurement of a reference over its median, smoothed by a running median of 3, is the factor at its line of
// the file; in between they are interpolated in logarithms, before the first and after the last they stay. The median
// factor of all measurements is 1. Without references every factor is 1.
Drift find_drift(const MeasuredArchitectures& measured);

// Repeats over their factors, and their medians.
MeasuredArchitectures without_drift(const MeasuredArchitectures& measured, const Drift& drift);

}  // namespace oneproxy
