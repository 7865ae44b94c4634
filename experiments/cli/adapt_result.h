#pragma once
// What `oneproxy adapt` found, as a result folder of its own, for `oneproxy report`.
#include <string>

#include "oneproxy/engine/adapt/workflow/adapt.h"

namespace oneproxy {

struct AdaptResultOptions {
  std::string out;              // folder of results: OUT/adapt/<device>-<hash>/
  std::string device, set;      // as the command line has them
  std::string command, spoken;  // how it was called, and what it printed
};

// Writes arrays.h5 (groups measured, expected, drift), summary.json, report.md and provenance.json; returns the folder.
// `raw`: the measurements as they were read, with their drift. What was expected with fewer of them is computed again
// from the first sixth of them, the first third, and so on. Errors as ResultFolder.
std::string write_adapt_result(const AdaptResultOptions& options, const Sources& sources,
                               const MeasuredArchitectures& raw, const AdaptReport& report,
                               const AdaptSettings& settings);

}  // namespace oneproxy
