#pragma once
// What the current device reaches, on random data, on the two things that bound scoring, measured in the same run as
// the scores.
#include <string>

namespace oneproxy::bench {

struct DevicePeak {
  std::string name;
  int driver = 0;                       // CUDA version of the driver: 13000
  double bf16 = 0, tf32 = 0, fp32 = 0;  // FLOP/s of square matrix products of 8,192
  double bytes = 0;                     // read and written a second by a copy within the device
};
DevicePeak measure_device_peak();

}  // namespace oneproxy::bench
