#include "oneproxy/engine/search/methods/annealing.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/search/exchange.h"
#include "oneproxy/engine/search/methods/joint_exchange.h"
#include "oneproxy/engine/search/neighbours.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace {

using Digits = std::vector<std::uint32_t>;
using Costs = std::array<double, kMaxObjectives - 1>;  // scores of the objectives beside the goal

constexpr double kChainsShare = 0.7, kExchangeShare = 0.9;  // of the budget, spent by then; the rest: the last descent
constexpr int kScreened = 3;                                // of these, so many are compared by the surrogate
// From these shares of the schedule on, so many islands of a limit are left.
constexpr std::pair<double, int> kIslandsLeft[] = {{0.2, 3}, {0.35, 2}, {0.7, 1}};
constexpr int kGroup = 24;           // chains that one thread moves: enough for the kernel's tiles
constexpr int kBlock = 25;           // steps between two meetings of the groups
constexpr int kTries = 32;           // proposals of a step until one is within the limit, where that costs no MLP
constexpr double kPairShare = 0.5;   // of the moves that change two decisions: along the limit, not across it
constexpr double kCoolest = 1e-2;    // last temperature, in units of the first
constexpr int kWinnersEvery = 20;    // parts of the schedule after which losing chains go on from winning ones
constexpr int kExchangedChains = 2;  // of a limit, from which joint exchanges begin where time does not count
constexpr int kDescent = 20000;      // moves towards lower costs, to begin within the limits
constexpr int kBlocksInVain = 40;    // that found nothing new, after which a budget of evaluations is given up

// The quality as a sum over decisions, learnt from what the chains of a limit score (normalised least mean squares). It
// need not be right: it only says which of several moves to score.
class Surrogate {
 public:
  explicit Surrogate(const DigitCode& code) : code_(code), weights_(code.n_rows, 0.0) {
    std::size_t offset = 0;
    for (const auto radix : code.radices) {
      offsets_.push_back(offset);
      offset += radix;
    }
  }

  double predict(const Digits& digits) const {
    double sum = bias_;
    each_row(digits, [&](std::int32_t row) { sum += weights_[row]; });
    return sum;
  }
  double error() const { return std::sqrt(squared_error_); }

  void learn(const Digits& digits, double quality) {
    const double error = quality - predict(digits);
    int n = 1;
    each_row(digits, [&](std::int32_t) { ++n; });
    if (++n_ == 1) {  // the level at once
      bias_ = quality;
      return;
    }
    const double step = kLearningRate * error / n;
    bias_ += step;
    each_row(digits, [&](std::int32_t row) { weights_[row] += step; });
    squared_error_ += (error * error - squared_error_) / static_cast<double>(std::min<std::int64_t>(n_, kMemory));
  }

 private:
  static constexpr double kLearningRate = 0.1;
  static constexpr std::int64_t kMemory = 1000;  // points over which the error is averaged

  template <class F>
  void each_row(const Digits& digits, F f) const {
    for (std::size_t d = 0; d < digits.size(); ++d)
      for (int part = 0; part < code_.parts; ++part)
        if (const auto row = code_.rows[(offsets_[d] + digits[d]) * code_.parts + part]; row >= 0) f(row);
  }

  DigitCode code_;
  std::vector<std::size_t> offsets_;
  std::vector<double> weights_;
  double bias_ = 0, squared_error_ = 0;
  std::int64_t n_ = 0;
};

struct Chain {
  RandomDraws draws;
  Digits now, proposal;
  Costs costs{}, proposed_costs{};
  double quality = 0;  // score of the goal
  Digits best;
  double best_quality = -std::numeric_limits<double>::infinity();
};

// Chains of one limit that one thread moves, with what they have learnt. Where digit 0 selects the table of latencies
// (an input resolution), a group keeps to one value of it: to change it changes what everything costs, so that a chain
// seldom can, and the groups of the best value would never be found by the others.
struct Group {
  int limit;             // which
  std::uint32_t island;  // value of digit 0, where that is kept
  std::vector<Chain> chains;
  Surrogate surrogate;
};

class Annealing {
 public:
  Annealing(Evaluator& evaluator, const AnnealingSettings& settings)
      : evaluator_(evaluator),
        part_(evaluator.problem().part),
        settings_(settings),
        neighbours_(part_),
        code_(part_.code()),
        n_costs_(evaluator.problem().objectives.size() - 1) {
    const KernelProblem& kernels = evaluator.kernels();
    for (const auto& limits : evaluator.limits()) {
      Costs scores{};
      for (std::size_t c = 0; c < n_costs_; ++c) scores[c] = kernels.score_limit(limits, c + 1);
      limits_.push_back(scores);
    }
    costs_are_tables_ = true;
    for (std::size_t c = 0; c < n_costs_; ++c)
      costs_are_tables_ = costs_are_tables_ && std::holds_alternative<AdditiveTable<double>>(kernels.model(c + 1));
    const auto* latency = std::get_if<AdditiveTable<double>>(&kernels.model(1));
    islands_ = latency && latency->bias.size() > 1 ? code_.radices[0] : 1;
    for (const int d : neighbours_.free_digits())
      if (d > 0 || islands_ == 1) free_.push_back(d);
    // A GPU wants many at once, a core few.
    start(evaluator.question().backend == Backend::cuda ? settings.chains : kGroup);
  }

  void run() {
    if (groups_.empty()) return;
    const double first = first_temperature();
    const bool by_steps = !evaluator_.has_budget();
    Progress progress("annealing", by_steps ? settings_.steps : 1000, by_steps ? "steps" : "parts of the budget");
    double share = 0;
    int winners_at = kWinnersEvery * 3 / 10;
    for (int step = 0, in_vain = 0; share < 1 && in_vain < kBlocksInVain;) {
      check_interrupt();
      const auto evaluated = evaluator_.n_evaluated();
      const int steps = by_steps ? std::min(kBlock, settings_.steps - step) : block_within_budget();
      const double temperature = first * std::pow(kCoolest, share);
      parallel_for(static_cast<std::int64_t>(active_), [&](std::int64_t g) {
        for (int i = 0; i < steps; ++i) advance(groups_[g], temperature);
      });
      step += steps;
      const double before = share;
      share = by_steps ? static_cast<double>(step) / settings_.steps : evaluator_.spent() / kChainsShare;
      const bool counts = evaluator_.question().budget.evaluations > 0;
      in_vain = counts && evaluator_.n_evaluated() == evaluated ? in_vain + 1 : 0;
      progress.advance(by_steps ? steps
                                : static_cast<std::int64_t>(1000 * share) - static_cast<std::int64_t>(1000 * before));
      if (share * kWinnersEvery >= winners_at + 1) {
        winners_at = static_cast<int>(share * kWinnersEvery);
        follow_winners();
        for (const auto& [from, islands] : kIslandsLeft)
          if (share >= from) leave(islands);
      }
    }
  }

  // Joint exchanges from what the chains found, limit after limit, the best chains first: two chains each, or as many
  // as the budget allows.
  void exchange() {
    if (!std::holds_alternative<AdditiveTable<double>>(evaluator_.kernels().model(1))) return;
    const bool by_budget = evaluator_.has_budget();
    std::int64_t singles = 0;  // that a round of exchanges begins with
    for (const auto radix : code_.radices) singles += radix;
    const auto goes_on = [&] {
      return !by_budget ||
             (evaluator_.spent() < kExchangeShare && evaluator_.evaluations_left(kExchangeShare) >= 2 * singles);
    };
    std::vector<std::set<Digits>> seen(limits_.size());
    for (int round = 0; round < (by_budget ? settings_.chains : kExchangedChains) && goes_on(); ++round)
      for (int l = 0; l < static_cast<int>(limits_.size()) && goes_on(); ++l) {
        if (std::isinf(limits_[l][0])) continue;  // no room that an exchange could share out
        Chain* next = nullptr;
        for (auto* chain : chains_of(l))
          if (!seen[l].count(chain->best) && (!next || chain->best_quality > next->best_quality)) next = chain;
        if (!next) continue;
        seen[l].insert(next->best);
        next->best = JointExchange(evaluator_, static_cast<std::size_t>(l)).improve(next->best, goes_on);
        seen[l].insert(next->best);
        next->best_quality = evaluator_.goal_scores(next->best, as_columns({costs_of(next->best)})).front();
      }
  }

  // The best that a chain of the limit met; empty where none got within it.
  Digits best(int limit) {
    const Chain* best = nullptr;
    for (const auto* chain : chains_of(limit))
      if (!best || chain->best_quality > best->best_quality) best = chain;
    return best ? best->best : Digits{};
  }

 private:
  std::vector<Chain*> chains_of(int limit) {
    std::vector<Chain*> chains;
    for (auto& group : groups_)
      if (group.limit == limit)
        for (auto& chain : group.chains) chains.push_back(&chain);
    return chains;
  }

  // Steps after which the budget is looked at again.
  int block_within_budget() const {
    std::int64_t chains = 0;
    for (std::size_t g = 0; g < active_; ++g) chains += std::ssize(groups_[g].chains);
    return static_cast<int>(
        std::clamp<std::int64_t>(evaluator_.evaluations_left(kChainsShare) / (4 * chains), 1, kBlock));
  }

  Costs costs_of(const Digits& digits) const {
    Costs costs{};
    for (std::size_t c = 0; c < n_costs_; ++c) costs[c] = evaluator_.cost_score(c + 1, digits);
    return costs;
  }
  std::vector<std::vector<double>> as_columns(const std::vector<Costs>& costs) const {
    std::vector<std::vector<double>> columns(n_costs_);
    for (const auto& own : costs)
      for (std::size_t c = 0; c < n_costs_; ++c) columns[c].push_back(own[c]);
    return columns;
  }
  bool within(const Costs& costs, int limit) const {
    for (std::size_t c = 0; c < n_costs_; ++c)
      if (costs[c] > limits_[limit][c]) return false;
    return true;
  }
  // How far from the limits, to come closer: of one limit the cost itself, of two what is beyond them, in shares.
  double distance(const Costs& costs, int limit) const {
    const Costs& bounds = limits_[limit];
    if (n_costs_ == 1 || std::isinf(bounds[1])) return costs[0];
    if (std::isinf(bounds[0])) return costs[1];
    double beyond = 0;
    for (std::size_t c = 0; c < n_costs_; ++c)
      beyond += std::max(0.0, costs[c] - bounds[c]) / std::max(1e-300, std::abs(bounds[c]));
    return beyond;
  }

  void move(Digits& digits, RandomDraws& draws) const {
    if (free_.empty()) return;
    for (int i = 0, n = draws.uniform() < kPairShare ? 2 : 1; i < n; ++i) {
      const int d = free_[draws.below(free_.size())];
      const auto& values = neighbours_.of(d, digits[d]);
      digits[d] = values[draws.below(values.size())];
    }
  }

  // Chains of all limits that a descent by cost can get within; limits of which none can are left without.
  void start(int group_size) {
    const int of_island = std::max(1, settings_.chains / static_cast<int>(islands_));
    std::uint32_t stream = 0;
    for (int l = 0; l < static_cast<int>(limits_.size()); ++l)
      for (std::uint32_t island = 0; island < islands_; ++island)
        for (int c = 0; c < of_island; ++c) {
          RandomDraws draws(random_stream(evaluator_.question().seed, Draws::annealing, stream++));
          Digits digits;
          for (const auto radix : code_.radices) digits.push_back(static_cast<std::uint32_t>(draws.below(radix)));
          if (islands_ > 1) digits[0] = island;
          Costs costs = costs_of(digits);
          for (int i = 0; i < kDescent && !within(costs, l); ++i) {
            Digits next = digits;
            move(next, draws);
            const Costs lower = costs_of(next);
            if (distance(lower, l) <= distance(costs, l)) digits = next, costs = lower;
          }
          if (!within(costs, l)) continue;
          if (groups_.empty() || groups_.back().limit != l || groups_.back().island != island ||
              static_cast<int>(groups_.back().chains.size()) >= group_size)
            groups_.push_back({l, island, {}, Surrogate(code_)});
          groups_.back().chains.push_back({draws, digits, digits, costs, costs, 0, digits});
        }
    active_ = groups_.size();
    parallel_for(static_cast<std::int64_t>(groups_.size()), [&](std::int64_t g) {
      std::vector<Chain*> chains;
      for (auto& chain : groups_[g].chains) chains.push_back(&chain);
      const auto scores = score_proposals(groups_[g], chains);
      for (std::size_t i = 0; i < chains.size(); ++i) accept(*chains[i], scores[i]);
    });
  }

  std::vector<double> score_proposals(Group& group, const std::vector<Chain*>& chains) const {
    Digits digits;
    std::vector<Costs> costs;
    for (const auto* chain : chains) {
      digits.insert(digits.end(), chain->proposal.begin(), chain->proposal.end());
      costs.push_back(chain->proposed_costs);
    }
    const auto scores = evaluator_.goal_scores(digits, as_columns(costs));
    for (std::size_t i = 0; i < chains.size(); ++i) group.surrogate.learn(chains[i]->proposal, scores[i]);
    return scores;
  }

  static void accept(Chain& chain, double quality) {
    chain.now = chain.proposal;
    chain.costs = chain.proposed_costs;
    chain.quality = quality;
    if (quality > chain.best_quality) {
      chain.best = chain.now;
      chain.best_quality = quality;
    }
  }

  // The spread of what the chains began with: at first nearly every move is taken.
  double first_temperature() const {
    double n = 0, sum = 0, squares = 0;
    for (const auto& group : groups_)
      for (const auto& chain : group.chains) n += 1, sum += chain.quality;
    const double mean = sum / n;
    for (const auto& group : groups_)
      for (const auto& chain : group.chains) squares += (chain.quality - mean) * (chain.quality - mean);
    const double spread = std::sqrt(squares / n);
    return spread > 0 ? spread / 2 : std::max(1e-12, std::abs(mean) * 1e-3);
  }

  // Of several moves that stay within the limit one, the likelier the better it seems (as far as the surrogate can be
  // trusted). False where none stays within it.
  bool propose(const Group& group, Chain& chain, double temperature) const {
    const double softness = std::max(temperature, group.surrogate.error());
    double best = -std::numeric_limits<double>::infinity();
    Digits next;
    // Where another objective is an MLP as well, it costs as much as the goal: no choice then.
    const int tries = costs_are_tables_ ? kTries : 1;
    for (int i = 0, screened = 0; i < tries && screened < kScreened; ++i) {
      next = chain.now;
      move(next, chain.draws);
      if (next == chain.now) continue;
      const Costs costs = costs_of(next);
      if (!within(costs, group.limit)) continue;
      ++screened;
      // Gumbel's trick: the largest of these is a draw by softmax.
      const double seems =
          group.surrogate.predict(next) - softness * std::log(-std::log1p(-chain.draws.uniform()) + 1e-300);
      if (seems > best) {
        best = seems;
        chain.proposal = next;
        chain.proposed_costs = costs;
      }
    }
    return best > -std::numeric_limits<double>::infinity();
  }

  void advance(Group& group, double temperature) const {
    std::vector<Chain*> moved;
    for (auto& chain : group.chains)
      if (propose(group, chain, temperature)) moved.push_back(&chain);
    if (moved.empty()) return;
    const auto scores = score_proposals(group, moved);
    for (std::size_t i = 0; i < moved.size(); ++i) {
      const double gain = scores[i] - moved[i]->quality;
      const double u = moved[i]->draws.uniform();
      if (gain >= 0 || u < std::exp(gain / temperature)) accept(*moved[i], scores[i]);
    }
  }

  // The last quarter of the chains of each limit and island goes on from where the first quarter is.
  void follow_winners() {
    std::map<std::pair<int, std::uint32_t>, std::vector<Chain*>> islands;
    for (std::size_t g = 0; g < active_; ++g)
      for (auto& chain : groups_[g].chains) islands[{groups_[g].limit, groups_[g].island}].push_back(&chain);
    for (auto& [island, chains] : islands) {
      std::stable_sort(chains.begin(), chains.end(),
                       [](const Chain* a, const Chain* b) { return a->quality > b->quality; });
      const std::size_t quarter = chains.size() / 4;
      for (std::size_t i = 0; i < quarter; ++i) {
        Chain& loser = *chains[chains.size() - 1 - i];
        loser.now = chains[i]->now;
        loser.costs = chains[i]->costs;
        loser.quality = chains[i]->quality;
      }
    }
  }

  // Only the best islands of each limit go on; the others keep what they found.
  void leave(int max_islands) {
    std::map<std::pair<int, std::uint32_t>, double> best;
    for (std::size_t g = 0; g < active_; ++g)
      for (const auto& chain : groups_[g].chains) {
        auto& of = best.try_emplace({groups_[g].limit, groups_[g].island}, chain.best_quality).first->second;
        of = std::max(of, chain.best_quality);
      }
    const auto goes_on = [&](const Group& group) {
      int better = 0;
      for (const auto& [island, quality] : best)
        better += island.first == group.limit && quality > best.at({group.limit, group.island});
      return better < max_islands;
    };
    active_ = static_cast<std::size_t>(
        std::stable_partition(groups_.begin(), groups_.begin() + static_cast<std::ptrdiff_t>(active_), goes_on) -
        groups_.begin());
  }

  Evaluator& evaluator_;
  const SubSpace& part_;
  const AnnealingSettings settings_;
  Neighbours neighbours_;
  DigitCode code_;
  std::size_t n_costs_;
  bool costs_are_tables_ = false;
  std::vector<Costs> limits_;  // as scores
  std::uint32_t islands_ = 1;  // values of digit 0 that chains keep to
  std::vector<int> free_;      // digits that moves change
  std::vector<Group> groups_;
  std::size_t active_ = 0;  // groups that still move; they come first
};

}  // namespace

SearchResult AnnealingSearch::search(Evaluator& evaluator) const {
  const SearchProblem& problem = evaluator.problem();
  for (const auto& objective : problem.objectives) {
    if (const auto why = why_no_kernels(objective); !why.empty())
      throw Error("annealing needs objectives that the scoring kernels run over the space; \"" + objective.label +
                  "\" " + why + ": use method = \"exhaustive\" or \"evolutionary\"");
  }
  Annealing annealing(evaluator, settings_);
  annealing.run();
  annealing.exchange();
  bool finished = true;
  for (std::size_t l = 0; l < evaluator.limits().size(); ++l) {
    const auto digits = annealing.best(static_cast<int>(l));
    if (digits.empty()) continue;
    const auto start = solve(problem, problem.part.choices(digits));
    const auto exchange = improve_by_exchange(evaluator, start.front(), l, 1);
    finished = finished && exchange.finished;
    evaluator.evaluate(exchange.solution.choices);
  }
  return evaluator.found("best found: " + std::to_string(settings_.chains) + " chains a limit; " +
                         (finished ? "no change of one digit improves the result of a limit"
                                   : "the budget was spent before all changes of one digit were tried"));
}

SearchMethodKind annealing_method() {
  return {"annealing", "simulated annealing with many chains", false, true, true, [](Config& config) {
            AnnealingSettings settings;
            settings.chains = static_cast<int>(config.integer("chains", 60, 1, 1000000, "annealing: chains a limit"));
            settings.steps =
                static_cast<int>(config.integer("steps", 4000, 1, 1000000000, "annealing: steps of a chain"));
            return std::make_unique<AnnealingSearch>(settings);
          }};
}

}  // namespace oneproxy
