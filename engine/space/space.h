#pragma once
// A search space is data: decisions, their choices, and what each choice is and costs. Declared in a file
// (configs/spaces/ holds those that ship, docs/spaces.md describes the keys), which is the only place where the order
// of choices is written.
//   index <-> choices <-> string, choices -> cost
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/space/cost.h"
#include "oneproxy/engine/space/listed_space.h"
#include "oneproxy/kernels/base/digits.h"

namespace oneproxy {

// One decision with one choice made: an operation at its placements in the network. Where the input resolution is a
// decision, placements and cost are those of the largest resolution; SearchSpace::cost knows the others. A choice that
// is a name only has an operation of kind "none" and no placements.
struct Choice {
  Operation operation;
  std::vector<Placement> placements;
  Cost cost;
};

struct Decision {
  std::string name;
  int from = -1, to = -1;  // edge of a cell; -1 where the space is a chain of layers
  std::vector<Choice> choices;
};

// A digit of the index: one decision, or the blocks of a stage of which only the first `depth` are active, so that
// every distinct network has one index; or all decisions of a list, a value a row of it. values [radix, n_decisions]:
// the choices that each value stands for.
struct Digit {
  std::string name;
  int first_decision = 0, n_decisions = 1;
  std::uint32_t radix = 0;
  std::vector<std::uint8_t> values;
};

// Blocks of one width, of which the first `depth` are active, smallest_depth <= depth <= n_decisions. An inactive block
// has choice 0.
struct Stage {
  std::string name;
  int first_decision = 0, n_decisions = 0, smallest_depth = 1;
};

// A layer that is the same for all architectures.
struct FixedLayer {
  Operation operation;
  Placement placement;
};

struct SpaceDeclaration;  // space_file.h

class SearchSpace {
 public:
  // By the name of a space that ships, or by the path of a file, which ends in ".toml". geometry: one of geometries();
  // "" is the first. Errors: unknown space or geometry (nearest names), a faulty file (line).
  static SearchSpace load(const std::string& name_or_file, const std::string& geometry = "");
  static SearchSpace load_file(const std::string& path, const std::string& geometry = "");

  const std::string& name() const { return name_; }  // measurements and predictors of a store go by it
  // What loads it again: the name of a space that ships, else the path of its file.
  const std::string& reference() const { return reference_; }
  const std::string& checksum() const { return checksum_; }  // SHA-256 of its file
  // Where the file describes a part of a space (`part_of`, docs/spaces.md): what it keeps of the decisions, as
  // SubSpace::fix takes it. All else here is that of the whole space, which whole() loads; SubSpace::of() is the part.
  const std::vector<std::string>& kept() const { return kept_; }  // empty: a whole space
  const std::string& whole() const { return kept_.empty() ? reference_ : whole_; }
  const std::string& geometry() const { return geometry_; }
  const std::vector<std::string>& geometries() const { return geometries_; }
  const std::vector<Decision>& decisions() const { return decisions_; }
  int n_decisions() const { return static_cast<int>(decisions_.size()); }
  std::span<const std::uint8_t> radices() const { return radices_; }  // of the decisions
  // Of which only the first blocks are active; empty where there are none.
  const std::vector<Stage>& stages() const { return stages_; }
  // Pixels a side of the input, one a choice of decision 0; empty where it is no decision.
  const std::vector<int>& resolutions() const { return resolutions_; }

  // The set of measurements that is meant where nobody names one: the file's, "list" of a list, else "help".
  const std::string& measured_set() const { return measured_set_; }

  // Whether it is a list of networks (listed_space.h), of which list() says the rest; its index is the row.
  bool is_listed() const { return !list_.names.empty(); }
  const SpaceList& list() const { return list_; }
  // Whether every joint choice is a network, so that the index is the mixed radix of the decisions.
  bool is_product() const { return stages_.empty() && !is_listed(); }

  // Not every joint choice is a network: a block may be missing in the middle of a stage, or a list not have it. Random
  // architectures are uniform values of the digits.
  bool valid(std::span<const std::uint8_t> choices) const { return fault(choices).empty(); }
  // What keeps the choices from being a network, "" where nothing does.
  std::string fault(std::span<const std::uint8_t> choices) const;

  // The digits of the index: decision after decision, or composite where only some joint choices are networks.
  const std::vector<Digit>& digits() const { return digits_; }
  std::vector<std::uint32_t> digits_of(std::span<const std::uint8_t> choices) const;
  std::vector<std::uint8_t> choices_of(std::span<const std::uint32_t> digits) const;
  // For the kernels: digits -> rows of the one-hot code, one row a (decision, choice). Refers to this space.
  DigitCode code() const { return {digit_radices_, parts_, code_rows_, n_rows_}; }
  ArchIndex size() const { return size_; }

  // Error for choices that are no network.
  ArchIndex index(std::span<const std::uint8_t> choices) const;
  std::vector<std::uint8_t> choices(ArchIndex index) const;

  // The space's own string: "depth=2|act=gelu|...", "|op~0|+|op~0|op~1|+...", "k3_e1|skip|..." or, with the active
  // blocks of each stage, "r=176|k3_e3 k5_e6|k7_e4 k3_e3 k3_e3|..."; the name in a list.
  std::string to_string(std::span<const std::uint8_t> choices) const;
  // Reads the space's own string, choices as numbers ("3,1,0,2,4,4"), or for stages every block by name
  // ("r=176|k3_e3|k5_e6|none|none|..."). Errors name the faulty part.
  std::vector<std::uint8_t> parse(const std::string& text) const;

  // Where a decision's operation stands, and the layers that are the same for all (where the file gives their shapes),
  // at a resolution: a choice of decision 0, or 0 where the resolution is no decision.
  const std::vector<Placement>& placements(int decision, int resolution) const {
    return placements_[resolution * decisions_.size() + decision];
  }
  const std::vector<FixedLayer>& fixed_layers(int resolution) const { return fixed_layers_[resolution]; }

  // Whether its choices are operations, which cost something; else they are names only.
  bool has_costs() const { return !operations_.empty(); }
  // Whole network (with what is the same for all architectures, where the file gives it). Error for a space without.
  Cost cost(std::span<const std::uint8_t> choices) const;

 private:
  explicit SearchSpace(const SpaceDeclaration& declared);
  void make_digits();
  void make_code();
  std::vector<std::uint8_t> parse_numbers(const std::string& text) const;
  std::vector<std::uint8_t> parse_named(const std::string& text) const;
  std::vector<std::uint8_t> parse_cell(const std::string& text) const;
  std::vector<std::uint8_t> parse_stages(const std::string& text) const;
  std::vector<std::uint8_t> parse_listed(const std::string& text) const;
  int operation_of(const std::string& name, std::size_t decision, const std::string& text) const;
  int resolution_of(const std::string& part, const std::string& text) const;
  std::string stages_to_string(std::span<const std::uint8_t> choices) const;

  std::string name_, reference_, checksum_, geometry_, string_form_, whole_, measured_set_;
  std::vector<std::string> geometries_, kept_;
  std::vector<Operation> operations_;
  std::vector<Decision> decisions_;
  std::vector<std::uint8_t> radices_;
  std::vector<Stage> stages_;
  std::vector<int> resolutions_;
  SpaceList list_;
  std::vector<Digit> digits_;
  std::vector<std::uint32_t> digit_radices_;
  std::vector<std::int32_t> code_rows_;
  int parts_ = 1, n_rows_ = 0;
  ArchIndex size_ = 0;
  std::vector<Cost> fixed_;                            // [1 or n resolutions]
  std::vector<std::vector<Placement>> placements_;     // [1 or n resolutions, n_decisions]
  std::vector<std::vector<FixedLayer>> fixed_layers_;  // [1 or n resolutions]
  std::vector<Cost> block_costs_;  // [n resolutions, n_rows_], only where the resolution is a decision
};

}  // namespace oneproxy
