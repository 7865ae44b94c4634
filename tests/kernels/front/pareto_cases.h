#pragma once
// Points that are hard on a Pareto front, and a front by definition to compare with.
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <vector>

namespace oneproxy::test {

struct ParetoCase {
  std::string name;
  std::vector<double> latency, quality;
};
inline void PrintTo(const ParetoCase& points, std::ostream* out) { *out << points.name; }

// Among them some of more than 2048 points, from where on the CPU twin filters before it sorts.
const std::vector<ParetoCase>& pareto_cases();

// The definition in pareto.h, each point against each other.
std::vector<std::int64_t> front_by_definition(std::span<const double> latency, std::span<const double> quality);

}  // namespace oneproxy::test
