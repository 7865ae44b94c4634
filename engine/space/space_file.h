#pragma once
// The file of a search space (docs/spaces.md describes its keys), read strictly: what it declares, before a SearchSpace
// derives digits, costs and strings from it.
#include <string>
#include <vector>

#include "oneproxy/engine/space/listed_space.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// Shapes of the network on one data set, as the file gives them: sides are in pixels of a fixed input, or parts of the
// input where its resolution is a decision.
struct SpaceShapes {
  Cost fixed;                      // given as numbers
  std::vector<FixedLayer> layers;  // fixed too, given as shapes; with a divisor of the input where that is a decision
  std::vector<Placement> cell;     // repeated cells
  std::vector<Placement> chain;    // one a layer
  std::vector<std::vector<std::size_t>> chain_choices;  // which of the operations each layer may choose, rising
  std::vector<Stage> stages;
};

struct DeclaredDecision {
  std::string name;
  int from = -1, to = -1;            // edge of a cell; -1 where the file gives none
  std::vector<std::string> choices;  // empty: the operations of the space
};

struct SpaceDeclaration {
  std::string file, checksum;  // SHA-256 of the file's bytes
  std::string name, string_form;
  std::string measured_set;  // the set of measurements that is meant where nobody names one
  std::vector<int> resolutions;
  std::vector<Operation> operations;  // empty: all decisions name their own choices
  std::vector<DeclaredDecision> decisions;
  std::vector<std::string> geometries;
  std::string geometry;  // the one that was asked for; "" where the file has none
  SpaceShapes shapes;    // its shapes
  SpaceList list;        // of a listed space
  // Of the file of a part: what it keeps, and the name or the file of the whole space, whose declaration the rest is.
  std::vector<std::string> kept;  // "DECISION=CHOICE|CHOICE"; empty: the file is a whole space
  std::string whole;
};

// Whether a space is named by its file ("my_space.toml") and not by the name of one that ships.
bool names_space_file(const std::string& name_or_file);

// geometry "": the first of the file. Errors name file and line: no such file, bad TOML, unknown keys, values that
// describe no space, the name of a space that ships for another one, and a part of a file that has changed since.
SpaceDeclaration read_space_file(const std::string& path, const std::string& geometry);

}  // namespace oneproxy
