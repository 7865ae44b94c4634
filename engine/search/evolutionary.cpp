#include "oneproxy/engine/search/evolutionary.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/search/dice.h"
#include "oneproxy/engine/search/neighbours.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/front/pareto.h"

namespace oneproxy {
namespace {

// Of all that was evaluated, each architecture once: the record from which the front is taken.
struct Record {
  std::unordered_set<std::string> seen;
  std::vector<Solution> solutions;

  void add(const Solution& solution) {
    if (seen.emplace(solution.choices.begin(), solution.choices.end()).second) solutions.push_back(solution);
  }
};

bool better(const Solution& a, const Solution& b) {
  return a.quality != b.quality ? a.quality > b.quality : a.latency_ms < b.latency_ms;
}

class Evolution {
 public:
  Evolution(const SearchProblem& problem, const Neighbours& neighbours, std::span<const std::int64_t> rows,
            const EvolutionSettings& settings, double limit, Philox random, Record& record)
      : problem_(problem),
        neighbours_(neighbours),
        rows_(rows),
        settings_(settings),
        limit_(limit),
        dice_(random),
        record_(record) {}

  // Best within the limit; empty where no feasible architecture was met.
  Solution run() {
    std::vector<Solution> population = feasible(settings_.population, [&] { return random_architecture(); });
    for (int generation = 0; generation < settings_.generations && !population.empty(); ++generation) {
      check_interrupt();
      std::stable_sort(population.begin(), population.end(), better);
      const auto n_parents = std::clamp<std::size_t>(
          static_cast<std::size_t>(std::lround(settings_.parent_share * settings_.population)), 1, population.size());
      population.resize(n_parents);
      const auto parents = population;
      const int n_children = settings_.population - static_cast<int>(n_parents);
      const int n_mutants = static_cast<int>(std::lround(settings_.mutation_share * n_children));
      append(population, feasible(n_mutants, [&] { return mutant(pick(parents)); }));
      append(population, feasible(n_children - n_mutants, [&] { return cross(pick(parents), pick(parents)); }));
    }
    if (population.empty()) return {};
    return *std::min_element(population.begin(), population.end(), better);
  }

  std::int64_t evaluated() const { return evaluated_; }

 private:
  using Choices = std::vector<std::uint8_t>;
  using Digits = std::vector<std::uint32_t>;

  static void append(std::vector<Solution>& to, std::vector<Solution> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  const Solution& pick(const std::vector<Solution>& from) { return from[dice_.below(from.size())]; }

  Choices random_architecture() {
    if (!problem_.covers_space()) {  // only the rows of the set have both objectives
      const auto row = problem_.data->rows().row(rows_[dice_.below(rows_.size())]);
      return {row.begin(), row.end()};
    }
    Digits digits;
    for (const auto radix : problem_.part.radices()) digits.push_back(static_cast<std::uint32_t>(dice_.below(radix)));
    return problem_.part.choices(digits);
  }

  // Each decision changes at the mutation rate; within a stage to a stage that differs in one block.
  Choices mutant(const Solution& parent) {
    Digits child = problem_.part.digits(parent.choices);
    for (int d = 0; d < problem_.part.n_digits(); ++d) {
      const int n_decisions = problem_.part.space().digits()[d].n_decisions;
      for (int i = 0; i < n_decisions; ++i) {
        if (dice_.uniform() >= settings_.mutation_rate) continue;
        const auto& values = neighbours_.of(d, child[d]);
        if (n_decisions == 1)
          child[d] = static_cast<std::uint32_t>(dice_.below(problem_.part.radices()[d]));
        else if (!values.empty())
          child[d] = values[dice_.below(values.size())];
      }
    }
    return problem_.part.choices(child);
  }

  Choices cross(const Solution& mother, const Solution& father) {
    Digits child = problem_.part.digits(mother.choices);
    const Digits other = problem_.part.digits(father.choices);
    for (std::size_t d = 0; d < child.size(); ++d)
      if (dice_.below(2)) child[d] = other[d];
    return problem_.part.choices(child);
  }

  // `count` architectures within the limit, made and evaluated in batches; fewer when patience ends.
  template <class Make>
  std::vector<Solution> feasible(int count, Make make) {
    std::vector<Solution> found;
    for (int batch = 0; batch < settings_.patience && static_cast<int>(found.size()) < count; ++batch) {
      std::vector<Choices> tried;
      std::vector<std::uint8_t> flat;
      for (int i = 0; i < count; ++i) {
        tried.push_back(make());
        flat.insert(flat.end(), tried.back().begin(), tried.back().end());
      }
      std::vector<double> latency(tried.size()), quality(tried.size());
      // Children of rows of a set may be no rows: unknown, and thus not feasible.
      problem_.latency.evaluate(flat, latency);
      problem_.quality.evaluate(flat, quality);
      evaluated_ += static_cast<std::int64_t>(tried.size());
      for (std::size_t i = 0; i < tried.size(); ++i) {
        if (std::isnan(latency[i]) || std::isnan(quality[i])) continue;
        Solution solution{tried[i], latency[i], quality[i]};
        record_.add(solution);
        if (latency[i] <= limit_ && static_cast<int>(found.size()) < count) found.push_back(std::move(solution));
      }
    }
    return found;
  }

  const SearchProblem& problem_;
  const Neighbours& neighbours_;
  std::span<const std::int64_t> rows_;  // of the set that lie in the part
  const EvolutionSettings& settings_;
  double limit_;
  Dice dice_;
  Record& record_;
  std::int64_t evaluated_ = 0;
};

}  // namespace

SearchResult search_evolutionarily(const SearchProblem& problem, std::span<const double> limits_ms,
                                   const EvolutionSettings& settings, Backend backend) {
  SearchResult result;
  Record record;
  const Neighbours neighbours(problem.part);
  const auto rows = problem.covers_space() ? std::vector<std::int64_t>{} : rows_of(problem);
  if (!problem.covers_space() && rows.empty())
    throw Error("no row of the set lies in " + problem.part.describe() + "; fix less, or use predictors");
  for (std::size_t i = 0; i < limits_ms.size(); ++i) {
    Evolution evolution(problem, neighbours, rows, settings, limits_ms[i],
                        random_stream(settings.seed, Draws::evolution, static_cast<std::uint32_t>(i)), record);
    result.best.push_back(evolution.run());
    result.n_evaluated += evolution.evaluated();
  }
  std::vector<double> latency, quality;
  for (const auto& solution : record.solutions) {
    latency.push_back(solution.latency_ms);
    quality.push_back(solution.quality);
  }
  for (const auto i : pareto_front(latency, quality, backend)) result.front.push_back(record.solutions[i]);
  result.certainty = "best found: a population of " + std::to_string(settings.population) + " for " +
                     std::to_string(settings.generations) + " generations a limit";
  return result;
}

}  // namespace oneproxy
