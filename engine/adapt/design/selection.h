#pragma once
// How architectures to measure are selected, by its name. Four ship (design.h says what they do); a program that uses
// the engine registers further ones, as Python does for those that are written there.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// Those that ship. Registered ones have the numbers that follow.
enum class Selection { random, kmeans, d_optimal, a_optimal };

// What a registered selection chooses from. Features are rows in which the prior's covariance of two architectures is
// the product of their rows; the last column is a constant.
struct SelectionPool {
  const SearchSpace& space;
  std::span<const std::uint8_t> choices;      // [P, n_decisions] of the candidates
  std::span<const double> features;           // [P, n_columns]
  std::span<const std::uint8_t> measured;     // [M, n_decisions] measured already
  std::span<const double> measured_features;  // [M, n_columns]
  std::span<const double> reference;          // [R, n_columns] over which a predictor is to be good
  double noise;                               // variance of one measurement, in units of the prior's
  int k;                                      // so many are to be chosen
  std::uint64_t seed;

  std::int64_t n() const { return static_cast<std::int64_t>(choices.size()) / space.n_decisions(); }
};

// Positions [k] of the candidates to measure, in order, each once.
using Select = std::function<std::vector<std::int64_t>(const SelectionPool&)>;

Selection parse_selection(std::string_view text);  // Error offers the names
const char* to_string(Selection selection);
std::vector<std::string> selection_names();
// Whether the first k of a longer order are the order for k, so that one may stop anywhere. Of a registered one nobody
// knows.
bool is_nested(Selection selection);

// Takes the place of one registered before under the name. Not while anything is selected. Error: a name that is no
// plain word, or that of one that ships.
// `version` tells two of a name apart in the identity of a result.
Selection register_selection(const std::string& name, Select select, const std::string& version = "");
std::string selection_version(Selection selection);  // "" of one that ships
// Of a registered selection, checked. Error: positions that are not k distinct candidates.
std::vector<std::int64_t> select_by(Selection registered, const SelectionPool& pool);

}  // namespace oneproxy
