#pragma once
// Which networks of a space a look-up table can not predict, because one of their choices has no entry.
#include <vector>

#include "oneproxy/engine/predictor/additive_predictor.h"

namespace oneproxy {

struct MissingEntry {
  int decision = 0, choice = 0;
  int n_tables = 0;        // in so many of those that there are
  ArchIndex networks = 0;  // that have it
};

struct TableCoverage {
  ArchIndex networks = 0, predicted = 0;  // of the whole space
  int n_absent = 0;                       // tables that there are not (bias NaN): resolutions
  std::vector<MissingEntry> missing;      // of the tables that there are; most networks first
};

// Time: the values of all digits, for each table. The table fits the space.
TableCoverage table_coverage(const SearchSpace& space, const AdditivePredictor& table);

}  // namespace oneproxy
