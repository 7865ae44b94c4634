#pragma once
// A listed space: networks that somebody lists by name in a CSV file, with no space of joint choices behind them. Its
// decisions are columns of words, its numeric features columns of numbers; an architecture is a row, its string the
// name there. Rows are kept in the order of their choices, which is the order of the index.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/data/csv.h"

namespace oneproxy {

struct SpaceDeclaration;  // space_file.h

struct SpaceList {
  std::string file;                      // the CSV
  std::vector<std::string> names;        // [n], all different; empty: the space is no list
  std::vector<std::uint32_t> by_name;    // [n] rows in the order of their names
  std::vector<std::uint8_t> choices;     // [n, n_decisions], ascending, all different
  std::vector<std::string> features;     // names of the numeric columns
  std::vector<double> values;            // [n, n_features], finite
  std::vector<int> feature_of_decision;  // [n_decisions]: the feature of the same column, -1 where it is words only
};

inline constexpr const char* kListSet = "list";                    // the set of measurements that come with a list
inline constexpr std::size_t kLongestList = std::size_t{1} << 16;  // rows

// The row of a network, -1 where the list has none of that name.
std::int64_t row_of(const SpaceList& list, const std::string& name);

// The row of `wanted` [n_decisions] among ascending rows [n, n_decisions]; -1 where it is none of them.
std::int64_t row_of(std::span<const std::uint8_t> rows, std::span<const std::uint8_t> wanted);

// The names in a column of a CSV, in the order of its rows. Errors, with lines: no such column, a name that is empty,
// comes twice, or has a comma, a quote or a bar.
std::vector<std::string> network_names(const CsvTable& table, const std::string& column);

// The keys of a listed space (docs/lists.md) and the CSV that they name, into decisions and list of `space`. Errors:
// no such CSV, one of another checksum, a missing column, and with its line: a name that is empty, comes twice or has a
// comma or a quote; a feature that is no number; two rows of equal choices; a column of one word or of more than 255.
void read_list(Config& file, SpaceDeclaration& space);

}  // namespace oneproxy
