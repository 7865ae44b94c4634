#pragma once
// `oneproxy fleet`: one file with the measurements of many devices, and for each of them which known devices are
// proxies, whether it was measured enough, how sure its predictor is, and the best networks within limits.
#include <string>
#include <vector>

#include "experiments/cli/adapt_command.h"

namespace oneproxy {

struct FleetOptions : DeviceOptions {
  std::vector<std::string> measurements;  // files, read as one
  std::vector<std::string> devices;       // of the files; empty: all
  std::string unit;                       // of the latencies; "": as the files say
  std::string quality;                    // "": that of the space
  std::vector<double> limits;             // ms; empty: quantiles of each device
  double threshold = 0.9;                 // SRCC from which a proxy serves, and that an adapted predictor should reach
  double confidence = 0.9;                // with which that and the limits are to hold
  std::string out;                        // CSV; "": none
  std::string results;                    // folder of results for one of its own (fleet_result.h); "": none
  std::string command;                    // as it was called, for that
};

// The report. With `out` a CSV, too: a line for each device and limit; with `results` a result folder.
std::string describe_fleet(const FleetOptions& options);

}  // namespace oneproxy
