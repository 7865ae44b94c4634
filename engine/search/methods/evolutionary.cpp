#include "oneproxy/engine/search/methods/evolutionary.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/search/feasible.h"
#include "oneproxy/engine/search/methods/islands.h"
#include "oneproxy/engine/search/neighbours.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Digits = std::vector<std::uint32_t>;

// Until these shares of a population's time so many islands have parents.
constexpr std::pair<double, std::size_t> kIslands[] = {{0.15, 8}, {0.3, 3}, {0.55, 2}};
constexpr int kGenerationsInVain = 2;  // each of which had its patience
constexpr int kMixtures = 4;           // of two stages, until one is a stage

struct Individual {
  Digits digits;
  double score = 0;           // of the goal
  std::vector<double> costs;  // scores of the others: of equal goals the cheaper one comes first
};

class Evolution {
 public:
  Evolution(Evaluator& evaluator, const Neighbours& neighbours, const EvolutionSettings& settings, std::size_t limits,
            Philox random)
      : evaluator_(evaluator),
        part_(evaluator.problem().part),
        neighbours_(neighbours),
        settings_(settings),
        feasible_(evaluator, limits),
        share_(evaluator.share_until(limits)),
        draws_(random),
        islands_(islands_of(evaluator) > 1) {}

  // What it met is in the evaluator's record.
  void run() {
    std::vector<Individual> population = grown(settings_.population, [&] { return start(); });
    int in_vain = 0;
    for (int generation = 0; !population.empty() && goes_on(generation, in_vain); ++generation) {
      check_interrupt();
      const auto evaluated = evaluator_.n_evaluated();
      std::stable_sort(population.begin(), population.end(), [](const Individual& a, const Individual& b) {
        return a.score != b.score ? a.score > b.score : a.costs < b.costs;
      });
      const auto n_parents = std::clamp<std::size_t>(
          static_cast<std::size_t>(std::lround(settings_.parent_share * settings_.population)), 1, population.size());
      population = selected(population, n_parents, progress(generation));
      const auto parents = population;
      const int n_children = settings_.population - static_cast<int>(n_parents);
      const int n_mutants = static_cast<int>(std::lround(settings_.mutation_share * n_children));
      append(population, grown(n_mutants, [&] { return mutant(pick(parents)); }));
      append(population, grown(n_children - n_mutants, [&] { return cross(pick(parents), pick(parents)); }));
      in_vain = evaluator_.n_evaluated() > evaluated ? 0 : in_vain + 1;
    }
  }

 private:
  double progress(int generation) const {
    if (!evaluator_.has_budget()) return static_cast<double>(generation) / settings_.generations;
    const double n = static_cast<double>(evaluator_.limits().size());
    return 1 - (share_ - evaluator_.spent()) * n;
  }

  // The best; while an island has its places, the best of each of the best islands.
  std::vector<Individual> selected(const std::vector<Individual>& sorted, std::size_t count, double progress) const {
    std::size_t left = 1;
    if (islands_ && !settings_.published)
      for (const auto& [until, islands] : kIslands)
        if (progress < until) {
          left = islands;
          break;
        }
    std::map<std::uint32_t, std::size_t> taken;
    std::vector<Individual> chosen;
    for (const auto& own : sorted) {
      const std::uint32_t island = left > 1 ? own.digits[0] : 0;
      if (chosen.size() == count) break;
      if (!taken.contains(island) && taken.size() == left) continue;
      if (taken[island] == (count + left - 1) / left) continue;
      ++taken[island];
      chosen.push_back(own);
    }
    return chosen;
  }

  bool goes_on(int generation, int in_vain) const {
    if (in_vain >= (settings_.published ? settings_.patience : kGenerationsInVain)) return false;
    return evaluator_.has_budget() ? evaluator_.spent() < share_ : generation < settings_.generations;
  }

  static void append(std::vector<Individual>& to, std::vector<Individual> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  const Individual& pick(const std::vector<Individual>& from) { return from[draws_.below(from.size())]; }

  Digits start() {
    if (!settings_.published)
      if (auto led = feasible_.draw(draws_)) return *led;
    return feasible_.any(draws_);
  }

  // Each decision changes at the mutation rate; within a stage to a stage that differs in one block.
  Digits mutant(const Individual& parent) {
    Digits child = parent.digits;
    for (int d = 0; d < part_.n_digits(); ++d) {
      const int n_decisions = part_.space().digits()[d].n_decisions;
      for (int i = 0; i < n_decisions; ++i) {
        if (draws_.uniform() >= settings_.mutation_rate) continue;
        const auto& values = neighbours_.of(d, child[d]);
        if (n_decisions == 1)
          child[d] = static_cast<std::uint32_t>(draws_.below(part_.radices()[d]));
        else if (!values.empty())
          child[d] = values[draws_.below(values.size())];
      }
    }
    return child;
  }

  // Each decision from one of the parents. In a stage, where not every mixture is one, in a few tries; then the whole
  // stage of one parent.
  Digits cross(const Individual& mother, const Individual& father) {
    Digits child = mother.digits;
    const auto of_mother = part_.choices(mother.digits), of_father = part_.choices(father.digits);
    for (int d = 0; d < part_.n_digits(); ++d) {
      if (mother.digits[d] == father.digits[d]) continue;
      const Digit& digit = part_.space().digits()[d];
      Digits mixed;
      for (int i = 0; i < kMixtures && mixed.empty() && digit.n_decisions > 1; ++i) {
        auto choices = of_mother;
        for (int j = digit.first_decision; j < digit.first_decision + digit.n_decisions; ++j)
          if (draws_.below(2)) choices[j] = of_father[j];
        if (part_.space().valid(choices)) mixed = part_.digits(choices);
      }
      if (!mixed.empty())
        child[d] = mixed[d];
      else if (draws_.below(2))
        child[d] = father.digits[d];
    }
    return child;
  }

  // `count` individuals within the limits, made and evaluated in batches; fewer when patience ends.
  template <class Make>
  std::vector<Individual> grown(int count, Make make) {
    std::vector<Individual> found;
    for (int batch = 0; batch < settings_.patience && static_cast<int>(found.size()) < count; ++batch) {
      if (evaluator_.has_budget() && evaluator_.spent() >= share_) break;
      const auto wanted = std::min<std::int64_t>(count - std::ssize(found), evaluator_.evaluations_left(share_));
      std::vector<Individual> tried;
      std::set<Digits> in_batch;
      Digits flat;
      for (int i = 0; i < count && std::ssize(tried) < wanted; ++i) {
        Individual child{make(), 0, {}};
        if (!settings_.published && (evaluator_.seen(child.digits) || in_batch.contains(child.digits))) continue;
        if (!feasible_.holds(child.digits)) continue;
        in_batch.insert(child.digits);
        flat.insert(flat.end(), child.digits.begin(), child.digits.end());
        tried.push_back(std::move(child));
      }
      const auto scores = evaluator_.scores(flat);
      for (std::size_t i = 0; i < tried.size(); ++i) {
        // Children of rows of a set may be no rows: unknown, and thus not feasible.
        if (std::isnan(scores[i])) continue;
        tried[i].score = scores[i];
        for (std::size_t objective = 1; objective < evaluator_.problem().objectives.size(); ++objective)
          tried[i].costs.push_back(evaluator_.cost_score(objective, tried[i].digits));
        found.push_back(std::move(tried[i]));
      }
    }
    return found;
  }

  Evaluator& evaluator_;
  const SubSpace& part_;
  const Neighbours& neighbours_;
  const EvolutionSettings& settings_;
  Feasible feasible_;
  double share_;  // of the budget, spent when this population has had its part
  RandomDraws draws_;
  bool islands_;  // a population would soon have one value of digit 0 (islands.h)
};

}  // namespace

SearchResult EvolutionarySearch::search(Evaluator& evaluator) const {
  const Neighbours neighbours(evaluator.problem().part);
  for (std::size_t i = 0; i < evaluator.limits().size(); ++i) {
    const auto random = random_stream(evaluator.question().seed, Draws::evolution, static_cast<std::uint32_t>(i));
    Evolution(evaluator, neighbours, settings_, i, random).run();
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
                "patience", 50, 1, 1000000, "evolutionary: batches without success before a generation is given up"));
            s.published = config.flag("published", false,
                                      "evolutionary: as published, nothing that was met before is refused, and starts "
                                      "are drawn until they are within a limit");
            return std::make_unique<EvolutionarySearch>(s);
          }};
}

}  // namespace oneproxy
