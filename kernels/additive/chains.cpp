#include "oneproxy/kernels/additive/chains.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/staircase.h"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t kMaxSum = std::int64_t{1} << 61;

std::size_t n_values(std::span<const std::uint32_t> radices) {
  return std::accumulate(radices.begin(), radices.end(), std::size_t{0});
}

bool is_allowed(const AdditiveProblem& problem, std::uint32_t table, std::size_t place) {
  if (problem.allowed.empty()) return true;
  const std::size_t width = n_values(problem.radices);
  return problem.allowed[(problem.allowed.size() == width ? 0 : table * width) + place] != 0;
}

void check_objective(const AdditiveProblem& problem, const AdditiveTable<std::int64_t>& objective,
                     const std::string& name) {
  check_table(objective, problem.radices, "additive front: " + name);
  const std::size_t width = n_values(problem.radices), tables = objective.n_tables();
  for (std::size_t t = 0; t < tables; ++t) {
    auto magnitude = [](std::int64_t x) { return x < 0 ? -static_cast<__int128>(x) : static_cast<__int128>(x); };
    __int128 sum = magnitude(objective.bias[t]);
    std::size_t place = 0;
    for (const std::uint32_t radix : problem.radices) {
      __int128 largest = 0;
      for (std::uint32_t v = 0; v < radix; ++v, ++place)
        largest = std::max(largest, magnitude(objective.weights[t * width + place]));
      sum += largest;
    }
    if (sum > kMaxSum)
      throw Error("additive front: sums of " + name + " could pass 2^61 (table " + std::to_string(t) +
                  "); scale the table down");
  }
}

AdditivePoint sum_of(const AdditiveProblem& problem, std::uint32_t table, std::size_t place, bool bias) {
  const std::size_t width = n_values(problem.radices);
  auto part = [&](const AdditiveTable<std::int64_t>& objective) -> std::int64_t {
    if (objective.bias.empty()) return 0;
    const std::size_t t = objective.n_tables() == 1 ? 0 : table;
    return objective.weights[t * width + place] + (bias ? objective.bias[t] : 0);
  };
  return {part(problem.latency), part(problem.quality), part(problem.third)};
}

}  // namespace

void check_problem(const AdditiveProblem& problem) {
  check_objective(problem, problem.latency, "latency");
  check_objective(problem, problem.quality, "quality");
  if (problem.n_objectives() == 3) check_objective(problem, problem.third, "the third objective");
  const std::size_t width = n_values(problem.radices), masks = problem.allowed.size();
  if (masks != 0 && masks != width && masks != width * problem.radices[0])
    throw Error("additive front: the mask of allowed values has " + std::to_string(masks) + " entries; pass " +
                std::to_string(width) + ", or as many for each value of digit 0");
}

void prune(Choices& choices, int n_objectives) {
  std::vector<std::int64_t> order(choices.size()), kept;
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto& sums = choices.sums;
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    if (sums[a].latency != sums[b].latency) return sums[a].latency < sums[b].latency;
    if (sums[a].quality != sums[b].quality) return sums[a].quality > sums[b].quality;
    return sums[a].third != sums[b].third ? sums[a].third < sums[b].third : a < b;
  });
  Staircase<std::int64_t> staircase;
  for (const std::int64_t i : order)
    if (staircase.add(sums[i].quality, n_objectives == 3 ? sums[i].third : 0)) kept.push_back(i);
  std::sort(kept.begin(), kept.end());
  Choices pruned;
  for (const std::int64_t i : kept) {
    pruned.values.push_back(choices.values[i]);
    pruned.sums.push_back(sums[i]);
  }
  choices = std::move(pruned);
}

Chains make_chains(const AdditiveProblem& problem) {
  const auto& radices = problem.radices;
  const bool one_table = problem.latency.n_tables() == 1 && problem.quality.n_tables() == 1 &&
                         problem.third.n_tables() <= 1 && problem.allowed.size() <= n_values(radices);
  Chains result;
  std::size_t empty_digit = 0;  // the first one without a value, for the error
  // The chain behind digit 0 with the tables of value `table`; false where a digit has no value left.
  auto add_chain = [&](std::uint32_t table) {
    std::vector<Choices> chain;
    std::size_t place = radices[0];
    for (std::size_t d = 1; d < radices.size(); ++d) {
      Choices choices;
      for (std::uint32_t v = 0; v < radices[d]; ++v, ++place) {
        if (!is_allowed(problem, table, place)) continue;
        choices.values.push_back(v);
        choices.sums.push_back(sum_of(problem, table, place, false));
      }
      if (choices.values.empty()) {
        empty_digit = d;
        return false;
      }
      prune(choices, problem.n_objectives());
      chain.push_back(std::move(choices));
    }
    result.chains.push_back(std::move(chain));
    return true;
  };
  if (one_table && !add_chain(0))
    throw Error("additive front: no value of digit " + std::to_string(empty_digit) + " is allowed");
  for (std::uint32_t v = 0; v < radices[0]; ++v) {
    if (!is_allowed(problem, v, v) || (!one_table && !add_chain(v))) continue;
    result.first.values.push_back(v);
    result.first.sums.push_back(sum_of(problem, v, v, true));
    result.chain_of.push_back(static_cast<int>(result.chains.size()) - 1);
  }
  if (result.first.values.empty())
    throw Error("additive front: no value of digit " + std::to_string(empty_digit) + " is allowed");
  if (one_table) {
    prune(result.first, problem.n_objectives());
    result.chain_of.assign(result.first.values.size(), 0);
  }
  return result;
}

}  // namespace oneproxy::detail
