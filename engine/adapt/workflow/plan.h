#pragma once
// Which architectures to measure on a new device, and in which order.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/design/measuring_order.h"
#include "oneproxy/engine/adapt/sources.h"

namespace oneproxy {

struct PlanSettings {
  int k = 20;  // architectures
  Selection selection = Selection::a_optimal;
  int reference_every = 0;  // after so many others the first comes again, to show whether the device drifts; 0: never
  std::uint64_t seed = 1;
};

struct PlannedMeasurement {
  std::int64_t architecture = 0;  // in Plan::choices
  int repeat = 1;                 // 1 for its first measurement, 2 for its second, ...
};

struct Plan {
  std::string space;
  std::vector<std::uint8_t> choices;             // [k, n_decisions]
  std::vector<PlannedMeasurement> measurements;  // in the order in which to make them
  std::vector<std::string> sources;
};

// Chooses among random architectures of the space (design/measuring_order.h); never looks at a target's latencies.
// `measured` [m, n_decisions] is known already: it counts, and is not planned again. Errors: k below 1, a space with
// fewer architectures left than k.
Plan plan(const Sources& sources, const PlanSettings& settings, std::span<const std::uint8_t> measured = {});

// For people: "edge 0-1 = none; edge 0-2 = skip_connect; ...".
std::string decisions_in_words(const SearchSpace& space, std::span<const std::uint8_t> choices);

// As a CSV to fill in (engine/device/measurement_csv.h), with columns for people beside. Error: it can not be written.
// `column` is the one of what is measured.
void write_plan(const Plan& plan, const SearchSpace& space, const std::string& path,
                const std::string& column = "latency_ms");

}  // namespace oneproxy
