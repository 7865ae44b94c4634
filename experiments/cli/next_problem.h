#pragma once
// What `oneproxy next` asks the loop: the quantities that are measured, the quality, the candidates.
#include <memory>
#include <string>
#include <vector>

#include "experiments/cli/next_command.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/engine/front_loop/front_loop.h"
#include "oneproxy/engine/space/subspace.h"

namespace oneproxy {

struct NextProblem {
  std::vector<Quantity> columns;  // [1 or 2]
  MeasurementForm form;           // of the files that hold them
  std::shared_ptr<const ArchitectureFeatures> features;
  std::string quality;  // as it was asked for
  FrontLoopProblem loop;
  FrontLoopSettings settings;

  const SearchSpace& space() const { return features->space(); }
};

// Errors: no quality is known, or not over the part of the space; a space too large to look at every
// architecture, whose features do not add up over decisions; limits that do not belong together.
NextProblem next_problem(const NextOptions& options);

}  // namespace oneproxy
