#include "oneproxy/engine/search/annealing.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/search/dice.h"
#include "oneproxy/engine/search/exchange.h"
#include "oneproxy/engine/search/joint_exchange.h"
#include "oneproxy/engine/search/neighbours.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/front/pareto.h"
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy {
namespace {

using Digits = std::vector<std::uint32_t>;

constexpr double kChainsTime = 0.7, kExchangeTime = 0.2;  // shares of the time; the rest is the last descent's
constexpr int kScreened = 3;                              // of these, so many are compared by the surrogate
// From these shares of the schedule on, so many islands of a limit are left.
constexpr std::pair<double, int> kIslandsLeft[] = {{0.2, 3}, {0.35, 2}, {0.7, 1}};
constexpr int kGroup = 24;           // chains that one thread moves: enough for the kernel's tiles
constexpr int kBlock = 25;           // steps between two meetings of the groups
constexpr int kTries = 32;           // proposals of a step until one is within the limit, where that costs no MLP
constexpr double kPairShare = 0.5;   // of the moves that change two decisions: along the limit, not across it
constexpr double kCoolest = 1e-2;    // last temperature, in units of the first
constexpr int kWinnersEvery = 20;    // parts of the schedule after which losing chains go on from winning ones
constexpr int kExchangedChains = 2;  // of a limit, from which joint exchanges begin where time does not count
constexpr int kDescent = 20000;      // moves towards a lower latency, to begin within the limit

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
  Dice dice;
  Digits now, proposal;
  double latency = 0, quality = 0;  // scores, by the kernels
  double proposed_latency = 0;
  Digits best;
  double best_quality = -std::numeric_limits<double>::infinity();
};

// Chains of one limit that one thread moves, with what they have learnt and scored. Where digit 0 selects the table of
// latencies (an input resolution), a group keeps to one value of it: to change it changes what everything costs, so
// that a chain seldom can, and the groups of the best value would never be found by the others.
struct Group {
  int limit;             // which
  std::uint32_t island;  // value of digit 0, where that is kept
  std::vector<Chain> chains;
  Surrogate surrogate;
  std::vector<Candidate> scored;  // since the last gathering
};

class Annealing {
 public:
  Annealing(const SearchProblem& problem, std::span<const double> limits_ms, const AnnealingSettings& settings,
            Backend backend)
      : part_(problem.part),
        settings_(settings),
        neighbours_(part_),
        latency_(*problem.latency.model, part_),
        quality_(*problem.quality.model, part_),
        latency_view_(latency_.view()),
        is_table_(std::holds_alternative<AdditiveTable<double>>(latency_view_)),
        code_(part_.code()),
        latency_scorer_(code_, std::span(&latency_view_, 1), backend, Precision::fp64),
        quality_scorer_(code_, std::vector<Model>{quality_.view()}, backend, settings.precision),
        record_(ReductionSettings{}) {
    for (const double limit : limits_ms) limits_.push_back(score_of_value(*problem.latency.model, limit));
    islands_ = is_table_ && std::get<AdditiveTable<double>>(latency_view_).bias.size() > 1 ? code_.radices[0] : 1;
    for (const int d : neighbours_.free_digits())
      if (d > 0 || islands_ == 1) free_.push_back(d);
    // A GPU wants many at once, a core few.
    start(backend == Backend::cuda ? settings.chains : kGroup);
  }

  void run() {
    if (groups_.empty()) return;
    const double first = first_temperature();
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    const bool by_time = settings_.seconds > 0;
    Progress progress("annealing", by_time ? 1000 : settings_.steps, by_time ? "parts of the time" : "steps");
    double share = 0;
    int winners_at = kWinnersEvery * 3 / 10;
    for (int step = 0; share < 1;) {
      check_interrupt();
      const int steps = by_time ? kBlock : std::min(kBlock, settings_.steps - step);
      const double temperature = first * std::pow(kCoolest, share);
      parallel_for(static_cast<std::int64_t>(active_), [&](std::int64_t g) {
        for (int i = 0; i < steps; ++i) advance(groups_[g], temperature);
      });
      gather();
      step += steps;
      const double before = share;
      share = by_time ? std::chrono::duration<double>(Clock::now() - begin).count() / settings_.seconds
                      : static_cast<double>(step) / settings_.steps;
      progress.advance(by_time ? static_cast<std::int64_t>(1000 * share) - static_cast<std::int64_t>(1000 * before)
                               : steps);
      if (share * kWinnersEvery >= winners_at + 1) {
        winners_at = static_cast<int>(share * kWinnersEvery);
        follow_winners();
        for (const auto& [from, islands] : kIslandsLeft)
          if (share >= from) leave(islands);
      }
    }
  }

  // Joint exchanges from what the chains found, limit after limit, the best chains first: two chains each, or as many
  // as the time allows.
  void exchange(double seconds) {
    if (!is_table_) return;
    const auto begin = std::chrono::steady_clock::now();
    const bool by_time = settings_.seconds > 0;
    const auto in_time = [&] {
      return !by_time || std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < seconds;
    };
    const auto note = [this](const Digits& digits, double latency, double quality) {
      record_.add({index_of(digits), latency, quality});
    };
    JointExchange joint(code_, std::get<AdditiveTable<double>>(latency_view_), quality_scorer_, note);
    std::vector<std::set<Digits>> seen(limits_.size());
    for (int round = 0; round < (by_time ? settings_.chains : kExchangedChains) && in_time(); ++round)
      for (int l = 0; l < static_cast<int>(limits_.size()) && in_time(); ++l) {
        Chain* next = nullptr;
        for (auto* chain : chains_of(l))
          if (!seen[l].count(chain->best) && (!next || chain->best_quality > next->best_quality)) next = chain;
        if (!next) continue;
        seen[l].insert(next->best);
        next->best = joint.improve(next->best, limits_[l], in_time);
        seen[l].insert(next->best);
        quality_scorer_.score_list(next->best, std::span(&next->best_quality, 1));
      }
    evaluated_ += joint.n_scored();
  }

  // The best that a chain of the limit met; empty where none got within it.
  Digits best(int limit) {
    const Chain* best = nullptr;
    for (const auto* chain : chains_of(limit))
      if (!best || chain->best_quality > best->best_quality) best = chain;
    return best ? best->best : Digits{};
  }

  const Reduction& record() const { return record_; }
  std::int64_t evaluated() const { return evaluated_; }

 private:
  ArchIndex index_of(const Digits& digits) const {
    return encode_digits(digits.data(), code_.radices.data(), code_.n_digits());
  }

  std::vector<Chain*> chains_of(int limit) {
    std::vector<Chain*> chains;
    for (auto& group : groups_)
      if (group.limit == limit)
        for (auto& chain : group.chains) chains.push_back(&chain);
    return chains;
  }

  double latency_of(const Digits& digits) const {
    if (is_table_) return score_by_definition(latency_view_, code_, digits.data());
    double score = 0;
    latency_scorer_.score_list(digits, std::span(&score, 1));
    return score;
  }

  void move(Digits& digits, Dice& dice) const {
    if (free_.empty()) return;
    for (int i = 0, n = dice.uniform() < kPairShare ? 2 : 1; i < n; ++i) {
      const int d = free_[dice.below(free_.size())];
      const auto& values = neighbours_.of(d, digits[d]);
      digits[d] = values[dice.below(values.size())];
    }
  }

  // Chains of all limits that a descent by latency can get within; limits of which none can are left without.
  void start(int group_size) {
    const int of_island = std::max(1, settings_.chains / static_cast<int>(islands_));
    std::uint32_t stream = 0;
    for (int l = 0; l < static_cast<int>(limits_.size()); ++l)
      for (std::uint32_t island = 0; island < islands_; ++island)
        for (int c = 0; c < of_island; ++c) {
          Dice dice(random_stream(settings_.seed, Draws::annealing, stream++));
          Digits digits;
          for (const auto radix : code_.radices) digits.push_back(static_cast<std::uint32_t>(dice.below(radix)));
          if (islands_ > 1) digits[0] = island;
          double latency = latency_of(digits);
          for (int i = 0; i < kDescent && latency > limits_[l]; ++i) {
            Digits next = digits;
            move(next, dice);
            const double lower = latency_of(next);
            if (lower <= latency) digits = next, latency = lower;
          }
          if (latency > limits_[l]) continue;
          if (groups_.empty() || groups_.back().limit != l || groups_.back().island != island ||
              static_cast<int>(groups_.back().chains.size()) >= group_size)
            groups_.push_back({l, island, {}, Surrogate(code_), {}});
          groups_.back().chains.push_back({dice, digits, digits, latency, 0, latency, digits});
        }
    active_ = groups_.size();
    parallel_for(static_cast<std::int64_t>(groups_.size()), [&](std::int64_t g) {
      std::vector<Chain*> chains;
      for (auto& chain : groups_[g].chains) chains.push_back(&chain);
      const auto scores = score_proposals(groups_[g], chains);
      for (std::size_t i = 0; i < chains.size(); ++i) accept(*chains[i], scores[i]);
    });
    gather();
  }

  std::vector<double> score_proposals(Group& group, const std::vector<Chain*>& chains) const {
    std::vector<std::uint32_t> digits;
    for (const auto* chain : chains) digits.insert(digits.end(), chain->proposal.begin(), chain->proposal.end());
    std::vector<double> scores(chains.size());
    quality_scorer_.score_list(digits, scores);
    for (std::size_t i = 0; i < chains.size(); ++i) {
      group.surrogate.learn(chains[i]->proposal, scores[i]);
      group.scored.push_back({index_of(chains[i]->proposal), chains[i]->proposed_latency, scores[i]});
    }
    return scores;
  }

  // What the groups scored, in their order, whatever thread they ran on.
  void gather() {
    for (auto& group : groups_) {
      evaluated_ += static_cast<std::int64_t>(group.scored.size());
      for (const auto& candidate : group.scored) record_.add(candidate);
      group.scored.clear();
    }
  }

  static void accept(Chain& chain, double quality) {
    chain.now = chain.proposal;
    chain.latency = chain.proposed_latency;
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
    const double limit = limits_[group.limit], softness = std::max(temperature, group.surrogate.error());
    double best = -std::numeric_limits<double>::infinity();
    Digits next;
    // Where latency is an MLP as well, it costs as much as quality: no choice then.
    const int tries = is_table_ ? kTries : 1;
    for (int i = 0, within = 0; i < tries && within < kScreened; ++i) {
      next = chain.now;
      move(next, chain.dice);
      if (next == chain.now) continue;
      const double latency = latency_of(next);
      if (latency > limit) continue;
      ++within;
      // Gumbel's trick: the largest of these is a draw by softmax.
      const double seems =
          group.surrogate.predict(next) - softness * std::log(-std::log1p(-chain.dice.uniform()) + 1e-300);
      if (seems > best) {
        best = seems;
        chain.proposal = next;
        chain.proposed_latency = latency;
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
      const double u = moved[i]->dice.uniform();
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
        loser.latency = chains[i]->latency;
        loser.quality = chains[i]->quality;
      }
    }
  }

  // Only the best islands of each limit go on; the others keep what they found.
  void leave(int most) {
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
      return better < most;
    };
    active_ = static_cast<std::size_t>(
        std::stable_partition(groups_.begin(), groups_.begin() + static_cast<std::ptrdiff_t>(active_), goes_on) -
        groups_.begin());
  }

  const SubSpace& part_;
  const AnnealingSettings settings_;
  Neighbours neighbours_;
  KernelModel latency_, quality_;
  Model latency_view_;
  bool is_table_;
  DigitCode code_;
  Scorer latency_scorer_, quality_scorer_;
  Reduction record_;
  std::vector<double> limits_;
  std::uint32_t islands_ = 1;  // values of digit 0 that chains keep to
  std::vector<int> free_;      // digits that moves change
  std::vector<Group> groups_;
  std::size_t active_ = 0;  // groups that still move; they come first
  std::int64_t evaluated_ = 0;
};

}  // namespace

SearchResult search_by_annealing(const SearchProblem& problem, std::span<const double> limits_ms,
                                 const AnnealingSettings& settings, Backend backend) {
  if (!problem.covers_space())
    throw Error("annealing needs objectives that cover the space; \"" + problem.latency.label + "\" or \"" +
                problem.quality.label + "\" is known on the rows of a set only: use method = \"exhaustive\"");
  AnnealingSettings chains = settings;
  chains.seconds = kChainsTime * settings.seconds;
  Annealing annealing(problem, limits_ms, chains, backend);
  annealing.run();
  annealing.exchange(kExchangeTime * settings.seconds);

  SearchResult result;
  result.n_evaluated = annealing.evaluated();
  std::vector<Solution> found;
  const SubSpace& part = problem.part;
  const auto solve = [&](std::span<const std::uint8_t> choices) {
    Solution solution{{choices.begin(), choices.end()}, 0, 0};
    problem.latency.evaluate(solution.choices, std::span(&solution.latency_ms, 1));
    problem.quality.evaluate(solution.choices, std::span(&solution.quality, 1));
    return solution;
  };
  for (std::size_t l = 0; l < limits_ms.size(); ++l) {
    Solution best;
    const auto digits = annealing.best(static_cast<int>(l));
    if (!digits.empty()) {
      const auto exchange =
          improve_by_exchange(problem, solve(part.choices(digits)), limits_ms[l], 1, settings.precision, backend);
      result.n_evaluated += exchange.n_scored;
      best = exchange.solution;
    }
    if (!best.choices.empty()) found.push_back(best);
    result.best.push_back(best);
  }
  for (const auto& candidate : annealing.record().front()) found.push_back(solve(part.choices(candidate.index)));

  std::vector<double> latency, quality;
  for (const auto& solution : found) {
    latency.push_back(solution.latency_ms);
    quality.push_back(solution.quality);
  }
  for (const auto i : pareto_front(latency, quality, backend)) result.front.push_back(found[i]);
  // A higher limit also admits what was found for a lower one.
  for (std::size_t l = 0; l < limits_ms.size(); ++l)
    for (const auto& solution : found)
      if (solution.latency_ms <= limits_ms[l] &&
          (result.best[l].choices.empty() || solution.quality > result.best[l].quality))
        result.best[l] = solution;
  result.certainty = "best found: " + std::to_string(settings.chains) +
                     " chains a limit; no change of one digit improves the result of a limit";
  return result;
}

}  // namespace oneproxy
