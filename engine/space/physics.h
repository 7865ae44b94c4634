#pragma once
// Physical features of an architecture: what its latency on any device is made of, before anything is measured.
// In groups that share one prior scale when a predictor is adapted (adapt/block_regression.h).
//   chains of layers   sums over the layers: pointwise and depthwise MACs, weights, activation traffic, counts; where
//                      there are any, of squeeze-and-excitation and of h-swish too. The input's resolution, where it is
//                      a decision, changes what every layer is. Where choices are products of attributes, these
//                      besides, decision by decision (shared_attributes.h).
//   lists              products of numbers and words (list_features.h)
//   cells              counts over live edges (L), over all (A) and over those that run (R), longest paths, dead edges.
//                      An edge is live if its operation is not `none`, node 0 reaches it and it reaches the last node.
//                      Of the others a runtime that folds constants (TensorFlow Lite) still runs some: edges on the
//                      zeros of a node without inputs, and a convolution that alone enters a node without outputs,
//                      because `none`, a product with zero, goes into its weights; sums and pools times zero fold away.
// All features are free of the device and of its measurements.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/space/space.h"

namespace oneproxy {

struct PhysicsGroup {
  std::string name;  // "mac", "n", "mem", "pool", "rest", "attr"; "size", "words", "pairs"
  std::vector<std::string> columns;
};

// Refers to the space.
class Physics {
 public:
  // Error: a cell whose nodes are not 0 .. last, with an edge out of a later node.
  explicit Physics(const SearchSpace& space);

  const std::vector<PhysicsGroup>& groups() const { return groups_; }
  int n_columns() const { return n_columns_; }
  int column(const std::string& name) const;  // -1 where absent

  // features [n_columns], group after group.
  void features(std::span<const std::uint8_t> choices, std::span<double> features) const;

  // The code that goes beside them: one-hot, in a cell after the one-hot code of its live edges (a dead edge counts as
  // `none`). code [n_code].
  int n_code() const { return n_code_; }
  void code(std::span<const std::uint8_t> choices, std::span<double> code) const;

  // Whether features and code are sums over decisions (at a given resolution, where that is a decision), so that a
  // predictor on them is a table of weights (one a resolution).
  bool additive() const { return !cell_ && !space_.is_listed(); }

  // False for a cell without any path of operations from its input to its output: a network of constant output, whose
  // latency says little about others.
  bool connected(std::span<const std::uint8_t> choices) const;

 private:
  struct Edge {
    int from = 0, to = 0;
  };
  void tabulate(int n_rows);
  struct EdgeSets {
    std::vector<char> live, run;  // [edges]
  };
  EdgeSets edge_sets(std::span<const std::uint8_t> choices) const;
  void cell_features(std::span<const std::uint8_t> choices, std::span<double> features) const;

  const SearchSpace& space_;
  bool cell_ = false;
  int last_node_ = 0, n_columns_ = 0, n_code_ = 0;
  std::vector<PhysicsGroup> groups_;
  std::vector<Edge> edges_;
  std::vector<int> first_row_;  // of each decision in the one-hot code
  // chains: [1 or n resolutions, sum of radices, n_columns]; lists: [n networks, n_columns]
  std::vector<double> table_;
  std::vector<double> fixed_;  // chains: [1 or n resolutions, n_columns]
};

}  // namespace oneproxy
