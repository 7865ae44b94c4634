#include "engine/search/evolutionary.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "engine/base/interrupt.h"
#include "engine/base/streams.h"
#include "kernels/error.h"
#include "kernels/pareto.h"

namespace oneproxy {
namespace {

// Draws in sequence from one stream.
class Dice {
 public:
  explicit Dice(Philox random) : random_(random) {}
  std::uint64_t below(std::uint64_t bound) { return random_.below(next_++, bound); }
  double uniform() { return random_.uniform(next_++); }

 private:
  Philox random_;
  std::uint64_t next_ = 0;
};

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
  Evolution(const SearchProblem& problem, const EvolutionSettings& settings, double limit, Philox random,
            Record& record)
      : problem_(problem), settings_(settings), limit_(limit), dice_(random), record_(record) {}

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

  static void append(std::vector<Solution>& to, std::vector<Solution> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  const Solution& pick(const std::vector<Solution>& from) { return from[dice_.below(from.size())]; }

  Choices random_architecture() {
    if (!problem_.covers_space()) {  // only the rows of the set have both objectives
      const auto row = problem_.data.rows().row(static_cast<std::int64_t>(dice_.below(problem_.data.n())));
      return {row.begin(), row.end()};
    }
    Choices choices;
    for (const auto radix : problem_.data.space().radices())
      choices.push_back(static_cast<std::uint8_t>(dice_.below(radix)));
    return choices;
  }

  Choices mutant(const Solution& parent) {
    Choices child = parent.choices;
    const auto radices = problem_.data.space().radices();
    for (std::size_t d = 0; d < child.size(); ++d)
      if (dice_.uniform() < settings_.mutation_rate) child[d] = static_cast<std::uint8_t>(dice_.below(radices[d]));
    return child;
  }

  Choices cross(const Solution& mother, const Solution& father) {
    Choices child = mother.choices;
    for (std::size_t d = 0; d < child.size(); ++d)
      if (dice_.below(2)) child[d] = father.choices[d];
    return child;
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
  for (std::size_t i = 0; i < limits_ms.size(); ++i) {
    Evolution evolution(problem, settings, limits_ms[i],
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
  return result;
}

}  // namespace oneproxy
