#include "engine/search/annealing.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "engine/base/interrupt.h"
#include "engine/base/progress.h"
#include "engine/base/streams.h"
#include "engine/search/exchange.h"
#include "engine/search/neighbours.h"
#include "kernels/error.h"
#include "kernels/pareto.h"
#include "kernels/score.h"

namespace oneproxy {
namespace {

using Digits = std::vector<std::uint32_t>;

constexpr int kTries = 16;          // proposals of a step until one is within the limit, where that costs no MLP
constexpr double kPairShare = 0.5;  // of the moves that change two decisions: along the limit, not across it
constexpr double kCoolest = 1e-3;   // last temperature, in units of the first
constexpr int kWinnersEvery = 20;   // parts of the schedule after which losing chains go on from winning ones
constexpr int kDescent = 20000;     // moves towards a lower latency, to begin within the limit

// Draws in sequence from one stream.
class Dice {
 public:
  explicit Dice(Philox random) : random_(random) {}
  std::uint32_t below(std::uint64_t bound) { return static_cast<std::uint32_t>(random_.below(next_++, bound)); }
  double uniform() { return random_.uniform(next_++); }

 private:
  Philox random_;
  std::uint64_t next_ = 0;
};

struct Chain {
  Dice dice;
  int limit;  // which
  Digits now, proposal;
  double latency = 0, quality = 0;  // scores, by the kernels
  double proposed_latency = 0;
  Digits best;
  double best_quality = -std::numeric_limits<double>::infinity();
};

class Annealing {
 public:
  Annealing(const SearchProblem& problem, std::span<const double> limits_ms, const AnnealingSettings& settings,
            Backend backend)
      : problem_(problem),
        part_(problem.part),
        settings_(settings),
        neighbours_(part_),
        latency_(*problem.latency.model, part_),
        quality_(*problem.quality.model, part_),
        latency_view_(latency_.view()),
        is_table_(std::holds_alternative<DigitTable>(latency_view_)),
        code_(part_.code()),
        latency_scorer_(code_, std::span(&latency_view_, 1), backend, Precision::fp64),
        quality_scorer_(code_, std::vector<Model>{quality_.view()}, backend, settings.precision),
        record_([&] {
          ReductionSettings reduction;
          reduction.quality_margin = quality_scorer_.error_bound(0);
          return reduction;
        }()) {
    for (const double limit : limits_ms) limits_.push_back(score_of_value(*problem.latency.model, limit));
  }

  void run() {
    start();
    if (chains_.empty()) return;
    const double first = first_temperature();
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    Progress progress("annealing", settings_.seconds > 0 ? 1000 : settings_.steps,
                      settings_.seconds > 0 ? "parts of the time" : "steps");
    double share = 0;
    int winners_at = kWinnersEvery * 3 / 10;
    for (int step = 0; share < 1; ++step) {
      check_interrupt();
      const double before = share;
      share = settings_.seconds > 0 ? std::chrono::duration<double>(Clock::now() - begin).count() / settings_.seconds
                                    : static_cast<double>(step + 1) / settings_.steps;
      progress.advance(settings_.seconds > 0
                           ? static_cast<std::int64_t>(1000 * share) - static_cast<std::int64_t>(1000 * before)
                           : 1);
      advance(first * std::pow(kCoolest, std::min(1.0, share)));
      if (share * kWinnersEvery >= winners_at + 1) {
        winners_at = static_cast<int>(share * kWinnersEvery);
        follow_winners();
      }
    }
  }

  // The best that a chain of the limit met; empty where none got within it.
  Digits best(int limit) const {
    const Chain* best = nullptr;
    for (const auto& chain : chains_)
      if (chain.limit == limit && (!best || chain.best_quality > best->best_quality)) best = &chain;
    return best ? best->best : Digits{};
  }

  const Reduction& record() const { return record_; }
  std::int64_t evaluated() const { return evaluated_; }

 private:
  double latency_of(const Digits& digits) const {
    if (is_table_) return score_by_definition(latency_view_, code_, digits.data());
    double score = 0;
    latency_scorer_.score_list(digits, std::span(&score, 1));
    return score;
  }

  void move(Digits& digits, Dice& dice) const {
    const auto& free = neighbours_.free_digits();
    for (int i = 0, n = dice.uniform() < kPairShare ? 2 : 1; i < n; ++i) {
      const int d = free[dice.below(free.size())];
      const auto& values = neighbours_.of(d, digits[d]);
      digits[d] = values[dice.below(values.size())];
    }
  }

  // Chains of all limits that a descent by latency can get within; limits of which none can are left without.
  void start() {
    for (std::size_t l = 0; l < limits_.size(); ++l)
      for (int c = 0; c < settings_.chains; ++c) {
        Dice dice(random_stream(settings_.seed, Draws::annealing,
                                static_cast<std::uint32_t>(l * static_cast<std::size_t>(settings_.chains) + c)));
        Digits digits;
        for (const auto radix : code_.radices) digits.push_back(dice.below(radix));
        double latency = latency_of(digits);
        for (int i = 0; i < kDescent && latency > limits_[l] && !neighbours_.free_digits().empty(); ++i) {
          Digits next = digits;
          move(next, dice);
          const double lower = latency_of(next);
          if (lower <= latency) digits = next, latency = lower;
        }
        if (latency > limits_[l]) break;  // the other chains would fare no better
        chains_.push_back({dice, static_cast<int>(l), digits, digits, latency, 0, latency, digits});
      }
    for (auto& chain : chains_) chain.proposal = chain.now;
    const auto scores = score_proposals(all());
    for (std::size_t i = 0; i < chains_.size(); ++i) accept(chains_[i], scores[i]);
  }

  std::vector<Chain*> all() {
    std::vector<Chain*> chains;
    for (auto& chain : chains_) chains.push_back(&chain);
    return chains;
  }

  std::vector<double> score_proposals(const std::vector<Chain*>& chains) {
    std::vector<std::uint32_t> digits;
    for (const auto* chain : chains) digits.insert(digits.end(), chain->proposal.begin(), chain->proposal.end());
    std::vector<double> scores(chains.size());
    quality_scorer_.score_list(digits, scores);
    evaluated_ += static_cast<std::int64_t>(chains.size());
    for (std::size_t i = 0; i < chains.size(); ++i)
      record_.add({encode_digits(chains[i]->proposal.data(), code_.radices.data(), code_.n_digits()),
                   chains[i]->proposed_latency, scores[i]});
    return scores;
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
    double sum = 0, squares = 0;
    for (const auto& chain : chains_) sum += chain.quality;
    const double mean = sum / static_cast<double>(chains_.size());
    for (const auto& chain : chains_) squares += (chain.quality - mean) * (chain.quality - mean);
    const double spread = std::sqrt(squares / static_cast<double>(chains_.size()));
    return spread > 0 ? spread / 2 : std::max(1e-12, std::abs(mean) * 1e-3);
  }

  void advance(double temperature) {
    std::vector<Chain*> moved;
    for (auto& chain : chains_) {
      for (int i = 0; i < (is_table_ ? kTries : 1); ++i) {
        chain.proposal = chain.now;
        move(chain.proposal, chain.dice);
        if (chain.proposal == chain.now) continue;
        chain.proposed_latency = latency_of(chain.proposal);
        if (chain.proposed_latency <= limits_[chain.limit]) {
          moved.push_back(&chain);
          break;
        }
      }
    }
    const auto scores = score_proposals(moved);
    for (std::size_t i = 0; i < moved.size(); ++i) {
      const double gain = scores[i] - moved[i]->quality;
      const double u = moved[i]->dice.uniform();
      if (gain >= 0 || u < std::exp(gain / temperature)) accept(*moved[i], scores[i]);
    }
  }

  // The last quarter of each limit's chains goes on from where the first quarter is.
  void follow_winners() {
    for (int l = 0; l < static_cast<int>(limits_.size()); ++l) {
      std::vector<Chain*> chains;
      for (auto& chain : chains_)
        if (chain.limit == l) chains.push_back(&chain);
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

  const SearchProblem& problem_;
  const SubSpace& part_;
  const AnnealingSettings& settings_;
  Neighbours neighbours_;
  KernelModel latency_, quality_;
  Model latency_view_;
  bool is_table_;
  DigitCode code_;
  Scorer latency_scorer_, quality_scorer_;
  Reduction record_;
  std::vector<double> limits_;
  std::vector<Chain> chains_;
  std::int64_t evaluated_ = 0;
};

}  // namespace

SearchResult search_by_annealing(const SearchProblem& problem, std::span<const double> limits_ms,
                                 const AnnealingSettings& settings, Backend backend) {
  if (!problem.covers_space())
    throw Error("annealing needs objectives that cover the space; \"" + problem.latency.label + "\" or \"" +
                problem.quality.label + "\" is known on the rows of a set only: use method = \"exhaustive\"");
  // A tenth of the time is for the descent at the end.
  AnnealingSettings chains = settings;
  chains.seconds = 0.9 * settings.seconds;
  Annealing annealing(problem, limits_ms, chains, backend);
  annealing.run();

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
