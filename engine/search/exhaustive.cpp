#include "oneproxy/engine/search/exhaustive.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/score/score_run.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/front/pareto.h"

namespace oneproxy {
namespace {

std::vector<double> evaluate(const Objective& objective, std::span<const std::uint8_t> choices, std::int64_t n) {
  std::vector<double> values(n);
  objective.evaluate(choices, values);
  return values;
}

// Front and best of a list of architectures by definition. choices [n, n_decisions] in the order of ties.
void finish(const SearchProblem& problem, std::span<const std::uint8_t> choices, std::span<const double> limits_ms,
            Backend backend, SearchResult& result) {
  const auto width = static_cast<std::int64_t>(problem.part.space().n_decisions());
  const auto n = static_cast<std::int64_t>(choices.size()) / width;
  const auto latency = evaluate(problem.latency, choices, n), quality = evaluate(problem.quality, choices, n);
  const auto solution = [&](std::int64_t i) {
    return Solution{{choices.begin() + i * width, choices.begin() + (i + 1) * width}, latency[i], quality[i]};
  };
  for (const auto i : pareto_front(latency, quality, backend)) result.front.push_back(solution(i));
  for (const auto i : best_under_limits(latency, quality, limits_ms, backend))
    result.best.push_back(i < 0 ? Solution{} : solution(i));
}

SearchResult search_rows(const SearchProblem& problem, std::span<const double> limits_ms, Backend backend) {
  const auto rows = rows_of(problem);
  std::vector<std::uint8_t> choices;
  for (const auto i : rows) {
    const auto row = problem.data->rows().row(i);
    choices.insert(choices.end(), row.begin(), row.end());
  }
  const auto n = static_cast<std::int64_t>(rows.size());
  SearchResult result;
  result.n_evaluated = n;
  result.certainty = "exact: all " + std::to_string(n) + " rows of the set";
  finish(problem, choices, limits_ms, backend, result);
  return result;
}

// Small spaces: a table by index has at most kIndexTableMost architectures.
SearchResult search_by_definition(const SearchProblem& problem, std::span<const double> limits_ms, const ArchRun& run,
                                  Backend backend) {
  const DigitSplit split = run.shuffled ? split_digits(problem.part.radices()) : DigitSplit{};
  std::vector<ArchIndex> indices;
  for (std::uint64_t i = 0; i < run.count; ++i) indices.push_back(run_index(run, i, split));
  std::sort(indices.begin(), indices.end());  // ties to the lower index
  std::vector<std::uint8_t> choices;
  for (const auto index : indices) {
    const auto own = problem.part.choices(index);
    choices.insert(choices.end(), own.begin(), own.end());
  }
  SearchResult result;
  result.n_evaluated = static_cast<std::int64_t>(run.count);
  finish(problem, choices, limits_ms, backend, result);
  return result;
}

}  // namespace

ArchIndex exhaustive_size(const SearchProblem& problem) {
  return problem.covers_space() ? problem.part.size() : static_cast<ArchIndex>(problem.data->n());
}

SearchResult search_exhaustively(const SearchProblem& problem, std::span<const double> limits_ms,
                                 const ExhaustiveSettings& settings, Backend backend) {
  if (!problem.covers_space()) {
    if (settings.begin != 0 || settings.count != 0 || settings.shuffled)
      throw Error("a range of architectures needs objectives that cover the space; \"" + problem.latency.label +
                  "\" or \"" + problem.quality.label + "\" is known on the rows of a set only");
    return search_rows(problem, limits_ms, backend);
  }
  const SubSpace& part = problem.part;
  if (settings.begin > part.size() || settings.count > part.size() - settings.begin)
    throw Error("count = " + to_decimal(settings.count) + " architectures from begin = " + to_decimal(settings.begin) +
                " on pass the size of the space, " + to_decimal(part.size()));
  const ArchIndex count = settings.count ? settings.count : part.size() - settings.begin;
  if (count > kExhaustiveMost)
    throw Error("space " + part.space().name() + " has " + to_decimal(count) +
                " architectures, too many to score one by one (most: " + std::to_string(kExhaustiveMost) +
                "); use method = \"evolutionary\", \"annealing\" or \"exact\", fix some decisions, or give a count");

  const ArchRun run{settings.begin, static_cast<std::uint64_t>(count), settings.shuffled, settings.seed};
  const std::string scored = std::to_string(run.count) + (run.count == part.size() ? " architectures, all of them"
                                                          : run.shuffled           ? " random architectures"
                                                                                   : " architectures of a range");
  if (!problem.has_kernels()) {
    SearchResult result = search_by_definition(problem, limits_ms, run, backend);
    result.certainty = "exact: " + scored;
    return result;
  }

  const KernelModel latency(*problem.latency.model, part), quality(*problem.quality.model, part);
  const Model models[] = {latency.view(), quality.view()};
  const Scorer scorer(part.code(), models, backend, settings.precision);
  for (const auto& path : scorer.paths()) log_info("scoring by " + path);
  ReductionSettings reduction_settings;
  reduction_settings.latency_margin = scorer.error_bound(0);
  reduction_settings.quality_margin = scorer.error_bound(1);
  CheckpointSettings checkpoint{settings.checkpoint, identity_of(part.code(), models, settings.precision) + "/" +
                                                         to_decimal(run.begin) + "/" + std::to_string(run.count) +
                                                         (run.shuffled ? "/" + std::to_string(run.seed) : "")};
  const Reduction reduction = reduce_run(scorer, run, reduction_settings, checkpoint, "exhaustive");

  SearchResult result;
  result.n_evaluated = static_cast<std::int64_t>(reduction.n_scored());
  result.certainty =
      reduction.gave_up_margins()
          ? "best found: " + scored + ", by " + to_string(settings.precision) +
                " scores whose proven error is too large to leave few candidates; precision = \"fp64\" makes it exact"
          : "exact: " + scored;
  // By definition again, and ties to the lower index.
  auto candidates = reduction.front();
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.index < b.index; });
  std::vector<std::uint8_t> choices;
  for (const auto& candidate : candidates) {
    const auto own = part.choices(candidate.index);
    choices.insert(choices.end(), own.begin(), own.end());
  }
  finish(problem, choices, limits_ms, backend, result);
  return result;
}

}  // namespace oneproxy
