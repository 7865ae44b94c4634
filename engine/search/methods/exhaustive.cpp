#include "oneproxy/engine/search/methods/exhaustive.h"

#include <algorithm>

#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/score/reduce_range.h"
#include "oneproxy/engine/search/computed_objective.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// By definition, and ties to the one that comes first.
SearchResult result_of(const Evaluator& evaluator, std::span<const std::uint8_t> choices, ArchIndex n_covered,
                       std::string certainty) {
  const auto& problem = evaluator.problem();
  const auto solutions = solve(problem, choices);
  return {front_of(problem, solutions, evaluator.question().backend),
          best_of(problem, solutions, evaluator.limits(), evaluator.question().n_best), std::move(certainty),
          n_covered};
}

// Counts them. Of objectives that functions compute it asks for them here, a batch at a time, and says how far it is.
void count(Evaluator& evaluator, std::span<const std::uint8_t> choices) {
  const auto& problem = evaluator.problem();
  const std::size_t width = problem.part.space().n_decisions(), n = choices.size() / width;
  if (!problem.is_computed()) return evaluator.count_untracked(static_cast<std::int64_t>(n));
  evaluator.expect(static_cast<std::int64_t>(n));
  for (std::size_t i = 0; i < n; i += kComputedBatch)
    evaluator.evaluate(choices.subspan(i * width, std::min(kComputedBatch, n - i) * width));
}

SearchResult search_rows(Evaluator& evaluator) {
  const auto& problem = evaluator.problem();
  const auto choices = choices_of_rows(problem);
  const auto n = static_cast<std::int64_t>(choices.size()) / problem.part.space().n_decisions();
  count(evaluator, choices);
  return result_of(evaluator, choices, static_cast<ArchIndex>(n),
                   "exact: all " + std::to_string(n) + " rows of the set");
}

std::vector<std::uint8_t> choices_of(const SubSpace& part, std::vector<ArchIndex> indices) {
  std::sort(indices.begin(), indices.end());  // ties to the lower index
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  std::vector<std::uint8_t> choices;
  for (const auto index : indices) {
    const auto own = part.choices(index);
    choices.insert(choices.end(), own.begin(), own.end());
  }
  return choices;
}

// Small spaces: a table by index has at most kIndexTableMost architectures, a function is called for kMaxComputed.
SearchResult search_by_definition(Evaluator& evaluator, const IndexRange& run, const std::string& scored) {
  const SubSpace& part = evaluator.problem().part;
  const DigitSplit split = run.shuffled ? split_digits(part.radices()) : DigitSplit{};
  std::vector<ArchIndex> indices;
  for (std::uint64_t i = 0; i < run.count; ++i) indices.push_back(index_at(run, i, split));
  const auto choices = choices_of(part, std::move(indices));
  count(evaluator, choices);
  return result_of(evaluator, choices, run.count, "exact" + scored);
}

SearchResult search_by_kernels(Evaluator& evaluator, const IndexRange& run, const std::string& scored) {
  evaluator.count_untracked(static_cast<std::int64_t>(run.count));
  const auto& question = evaluator.question();
  const KernelProblem& kernels = evaluator.kernels();
  const Scorer scorer(kernels.code(), kernels.models(), question.backend, question.precision);
  for (const auto& path : scorer.paths()) log_info("scoring by " + path);
  // The best within limits is on the front; those that follow it need not be.
  const auto settings = kernels.reduction(scorer, question.limits, true, question.n_best > 1 ? question.n_best : 0);
  std::string identity = identity_of(kernels.code(), kernels.models(), question.precision) + "/" +
                         to_decimal(run.begin) + "/" + std::to_string(run.count) +
                         (run.shuffled ? "/" + std::to_string(run.seed) : "");
  for (const auto& limits : question.limits) identity += settings.best > 0 ? "/" + limits.text() : "";
  const Reduction reduction =
      reduce_range(scorer, run, settings, identity + (settings.best > 0 ? "/" + std::to_string(settings.best) : ""),
                   question.sharing, "exhaustive");
  std::vector<ArchIndex> indices;
  for (const auto& candidate : reduction.front()) indices.push_back(candidate.index);
  for (std::size_t l = 0; l < settings.limits.size(); ++l)
    for (const auto& candidate : reduction.best(static_cast<int>(l))) indices.push_back(candidate.index);
  const std::string certainty =
      reduction.gave_up_margins()
          ? "best found" + scored + ", by " + to_string(question.precision) +
                " scores whose proven error is too large to leave few candidates; precision = \"fp64\" makes it exact"
          : "exact" + scored;
  return result_of(evaluator, choices_of(evaluator.problem().part, std::move(indices)), run.count, certainty);
}

// An index of up to 128 bit.
ArchIndex read_index(Config& config, const std::string& key, const std::string& meaning) {
  const auto text = config.whole_number(key, "0", meaning);
  try {
    return from_decimal(text);
  } catch (const Error& error) {
    throw Error(config.location(key) + ": " + key + " = " + error.what());
  }
}

}  // namespace

ArchIndex exhaustive_size(const SearchProblem& problem) {
  return problem.covers_space() ? problem.part.size() : static_cast<ArchIndex>(problem.data->n());
}

SearchResult ExhaustiveSearch::search(Evaluator& evaluator) const {
  const auto& problem = evaluator.problem();
  if (!problem.covers_space()) {
    if (settings_.begin != 0 || settings_.count != 0 || settings_.shuffled)
      throw Error(
          "a range of architectures needs objectives that cover the space; one of them is known on the rows of a "
          "set only (device: or metric:)");
    return search_rows(evaluator);
  }
  const SubSpace& part = problem.part;
  if (settings_.begin > part.size() || settings_.count > part.size() - settings_.begin)
    throw Error("count = " + to_decimal(settings_.count) + " architectures from begin = " +
                to_decimal(settings_.begin) + " on pass the size of the space, " + to_decimal(part.size()));
  const ArchIndex count = settings_.count ? settings_.count : part.size() - settings_.begin;
  if (problem.is_computed() && count > kMaxComputed)
    throw Error("method = \"exhaustive\" would call a function for " + to_decimal(count) + " architectures of " +
                part.describe() + " (most: " + std::to_string(kMaxComputed) +
                "); use method = \"evolutionary\", or fix some decisions");
  if (count > kMaxExhaustive)
    throw Error("space " + part.space().name() + " has " + to_decimal(count) +
                " architectures, too many to score one by one (most: " + std::to_string(kMaxExhaustive) +
                "); use method = \"evolutionary\", \"annealing\" or \"exact\", fix some decisions, or give a count");
  const IndexRange run{settings_.begin, static_cast<std::uint64_t>(count), settings_.shuffled,
                       evaluator.question().seed};
  // What it is exact for: what was not scored may be better.
  const std::string of = " of " + to_decimal(part.size());
  const std::string scored = run.count == part.size()
                                 ? ": " + std::to_string(run.count) + " architectures, all of them"
                                 : " among " + std::to_string(run.count) + (run.shuffled ? " random" : "") +
                                       " architectures" + of +
                                       (run.shuffled ? "" : ", from " + to_decimal(run.begin) + " on");
  return problem.has_kernels() ? search_by_kernels(evaluator, run, scored)
                               : search_by_definition(evaluator, run, scored);
}

SearchMethodKind exhaustive_method() {
  return {
      "exhaustive", "scores every architecture", true, false, false, [](Config& config) {
        ExhaustiveSettings settings;
        settings.begin = read_index(config, "begin", "exhaustive: first index (in quotes), or place in random order");
        settings.count = read_index(config, "count", "exhaustive: so many architectures (in quotes); 0 is to the end");
        settings.shuffled = config.flag("shuffled", false, "exhaustive: distinct random architectures, by seed");
        return std::make_unique<ExhaustiveSearch>(settings);
      }};
}

}  // namespace oneproxy
