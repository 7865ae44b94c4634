#pragma once
// `oneproxy next`: measurement in the loop (engine/front_loop): which networks to measure now so that the front on the
// device, or the best network within limits, is known soonest.
#include <string>
#include <vector>

#include "experiments/cli/adapt_command.h"

namespace oneproxy {

struct NextOptions : DeviceOptions {
  std::string quality;  // "": that of the space
  std::string unit, direction;
  std::string also, also_unit, also_direction;  // a second quantity, measured beside the first; "": none
  std::vector<std::string> also_sources = {"all"};
  // Of the two, with or without their unit; both, where both are given, in pairs.
  std::vector<std::string> limits, also_limits;
  std::vector<std::string> fix;           // parts of the space
  std::vector<std::string> measurements;  // files, read as one; empty: the start
  std::string out = "next.csv";           // the networks to measure
  std::string front;                      // CSV for the front so far; "": none
  int batch = 5, repeats = 3;
  double floor = 0.25, stop_gain = 0.01;

  std::string measure_with;  // a command that measures; "": a person does
  int budget = 0;            // measurements in all; 0: until it is done
  double timeout = 600;      // s for a batch; 0: none
};

// One step, or with a measuring command all of them. Returns the report for standard output.
std::string next_measurements(const NextOptions& options);

}  // namespace oneproxy
