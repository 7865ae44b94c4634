#pragma once
// A search as a person asks for it: two or three objectives by their names, each with limits, and a budget. What is
// checked here holds for every door, the command line and Python; errors begin with the place that the door gives.
#include <optional>
#include <string>
#include <vector>

#include "oneproxy/engine/search/computed_objective.h"
#include "oneproxy/engine/search/method.h"

namespace oneproxy {

struct AskedObjective {
  std::string what, name;              // what it is, as make_objective reads it, and how results call it
  std::optional<Direction> direction;  // nothing: the one that is known of it, else minimised
  std::vector<double> limits = {};     // one a search
  std::string key = {};                // begins errors of what it is
  std::string place = {};              // begins errors of its name and its limits
  std::string folder = {};             // that files are looked for in; "": the working directory
  std::string limit_unit = {};         // that the limits were written in; "": that of the objective, whatever it is
  ComputeValues compute = {};          // where a function computes it; `what` is not looked up then, direction is given
  std::string unit = {};               // of what is computed
};

// Errors: two of a name; numbers of limits that do not go together.
void check_objectives(std::span<const AskedObjective> asked);

// Of one kind each, with the names asked for. The posteriors are those of the whole space, where all cover it.
std::vector<Objective> make_objectives(ObjectiveSources sources, std::span<const AskedObjective> asked);

// What to say where a model stands in for a goal that nobody measured; "" where none does.
std::string stand_in_warning(const Objective& goal, const std::string& what);

// One question for each of the limits, equal ones once; none where no objective has a limit. One limit of an objective
// goes with all of another.
std::vector<Limits> limits_of(std::span<const AskedObjective> asked);

// Error for a limit on an objective beside the goal that no architecture keeps, where that is certain.
void require_possible(const SearchProblem& problem, std::span<const Limits> limits,
                      std::span<const AskedObjective> asked);

// Errors: a budget that the method does not keep to. The places begin them.
void require_budget(const SearchMethodKind& method, const SearchBudget& budget, const std::string& place_of_seconds,
                    const std::string& place_of_evaluations);

}  // namespace oneproxy
