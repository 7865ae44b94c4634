#include "engine/space/physics.h"

#include <algorithm>
#include <array>

#include "kernels/error.h"

namespace oneproxy {
namespace {

// Columns of chains, in the order of their groups.
enum ChainColumn { kPwMac, kCount, kDwMac, kAct, kParams, kG2, kK5, kSkipConv, kChainColumns };

// One layer; added to `at` [kChainColumns].
void add_layer(const Operation& op, const Placement& place, double* at) {
  const double in = place.in_channels, out = place.out_channels, g = op.groups, k2 = op.kernel * op.kernel;
  const double before = static_cast<double>(place.resolution) * place.resolution;
  const double after = before / (place.stride * place.stride);
  std::array<double, kChainColumns> f{};
  if (op.kind == "mbconv") {
    const double mid = in * op.expansion;
    f[kPwMac] = (in * mid * before + mid * out * after) / g;
    f[kDwMac] = mid * k2 * after;
    f[kParams] = (in * mid + mid * out) / g + mid * k2;
    f[kAct] = in * before + 2 * mid * before + 2 * mid * after + out * after;
    f[kCount] = 1;
    f[kG2] = op.groups == 2;
    f[kK5] = op.kernel >= 5;
  } else if (op.kind == "skip") {
    if (place.in_channels != place.out_channels || place.stride != 1) {
      f[kPwMac] = in * out * after;
      f[kParams] = in * out;
      f[kAct] = in * before + out * after;
      f[kCount] = 1;
      f[kSkipConv] = 1;
    }
  } else if (op.kind == "conv" || op.kind == "pool") {
    f[kPwMac] = op.kind == "conv" ? k2 * in * out * after / g : 0;
    f[kParams] = op.kind == "conv" ? k2 * in * out / g : 0;
    f[kAct] = in * before + out * after;
    f[kCount] = 1;
  } else if (op.kind == "linear") {  // on pooled features
    f[kPwMac] = f[kParams] = in * out;
    f[kAct] = in + out;
    f[kCount] = 1;
  } else if (op.kind != "none") {
    throw Error("physical features know no operation of kind '" + op.kind + "' (" + op.name + ")");
  }
  for (int j = 0; j < kChainColumns; ++j) at[j] += f[j] * place.count;
}

// Longest path from node 0 to the last over edges that are not `none`; 0 where there is none. Edges go upwards.
template <class EdgeList>
double longest_path(const EdgeList& edges, std::span<const double> length, std::span<const char> usable, int last) {
  std::vector<double> best(last + 1, -1);
  best[0] = 0;
  for (int node = 1; node <= last; ++node)
    for (std::size_t e = 0; e < edges.size(); ++e)
      if (edges[e].to == node && usable[e] && best[edges[e].from] >= 0)
        best[node] = std::max(best[node], best[edges[e].from] + length[e]);
  return std::max(best[last], 0.0);
}

}  // namespace

Physics::Physics(const SearchSpace& space) : space_(space) {
  int row = 0;
  for (const auto& decision : space.decisions()) {
    cell_ = cell_ || decision.from >= 0;
    first_row_.push_back(row);
    row += static_cast<int>(decision.choices.size());
    edges_.push_back({decision.from, decision.to});
    last_node_ = std::max(last_node_, decision.to);
  }
  n_code_ = cell_ ? 2 * row : row;
  if (cell_) {
    for (const auto& edge : edges_)
      if (edge.from < 0 || edge.from >= edge.to)
        throw Error("space " + space.name() + ": the edges of a cell should lead from a node to a later one");
    groups_ = {{"mac", {"macL", "macA", "macR"}},
               {"n", {"nL", "nA", "nR", "convL", "convA", "convR"}},
               {"pool", {"poolL", "poolA", "poolR"}},
               {"rest", {"skipL", "skipA", "addL", "addA", "depN", "depM", "disc", "deadE", "noneA"}}};
  } else {
    groups_ = {
        {"mac", {"pwmac"}}, {"n", {"n"}}, {"mem", {"dwmac", "act"}}, {"rest", {"params", "g2", "k5", "skipconv"}}};
    table_.assign(static_cast<std::size_t>(row) * kChainColumns, 0.0);
    for (std::size_t d = 0; d < edges_.size(); ++d) {
      const auto& choices = space.decisions()[d].choices;
      for (std::size_t c = 0; c < choices.size(); ++c)
        for (const auto& place : choices[c].placements)
          add_layer(choices[c].operation, place, &table_[(first_row_[d] + c) * kChainColumns]);
    }
  }
  for (const auto& group : groups_) n_columns_ += static_cast<int>(group.columns.size());
}

int Physics::column(const std::string& name) const {
  int j = 0;
  for (const auto& group : groups_)
    for (const auto& column : group.columns) {
      if (column == name) return j;
      ++j;
    }
  return -1;
}

void Physics::features(std::span<const std::uint8_t> choices, std::span<double> features) const {
  ONEPROXY_ASSERT(choices.size() == edges_.size() && static_cast<int>(features.size()) == n_columns_);
  if (cell_) return cell_features(choices, features);
  std::fill(features.begin(), features.end(), 0.0);
  for (std::size_t d = 0; d < choices.size(); ++d) {
    const double* row = &table_[(first_row_[d] + choices[d]) * std::size_t{kChainColumns}];
    for (int j = 0; j < kChainColumns; ++j) features[j] += row[j];
  }
}

Physics::EdgeSets Physics::edge_sets(std::span<const std::uint8_t> choices) const {
  std::vector<char> from_input(last_node_ + 1, 0), to_output(last_node_ + 1, 0);
  std::vector<int> inputs(last_node_ + 1, 0);
  EdgeSets sets{std::vector<char>(edges_.size()), std::vector<char>(edges_.size())};
  auto passes = [&](std::size_t e) { return space_.decisions()[e].choices[choices[e]].operation.kind != "none"; };
  from_input[0] = to_output[last_node_] = 1;
  for (int node = 1; node <= last_node_; ++node)
    for (std::size_t e = 0; e < edges_.size(); ++e)
      if (edges_[e].to == node && from_input[edges_[e].from] && passes(e)) from_input[node] = 1;
  for (int node = last_node_ - 1; node >= 0; --node)
    for (std::size_t e = 0; e < edges_.size(); ++e)
      if (edges_[e].from == node && to_output[edges_[e].to] && passes(e)) to_output[node] = 1;
  for (std::size_t e = 0; e < edges_.size(); ++e) inputs[edges_[e].to] += passes(e);
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    const auto [from, to] = edges_[e];
    const auto& kind = space_.decisions()[e].choices[choices[e]].operation.kind;
    sets.live[e] = passes(e) && from_input[from] && to_output[to];
    // A branch from nothing runs on zeros; one to nowhere runs where its zero ends up in the weights of a convolution.
    sets.run[e] = passes(e) && (to_output[to] || (kind == "conv" && inputs[to] == 1));
  }
  return sets;
}

void Physics::cell_features(std::span<const std::uint8_t> choices, std::span<double> features) const {
  const auto [live, run] = edge_sets(choices);
  struct Counts {
    double mac = 0, n = 0, conv = 0, pool = 0, skip = 0, add = 0;
  };
  Counts all, living, running;
  double none = 0, dead = 0;
  std::vector<double> operations(edges_.size()), macs(edges_.size());
  std::vector<int> inputs(last_node_ + 1), live_inputs(last_node_ + 1), run_inputs(last_node_ + 1);
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    const auto& op = space_.decisions()[e].choices[choices[e]].operation;
    Counts one;
    if (op.kind == "conv") {
      one.conv = one.n = 1;
      one.mac = op.kernel * op.kernel;
    } else if (op.kind == "pool") {
      one.pool = one.n = 1;
    } else if (op.kind == "skip") {
      one.skip = 1;
    } else if (op.kind == "none") {
      ++none;
    } else {
      throw Error("physical features of a cell know no operation of kind '" + op.kind + "' (" + op.name + ")");
    }
    operations[e] = one.n;
    macs[e] = one.mac;
    auto add = [&](Counts& to, std::vector<int>& at) {
      to.mac += one.mac, to.n += one.n, to.conv += one.conv, to.pool += one.pool, to.skip += one.skip;
      ++at[edges_[e].to];
    };
    if (op.kind == "none") continue;
    add(all, inputs);
    if (live[e])
      add(living, live_inputs);
    else
      ++dead;
    if (run[e]) add(running, run_inputs);
  }
  for (int node = 0; node <= last_node_; ++node) {
    all.add += std::max(0, inputs[node] - 1);
    living.add += std::max(0, live_inputs[node] - 1);
  }
  const bool disconnected = std::none_of(live.begin(), live.end(), [](char e) { return e; });
  const double values[] = {living.mac,
                           all.mac,
                           running.mac,
                           living.n,
                           all.n,
                           running.n,
                           living.conv,
                           all.conv,
                           running.conv,
                           living.pool,
                           all.pool,
                           running.pool,
                           living.skip,
                           all.skip,
                           living.add,
                           all.add,
                           longest_path(edges_, operations, live, last_node_),
                           longest_path(edges_, macs, live, last_node_),
                           disconnected ? 1.0 : 0.0,
                           dead,
                           none};
  std::copy(std::begin(values), std::end(values), features.begin());
}

void Physics::code(std::span<const std::uint8_t> choices, std::span<double> code) const {
  ONEPROXY_ASSERT(choices.size() == edges_.size() && static_cast<int>(code.size()) == n_code_);
  std::fill(code.begin(), code.end(), 0.0);
  const std::size_t rows = cell_ ? n_code_ / 2 : 0;
  if (cell_) {
    const auto live = edge_sets(choices).live;
    for (std::size_t d = 0; d < choices.size(); ++d) {
      int shown = choices[d];
      for (std::size_t c = 0; !live[d] && c < space_.decisions()[d].choices.size(); ++c)
        if (space_.decisions()[d].choices[c].operation.kind == "none") shown = static_cast<int>(c);
      code[first_row_[d] + shown] = 1;
    }
  }
  for (std::size_t d = 0; d < choices.size(); ++d) code[rows + first_row_[d] + choices[d]] = 1;
}

bool Physics::connected(std::span<const std::uint8_t> choices) const {
  if (!cell_) return true;
  const auto live = edge_sets(choices).live;
  return std::any_of(live.begin(), live.end(), [](char e) { return e; });
}

}  // namespace oneproxy
