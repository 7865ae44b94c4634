#include "oneproxy/engine/space/physics.h"

#include <algorithm>
#include <array>

#include "oneproxy/engine/space/list_features.h"
#include "oneproxy/engine/space/shared_attributes.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// Columns of chains, in the order of their groups. Those of h-swish, squeeze-and-excitation and kernel 7 exist in
// spaces with such blocks only: a column of zeros would cost time.
enum ChainColumn {
  kPwMac,
  kCount,
  kDwMac,
  kAct,
  kHardSwishAct,
  kSeAct,
  kParams,
  kG2,
  kK5,
  kSkipConv,
  kK7,
  kSe,
  kSeMac,
  kChainColumns
};
constexpr const char* kGroup[] = {"mac",  "n",    "mem",  "mem",  "mem",  "mem", "rest",
                                  "rest", "rest", "rest", "rest", "rest", "rest"};
constexpr const char* kName[] = {"pwmac", "n",  "dwmac",    "act", "hswish_act", "se_act", "params",
                                 "g2",    "k5", "skipconv", "k7",  "se",         "se_mac"};
using ChainFeatures = std::array<double, kChainColumns>;

// One layer; added to `at`.
void add_layer(const Operation& op, const Placement& place, ChainFeatures& at) {
  const double in = place.in_channels, out = place.out_channels, g = op.groups, k2 = op.kernel * op.kernel;
  const double before = static_cast<double>(place.resolution) * place.resolution;
  const double side = (place.resolution + place.stride - 1) / place.stride;  // padded, as in operation_cost
  const double after = side * side;
  ChainFeatures f{};
  if (op.kind == "mbconv") {
    const double mid = in * op.expansion;
    f[kPwMac] = mid * out * after / g;
    f[kDwMac] = mid * k2 * after;
    f[kParams] = mid * out / g + mid * k2;
    f[kAct] = mid * before + 2 * mid * after + out * after;
    f[kCount] = 1;
    f[kG2] = op.groups == 2;
    f[kK5] = op.kernel >= 5;
    f[kK7] = op.kernel >= 7;
    if (place.hard_swish) f[kHardSwishAct] = mid * after;
    if (has_expansion(op)) {
      f[kPwMac] += in * mid * before / g;
      f[kParams] += in * mid / g;
      f[kAct] += in * before + mid * before;
      if (place.hard_swish) f[kHardSwishAct] += mid * before;
    }
    if (has_squeeze_excitation(op, place)) {
      const Cost own = squeeze_excitation_cost(op, place);
      f[kSe] = 1;
      f[kSeMac] = own.macs;
      f[kSeAct] = 2 * mid * after;
      f[kParams] += own.parameters;
    }
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
  } else if (space.is_listed()) {
    ListFeatures listed = list_features(space);
    groups_ = std::move(listed.groups);
    table_ = std::move(listed.values);
  } else {
    tabulate(row);
  }
  for (const auto& group : groups_) n_columns_ += static_cast<int>(group.columns.size());
}

// Where the resolution is a decision, what is the same for all networks of one resolution tells it from another.
void Physics::tabulate(int n_rows) {
  const int n_tables = std::max<int>(1, static_cast<int>(space_.resolutions().size()));
  std::vector<ChainFeatures> fixed(n_tables, ChainFeatures{}),
      rows(static_cast<std::size_t>(n_tables) * n_rows, ChainFeatures{});
  for (int t = 0; t < n_tables; ++t) {
    if (n_tables > 1)
      for (const auto& layer : space_.fixed_layers(t)) add_layer(layer.operation, layer.placement, fixed[t]);
    for (int d = 0; d < space_.n_decisions(); ++d) {
      const auto& choices = space_.decisions()[d].choices;
      for (std::size_t c = 0; c < choices.size(); ++c)
        for (const auto& place : space_.placements(d, t))
          for (const auto& layer : layer_placements(choices[c].operation, place))
            add_layer(choices[c].operation, layer, rows[static_cast<std::size_t>(t) * n_rows + first_row_[d] + c]);
    }
  }
  std::vector<int> used;  // none in a space of named choices
  for (int j = 0; j < kChainColumns && space_.has_costs(); ++j) {
    const bool rare = j == kHardSwishAct || j == kSeAct || j == kK7 || j == kSe || j == kSeMac;
    if (rare && std::all_of(rows.begin(), rows.end(), [&](const ChainFeatures& f) { return f[j] == 0; })) continue;
    used.push_back(j);
    if (groups_.empty() || groups_.back().name != kGroup[j]) groups_.push_back({kGroup[j], {}});
    groups_.back().columns.emplace_back(kName[j]);
  }
  const auto shared = shared_attributes(space_);
  if (!shared.empty()) groups_.push_back({"attr", {}});
  for (const auto& attribute : shared) groups_.back().columns.push_back(attribute.name);
  for (const auto& f : fixed) {
    for (const int j : used) fixed_.push_back(f[j]);
    fixed_.insert(fixed_.end(), shared.size(), 0.0);
  }
  for (int t = 0; t < n_tables; ++t)
    for (int d = 0; d < space_.n_decisions(); ++d)
      for (int c = 0; c < space_.radices()[d]; ++c) {
        const auto& f = rows[static_cast<std::size_t>(t) * n_rows + first_row_[d] + c];
        for (const int j : used) table_.push_back(f[j]);
        for (const auto& attribute : shared) table_.push_back(attribute.decision == d && attribute.has[c]);
      }
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
  if (space_.is_listed()) {
    std::copy_n(&table_[static_cast<std::size_t>(space_.index(choices)) * n_columns_], n_columns_, features.begin());
    return;
  }
  const std::size_t t = space_.resolutions().empty() ? 0 : choices[0], columns = n_columns_;
  std::copy_n(&fixed_[t * columns], columns, features.begin());
  const double* table = &table_[t * n_code_ * columns];
  for (std::size_t d = 0; d < choices.size(); ++d) {
    const double* row = table + (first_row_[d] + choices[d]) * columns;
    for (std::size_t j = 0; j < columns; ++j) features[j] += row[j];
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
