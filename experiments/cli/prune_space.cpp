// `oneproxy prune-space`: the part of a space that is worth searching on one device, as a file, and what it costs to
// search that part alone.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "experiments/cli/commands.h"
#include "experiments/cli/new_file.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/unit_number.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/search/prune.h"
#include "oneproxy/engine/search/prune_cost.h"
#include "oneproxy/engine/space/space_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kRandomForLimits = 10000;

std::vector<Limits> limits_for(const SearchProblem& problem, const PruneOptions& options) {
  std::vector<double> bounds = values_in_unit(options.limits, problem.objectives[1].unit, "--limits");
  if (bounds.empty()) {
    const auto choices = random_architectures(problem, kRandomForLimits, options.seed);
    std::vector<double> values(choices.size() / problem.part.space().n_decisions());
    problem.objectives[1].evaluate(choices, values);
    for (const double q : {0.10, 0.25, 0.50, 0.75}) bounds.push_back(quantile(values, q));
  }
  std::vector<Limits> limits;
  for (const double bound : bounds)
    if (!std::isfinite(bound)) throw Error("--limits: " + plain(bound) + " is no latency; give finite numbers");
  for (const double bound : bounds) limits.push_back({{std::nan(""), bound}});
  return limits;
}

std::string toml_text(const std::string& text) {
  if (text.find_first_of("\"\\") != std::string::npos || text.find_first_of("\n\r\t") != std::string::npos)
    throw Error("'" + text + "': a quote, a backslash or a line break has no place in the file of a part");
  return "\"" + text + "\"";
}

std::string part_file(const PruneOptions& options, const SubSpace& part, const PruningCost& cost) {
  const SearchSpace& space = part.space();
  const auto comment = [](std::string text) {  // one line, whatever the names in it
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
    return "# " + text + "\n";
  };
  std::string whole = space.whole();
  if (names_space_file(whole)) {  // relative to the file that is written
    const auto folder = std::filesystem::absolute(options.out).parent_path();
    whole = std::filesystem::absolute(whole).lexically_proximate(folder).string();
  }
  std::string text = comment("Part of " + space.name() + ": " + std::to_string(options.keep) +
                             " choices of each decision, by oneproxy prune-space.") +
                     comment("latency " + options.latency + ", quality " + options.quality + ", value " +
                             options.value + ", seed " + std::to_string(options.seed)) +
                     comment("It keeps " + fixed(cost.hypervolume_ratio, 6) + " of the whole space's hypervolume (" +
                             (cost.is_exact ? "exact" : "best found") + ").") +
                     "part_of = " + toml_text(whole) + "\n";
  if (names_space_file(whole))
    text += "checksum = " + toml_text(SearchSpace::load_file(space.whole()).checksum()) + "\n";
  text += "fix = [\n";
  for (const auto& one : part.fixes()) text += "  " + toml_text(one) + ",\n";
  return text + "]\n";
}

std::string names_of(const SearchSpace& space, int decision, const std::vector<ValuedChoice>& choices) {
  std::vector<std::string> names;
  for (const auto& one : choices) names.push_back(space.decisions()[decision].choices[one.choice].operation.name);
  return names.empty() ? "-" : join(names, " ");
}

// In how many decisions each name was kept, most often first.
std::string kept_where(const SearchSpace& space, const PrunedSpace& pruned) {
  std::map<std::string, std::pair<int, int>> counts;  // kept, there
  for (const auto& decision : pruned.decisions) {
    const auto& choices = space.decisions()[decision.decision].choices;
    for (const auto& one : decision.kept) ++counts[choices[one.choice].operation.name].first;
    for (const auto* list : {&decision.kept, &decision.left_out})
      for (const auto& one : *list) ++counts[choices[one.choice].operation.name].second;
  }
  std::vector<std::pair<std::string, std::pair<int, int>>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second.first > b.second.first; });
  Table table({"choice", "kept in", "of"});
  for (const auto& [name, count] : order) table.row({name, std::to_string(count.first), std::to_string(count.second)});
  return table.markdown();
}

std::string describe_cost(const SearchProblem& problem, const PruningCost& cost, std::span<const Limits> limits) {
  const std::string truth =
      cost.is_exact ? "the truth, " + cost.method : "best found beside best found, " + cost.method;
  std::string text = "What the part costs (" + truth + "): it keeps " + fixed(cost.hypervolume_ratio, 6) +
                     " of the whole space's hypervolume (front of " + std::to_string(cost.pruned.front.size()) +
                     " instead of " + std::to_string(cost.whole.front.size()) + ").\n\n";
  const auto cell = [&](const Solution* solution) { return solution ? plain(solution->values[0]) : "none"; };
  const std::string unit = problem.objectives[1].unit.empty() ? "" : " [" + problem.objectives[1].unit + "]";
  Table table({"limit" + unit, "best of the whole", "best of the part", "lost", "lost [%]"});
  for (std::size_t l = 0; l < limits.size(); ++l) {
    const Solution* best = cost.whole.best_of(l);
    const bool known = !std::isnan(cost.lost[l]);
    table.row({plain(limits[l].bounds[1]), cell(best), cell(cost.pruned.best_of(l)), known ? plain(cost.lost[l]) : "-",
               known && best->values[0] != 0 ? fixed(100 * cost.lost[l] / std::abs(best->values[0]), 4) : "-"});
  }
  text += table.markdown();
  for (std::size_t l = 0; l < limits.size(); ++l)
    for (const auto* one : {&cost.whole, &cost.pruned})
      if (!one->best_of(l) && !one->front.empty())
        text += std::string("\nThe fastest network of the ") + (one == &cost.whole ? "whole" : "part") +
                " does not keep to " + plain(limits[l].bounds[1]) + ": " + plain(one->front.front().values[1]) + ", " +
                problem.part.space().to_string(one->front.front().choices) + "\n";
  return text + "\nHow sure, the whole: " + cost.whole.certainty + ".\nHow sure, the part: " + cost.pruned.certainty +
         ".\n";
}

}  // namespace

std::string prune_space(const PruneOptions& options) {
  const ChoiceValue value = parse_choice_value(options.value);
  require_new_file(options.out, options.force);
  if (!names_space_file(options.out))
    throw Error("--out " + options.out + ": the file of a part is named as that of a space is, *.toml");
  const SearchSpace space = SearchSpace::load(options.space, options.geometry);
  const std::string set = options.set.empty() ? space.measured_set() : options.set;
  const Store store(options.store.empty() ? shipped_store() : options.store);
  const auto known = store.spaces();
  std::optional<Measurements> data;
  if (std::find(known.begin(), known.end(), space.name()) != known.end()) data.emplace(store, space, set);
  const ObjectiveSources sources{space, data ? &*data : nullptr, store.path(), "", Backend::cpu};
  SubSpace part = SubSpace::of(space);
  SearchProblem problem{part, sources.data, {}};
  problem.objectives.push_back(make_objective(sources, options.quality, "--quality", Direction::maximise));
  problem.objectives.push_back(make_objective(sources, options.latency, "--latency", Direction::minimise));
  for (const auto& objective : problem.objectives)
    if (objective.model) keep_predictable(*objective.model, part);

  const PrunedSpace pruned = prune(problem, {options.keep, value, options.contexts, options.seed});
  if (pruned.part.fixes().empty())
    throw Error("--keep " + std::to_string(options.keep) + ": no decision of " + part.describe() +
                " has more choices than that, so nothing is left out; keep fewer");
  SearchQuestion question;
  question.limits = limits_for(problem, options);
  question.budget.evaluations = options.evaluations;
  question.seed = options.seed;
  const PruningCost cost = cost_of_pruning(problem, pruned.part, question);
  write_file_atomically(options.out, part_file(options, pruned.part, cost));

  Table table({"decision", "kept, fastest first", "left out, most valuable first"});
  for (const auto& decision : pruned.decisions)
    table.row({space.decisions()[decision.decision].name, names_of(space, decision.decision, decision.kept),
               names_of(space, decision.decision, decision.left_out)});
  const auto& goal = problem.objectives[0];
  return options.out + ": at most " + std::to_string(options.keep) + " choices of each decision of " + part.describe() +
         ", " + to_decimal(part.size()) + " architectures before, " + to_decimal(pruned.part.size()) + " after\n" +
         "quality: " + goal.label + (goal.is_stand_in ? ", a stand-in for accuracy" : "") +
         "; latency: " + problem.objectives[1].label + "\n\n" + table.markdown() + "\n" + kept_where(space, pruned) +
         "\n" + describe_cost(problem, cost, question.limits) + "\nSearch it:\n  oneproxy search --space " +
         shell_word(options.out) + " --latency " + shell_word(options.latency) + " --quality " +
         shell_word(options.quality) + (options.store.empty() ? "" : " --store " + shell_word(options.store)) +
         (options.set.empty() ? "" : " --set " + shell_word("set=" + options.set)) + " --method " + cost.method + "\n";
}

}  // namespace oneproxy
