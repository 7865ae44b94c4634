#pragma once
// What `oneproxy fleet` found, as a result folder of its own, for `oneproxy report`.
#include <string>
#include <vector>

#include "experiments/cli/fleet_command.h"
#include "experiments/cli/fleet_device.h"
#include "oneproxy/engine/search/objective.h"

namespace oneproxy {

struct FleetResultOptions {
  std::string store, set;  // of the sources; the store may not be there
  std::string spoken;      // what the command printed, Markdown that begins with a heading
};

// Writes OUT/fleet/<first file>-<hash>/ with arrays.h5, summary.json, report.md and provenance.json; returns the
// folder. Arrays: the measurements, SRCC of each pair of devices and of each device with each proxy, and per device and
// limit the chosen network. Errors as ResultFolder.
std::string write_fleet_result(const FleetOptions& options, const FleetResultOptions& result, const SearchSpace& space,
                               const Objective& quality, const std::vector<FleetDevice>& devices,
                               const FleetCover& cover);

}  // namespace oneproxy
