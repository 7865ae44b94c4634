#include "oneproxy/engine/search/methods/evolutionary.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/search/neighbours.h"
#include "oneproxy/engine/search/random_draws.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

class Evolution {
 public:
  Evolution(Evaluator& evaluator, const Neighbours& neighbours, std::span<const std::int64_t> rows,
            const EvolutionSettings& settings, std::size_t limits, Philox random)
      : evaluator_(evaluator),
        problem_(evaluator.problem()),
        neighbours_(neighbours),
        rows_(rows),
        settings_(settings),
        limits_(evaluator.limits()[limits]),
        share_(static_cast<double>(limits + 1) / static_cast<double>(evaluator.limits().size())),
        draws_(random) {}

  // What it met is in the evaluator's record.
  void run() {
    std::vector<Solution> population = feasible(settings_.population, [&] { return random_architecture(); });
    const auto rank = [&](const Solution& a, const Solution& b) { return better(problem_, a, b); };
    int in_vain = 0;
    for (int generation = 0; !population.empty() && goes_on(generation, in_vain); ++generation) {
      check_interrupt();
      const auto evaluated = evaluator_.n_evaluated();
      std::stable_sort(population.begin(), population.end(), rank);
      const auto n_parents = std::clamp<std::size_t>(
          static_cast<std::size_t>(std::lround(settings_.parent_share * settings_.population)), 1, population.size());
      population.resize(n_parents);
      const auto parents = population;
      const int n_children = settings_.population - static_cast<int>(n_parents);
      const int n_mutants = static_cast<int>(std::lround(settings_.mutation_share * n_children));
      append(population, feasible(n_mutants, [&] { return mutant(pick(parents)); }));
      append(population, feasible(n_children - n_mutants, [&] { return cross(pick(parents), pick(parents)); }));
      in_vain = evaluator_.n_evaluated() > evaluated ? 0 : in_vain + 1;
    }
  }

 private:
  using Choices = std::vector<std::uint8_t>;
  using Digits = std::vector<std::uint32_t>;

  bool goes_on(int generation, int in_vain) const {
    if (!evaluator_.has_budget()) return generation < settings_.generations;
    return evaluator_.spent() < share_ && in_vain < settings_.patience;
  }

  static void append(std::vector<Solution>& to, std::vector<Solution> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  const Solution& pick(const std::vector<Solution>& from) { return from[draws_.below(from.size())]; }

  Choices random_architecture() {
    if (!problem_.covers_space()) {  // only the rows of the set have both objectives
      const auto row = problem_.data->rows().row(rows_[draws_.below(rows_.size())]);
      return {row.begin(), row.end()};
    }
    Digits digits;
    for (const auto radix : problem_.part.radices()) digits.push_back(static_cast<std::uint32_t>(draws_.below(radix)));
    return problem_.part.choices(digits);
  }

  // Each decision changes at the mutation rate; within a stage to a stage that differs in one block.
  Choices mutant(const Solution& parent) {
    Digits child = problem_.part.digits(parent.choices);
    for (int d = 0; d < problem_.part.n_digits(); ++d) {
      const int n_decisions = problem_.part.space().digits()[d].n_decisions;
      for (int i = 0; i < n_decisions; ++i) {
        if (draws_.uniform() >= settings_.mutation_rate) continue;
        const auto& values = neighbours_.of(d, child[d]);
        if (n_decisions == 1)
          child[d] = static_cast<std::uint32_t>(draws_.below(problem_.part.radices()[d]));
        else if (!values.empty())
          child[d] = values[draws_.below(values.size())];
      }
    }
    return problem_.part.choices(child);
  }

  Choices cross(const Solution& mother, const Solution& father) {
    Digits child = problem_.part.digits(mother.choices);
    const Digits other = problem_.part.digits(father.choices);
    for (std::size_t d = 0; d < child.size(); ++d)
      if (draws_.below(2)) child[d] = other[d];
    return problem_.part.choices(child);
  }

  // `count` architectures within the limit, made and evaluated in batches; fewer when patience ends.
  template <class Make>
  std::vector<Solution> feasible(int count, Make make) {
    std::vector<Solution> found;
    for (int batch = 0; batch < settings_.patience && static_cast<int>(found.size()) < count; ++batch) {
      if (evaluator_.has_budget() && evaluator_.spent() >= share_) break;
      const auto size = std::min<std::int64_t>(count, evaluator_.evaluations_left(share_));
      std::vector<Choices> tried;
      std::vector<std::uint8_t> flat;
      for (std::int64_t i = 0; i < size; ++i) {
        tried.push_back(make());
        flat.insert(flat.end(), tried.back().begin(), tried.back().end());
      }
      const auto values = evaluator_.evaluate(flat);
      for (std::size_t i = 0; i < tried.size() && static_cast<int>(found.size()) < count; ++i) {
        Solution solution{tried[i], {}};
        for (const auto& column : values) solution.values.push_back(column[i]);
        // Children of rows of a set may be no rows: unknown, and thus not feasible.
        const bool known =
            std::none_of(solution.values.begin(), solution.values.end(), [](double v) { return std::isnan(v); });
        if (known && limits_.allow(problem_, solution.values)) found.push_back(std::move(solution));
      }
    }
    return found;
  }

  Evaluator& evaluator_;
  const SearchProblem& problem_;
  const Neighbours& neighbours_;
  std::span<const std::int64_t> rows_;  // of the set that lie in the part
  const EvolutionSettings& settings_;
  const Limits& limits_;
  double share_;  // of the budget, spent when this population has had its part
  RandomDraws draws_;
};

}  // namespace

SearchResult EvolutionarySearch::search(Evaluator& evaluator) const {
  const SearchProblem& problem = evaluator.problem();
  const Neighbours neighbours(problem.part);
  const auto rows = problem.covers_space() ? std::vector<std::int64_t>{} : rows_of(problem);
  if (!problem.covers_space() && rows.empty())
    throw Error("no row of the set lies in " + problem.part.describe() + "; fix less, or use predictors");
  for (std::size_t i = 0; i < evaluator.limits().size(); ++i) {
    const auto random = random_stream(evaluator.question().seed, Draws::evolution, static_cast<std::uint32_t>(i));
    Evolution(evaluator, neighbours, rows, settings_, i, random).run();
  }
  std::string certainty = "best found: a population of " + std::to_string(settings_.population);
  certainty += evaluator.has_budget() ? " until the budget is spent"
                                      : " for " + std::to_string(settings_.generations) + " generations a limit";
  return evaluator.found(certainty);
}

SearchMethodKind evolutionary_method() {
  return {"evolutionary",
          "a population within the limits, by mutation and crossover (OneProxy, Once-for-All)",
          false,
          true,
          true,
          [](Config& config) {
            EvolutionSettings s;
            s.population = static_cast<int>(config.integer("population", 100, 2, 1000000, "evolutionary: population"));
            s.generations =
                static_cast<int>(config.integer("generations", 50, 0, 1000000, "evolutionary: generations"));
            s.parent_share = config.number("parent_share", 0.25, 0, 1, "evolutionary: best part that has children");
            s.mutation_share = config.number("mutation_share", 0.5, 0, 1,
                                             "evolutionary: children by mutation; the others by crossover");
            s.mutation_rate = config.number("mutation_rate", 0.1, 0, 1, "evolutionary: mutation of a decision");
            s.patience = static_cast<int>(config.integer(
                "patience", 50, 1, 1000000, "evolutionary: batches without success before a limit is given up"));
            return std::make_unique<EvolutionarySearch>(s);
          }};
}

}  // namespace oneproxy
