#include "oneproxy/engine/search/methods/differentiable.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/search/methods/factored_logits.h"
#include "oneproxy/engine/search/methods/islands.h"
#include "oneproxy/engine/search/methods/relaxed_score.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace {

using Digits = std::vector<std::uint32_t>;

constexpr double kWarmest = 2, kCoolest = 0.2;               // temperatures of the first and the last step
constexpr double kFirstMoment = 0.9, kSecondMoment = 0.999;  // Adam
constexpr double kDecay = 0.01;   // of the logits in a step: they stay where noise can still change a decision
constexpr double kPenalty = 1;    // of the augmented Lagrangian
constexpr int kBlock = 25;        // steps between two evaluations of what they met
constexpr int kRound = 64;        // descents at once, which bounds the memory
constexpr int kBisections = 12;   // of the price at which a network is within the limits
constexpr double kDearest = 1e6;  // price beyond which there is no such network

// A network that a descent met, with the scores of its costs.
struct Met {
  Digits digits;
  std::vector<double> costs;
  bool within = false;  // the limits
};

// One descent: what is learnt.
struct Descent {
  Descent(Philox random, std::uint32_t to_island, std::size_t n_parameters, std::size_t n_costs, double lambda)
      : draws(random),
        island(to_island),
        parameters(n_parameters, 0.0),
        first_moment(parameters),
        second_moment(parameters),
        multipliers(n_costs, lambda) {}

  RandomDraws draws;
  std::uint32_t island;
  std::vector<double> parameters, first_moment, second_moment;
  std::vector<double> multipliers;
  int steps = 0;
  std::vector<Met> met;  // since the last evaluation
};

class Differentiable {
 public:
  Differentiable(Evaluator& evaluator, const DifferentiableSettings& settings)
      : evaluator_(evaluator), settings_(settings), code_(evaluator.kernels().code()) {
    const SearchProblem& problem = evaluator.problem();
    const auto islands = islands_of(evaluator);
    for (std::uint32_t i = 0; i < islands; ++i)
      logits_.emplace_back(problem.part, Factoring::decisions, islands > 1 ? std::optional(i) : std::nullopt);
    for (const auto radix : code_.radices) {
      offsets_.push_back(width_);
      width_ += radix;
    }
    const auto probabilities = relax(all_logits(logits_[0], std::vector<double>(logits_[0].n_parameters(), 0.0)), 1);
    std::vector<double> derivatives(width_);
    for (std::size_t i = 0; i < problem.objectives.size(); ++i) {
      scores_.emplace_back(evaluator.kernels().model(i), code_);
      scores_.back()(probabilities, derivatives);
      double squares = 0;
      for (const double value : by_parameters(logits_[0], probabilities, derivatives, 1)) squares += value * value;
      units_.push_back(squares > 0 ? std::sqrt(squares) : 1);
    }
  }

  // Descents for one of the limits until its share of the budget is spent, or a round of them finds nothing new.
  void run(std::size_t limits) {
    const auto& budget = evaluator_.question().budget;
    const auto n_limits = static_cast<std::int64_t>(evaluator_.limits().size());
    share_ = static_cast<double>(limits + 1) / static_cast<double>(n_limits);
    bounds_.clear();
    widths_.clear();
    for (std::size_t i = 1; i < scores_.size(); ++i) {
      bounds_.push_back(evaluator_.kernels().score_limit(evaluator_.limits()[limits], i));
      // How far a score is beyond its bound, as a share of the limit; a score in logarithms says so by itself.
      const auto* mlp = std::get_if<MlpPredictor>(evaluator_.problem().objectives[i].model.get());
      const bool unit = (mlp && mlp->log_target) || bounds_.back() == 0 || std::isinf(bounds_.back());
      widths_.push_back(unit ? 1 : std::abs(bounds_.back()));
    }
    std::int64_t left = std::numeric_limits<std::int64_t>::max();  // steps
    if (budget.evaluations > 0)
      left = std::min(evaluator_.evaluations_left(share_), (budget.evaluations + n_limits - 1) / n_limits);
    else if (!evaluator_.has_budget())
      left = static_cast<std::int64_t>(settings_.descents) * settings_.steps;
    IslandPlan plan(evaluator_, limits);
    for (bool found_new = true; found_new && !plan.round().empty() && left > 0 && !spent(); plan.next_round()) {
      const auto before = evaluator_.n_evaluated();
      const auto islands = std::ssize(plan.round());
      const auto steps = std::min<std::int64_t>(settings_.steps, left);
      const auto n = std::min<std::int64_t>(islands > 1 ? islands : kRound, left / steps);
      std::vector<Descent> descents;
      for (std::int64_t i = 0; i < n; ++i)
        descents.emplace_back(random_stream(evaluator_.question().seed, Draws::gumbel, stream_++),
                              plan.round()[static_cast<std::size_t>(i % islands)], logits_[0].n_parameters(),
                              bounds_.size(), settings_.lambda);
      descend(descents, static_cast<int>(steps), plan);
      left -= n * steps;
      found_new = evaluator_.n_evaluated() > before;
    }
  }

  std::string report() const {
    const auto share = [](std::int64_t part, std::int64_t all) {
      return std::to_string(part) + " of " + std::to_string(all);
    };
    return share(within_, networks_) + " discretised networks were within their limits, " + share(ends_within_, ends_) +
           " at the ends of descents";
  }

 private:
  bool spent() const { return evaluator_.has_budget() && evaluator_.spent() >= share_; }

  // [sum of radices], digit after digit.
  std::vector<double> all_logits(const FactoredLogits& logits, std::span<const double> parameters) const {
    std::vector<double> all(width_);
    for (int d = 0; d < logits.n_digits(); ++d)
      logits.logits(d, parameters, std::span(all).subspan(offsets_[d], logits.radix(d)));
    return all;
  }

  std::vector<double> relax(std::vector<double> logits, double temperature) const {
    for (double& logit : logits) logit /= temperature;
    for (std::size_t d = 0; d < offsets_.size(); ++d) softmax(std::span(logits).subspan(offsets_[d], code_.radices[d]));
    return logits;
  }

  // Back through the softmax: derivatives by the probabilities -> by the parameters.
  std::vector<double> by_parameters(const FactoredLogits& logits, std::span<const double> probabilities,
                                    std::span<const double> derivatives, double temperature) const {
    std::vector<double> gradient(logits.n_parameters(), 0.0), by_logits;
    for (int d = 0; d < logits.n_digits(); ++d) {
      const auto p = probabilities.subspan(offsets_[d], logits.radix(d));
      const auto by = derivatives.subspan(offsets_[d], logits.radix(d));
      double mean = 0;
      for (std::size_t v = 0; v < p.size(); ++v) mean += p[v] * by[v];
      by_logits.resize(p.size());
      for (std::size_t v = 0; v < p.size(); ++v) by_logits[v] = p[v] * (by[v] - mean) / temperature;
      logits.add_gradient(d, by_logits, gradient);
    }
    return gradient;
  }

  void descend(std::vector<Descent>& descents, int steps, IslandPlan& plan) {
    for (int from = 0; from < steps && !spent(); from += kBlock) {
      check_interrupt();
      const int to = std::min(steps, from + kBlock);
      parallel_for(std::ssize(descents), [&](std::int64_t i) {
        for (int step = from; step < to; ++step) advance(descents[i], static_cast<double>(step) / steps);
      });
      evaluate(descents, plan);
    }
    std::vector<double> beyond;
    for (auto& descent : descents) {  // without noise
      auto logits = all_logits(logits_[descent.island], descent.parameters);
      ++ends_;
      ends_within_ += discretise(logits, relax(logits, kCoolest), beyond).within;
    }
  }

  // What the descents met within the limits.
  void evaluate(std::vector<Descent>& descents, IslandPlan& plan) {
    Digits digits;
    std::vector<std::uint32_t> islands;
    std::vector<std::vector<double>> costs(bounds_.size());
    for (auto& descent : descents) {
      for (const auto& met : descent.met) {
        ++networks_;
        if (!met.within) continue;
        ++within_;
        islands.push_back(descent.island);
        digits.insert(digits.end(), met.digits.begin(), met.digits.end());
        for (std::size_t c = 0; c < costs.size(); ++c) costs[c].push_back(met.costs[c]);
      }
      descent.met.clear();
    }
    const auto goals = evaluator_.goal_scores(digits, costs);
    for (std::size_t k = 0; k < goals.size(); ++k) plan.report(islands[k], goals[k]);
  }
  // One step of a descent; `share` of it is behind.
  void advance(Descent& descent, double share) const {
    const FactoredLogits& layout = logits_[descent.island];
    const double temperature = kWarmest * std::pow(kCoolest / kWarmest, share);
    auto noisy = descent.parameters;
    for (double& parameter : noisy)
      parameter -= std::log(-std::log(std::max(descent.draws.uniform(), 0x1.0p-54)));  // Gumbel
    const auto logits = all_logits(layout, noisy);
    const auto probabilities = relax(logits, temperature);
    std::vector<double> beyond;
    descent.met.push_back(discretise(logits, probabilities, beyond));

    // Straight through: derivatives at the network, taken for those at the probabilities.
    std::vector<double> network(width_, 0.0), total(width_), own(width_);
    for (std::size_t d = 0; d < offsets_.size(); ++d) network[offsets_[d] + descent.met.back().digits[d]] = 1;
    scores_[0](network, total);
    for (double& value : total) value /= units_[0];
    for (std::size_t c = 0; c < bounds_.size(); ++c) {
      double weight = descent.multipliers[c];
      if (settings_.constraint) {
        if (std::isinf(bounds_[c])) continue;
        weight = std::max(0.0, weight + kPenalty * beyond[c]);
        descent.multipliers[c] = std::max(0.0, descent.multipliers[c] + settings_.multiplier_rate * beyond[c]);
      }
      scores_[c + 1](network, own);
      for (std::size_t v = 0; v < width_; ++v) total[v] -= weight / units_[c + 1] * own[v];
    }
    move(descent, by_parameters(layout, probabilities, total, temperature));
  }

  // Adam, upwards.
  void move(Descent& descent, const std::vector<double>& gradient) const {
    ++descent.steps;
    const double first = 1 - std::pow(kFirstMoment, descent.steps), second = 1 - std::pow(kSecondMoment, descent.steps);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      double& mean = descent.first_moment[i];
      double& square = descent.second_moment[i];
      mean += (1 - kFirstMoment) * (gradient[i] - mean);
      square += (1 - kSecondMoment) * (gradient[i] * gradient[i] - square);
      descent.parameters[i] *= 1 - kDecay;
      descent.parameters[i] += settings_.rate * (mean / first) / (std::sqrt(square / second) + 1e-12);
    }
  }

  // The network of the largest logits less what their costs are worth at a price; prices [sum of radices].
  Met cheaper(std::span<const double> logits, std::span<const double> prices, double price) const {
    Met met;
    std::size_t at = 0;
    for (const auto radix : code_.radices) {
      std::uint32_t best = 0;
      double largest = -std::numeric_limits<double>::infinity();
      for (std::uint32_t v = 0; v < radix; ++v)
        if (const double own = logits[at + v] - price * prices[at + v]; own > largest) {
          largest = own;
          best = v;
        }
      met.digits.push_back(best);
      at += radix;
    }
    met.within = true;
    for (std::size_t c = 0; c < bounds_.size(); ++c) {
      met.costs.push_back(evaluator_.cost_score(c + 1, met.digits));
      met.within = met.within && met.costs.back() <= bounds_[c];
    }
    return met;
  }

  // The most probable network; with the hard constraint, and where there is one, the most probable within the limits.
  // beyond [n costs]: how far the former is beyond each of them, as a share of it.
  Met discretise(std::span<const double> logits, std::span<const double> probabilities,
                 std::vector<double>& beyond) const {
    std::vector<double> prices(width_, 0.0), own(width_);
    Met met = cheaper(logits, prices, 0);
    beyond.clear();
    for (std::size_t c = 0; c < bounds_.size(); ++c)
      beyond.push_back(std::isinf(bounds_[c]) ? 0 : (met.costs[c] - bounds_[c]) / widths_[c]);
    if (met.within || !settings_.constraint) return met;
    for (std::size_t c = 0; c < bounds_.size(); ++c) {
      if (beyond[c] <= 0) continue;
      scores_[c + 1](probabilities, own);
      for (std::size_t v = 0; v < width_; ++v) prices[v] += own[v] / widths_[c];
    }
    double low = 0, high = 1;
    Met found = cheaper(logits, prices, high);
    for (; !found.within && high < kDearest; found = cheaper(logits, prices, high)) {
      low = high;
      high *= 4;
    }
    if (!found.within) return met;
    for (int i = 0; i < kBisections; ++i) {
      const double middle = (low + high) / 2;
      Met between = cheaper(logits, prices, middle);
      (between.within ? high : low) = middle;
      if (between.within) found = std::move(between);
    }
    return found;
  }

  Evaluator& evaluator_;
  const DifferentiableSettings& settings_;
  DigitCode code_;
  std::vector<FactoredLogits> logits_;   // [islands]
  std::vector<std::size_t> offsets_;     // of the digits in [sum of radices]
  std::size_t width_ = 0;                // sum of radices
  std::vector<RelaxedScore> scores_;     // [n_objectives]
  std::vector<double> units_;            // [n_objectives]
  double share_ = 1;                     // of the budget, spent when this limit has had its part
  std::vector<double> bounds_, widths_;  // of the costs: as scores, and what counts as beyond by all of it
  std::uint32_t stream_ = 0;
  std::int64_t networks_ = 0, within_ = 0, ends_ = 0, ends_within_ = 0;
};

}  // namespace

SearchResult DifferentiableSearch::search(Evaluator& evaluator) const {
  for (const auto& objective : evaluator.problem().objectives) {
    if (const auto why = why_no_kernels(objective); !why.empty())
      throw Error("differentiable needs objectives that the scoring kernels run over the space; \"" + objective.label +
                  "\" " + why + ": use method = \"exhaustive\" or \"fp_nas\"");
  }
  Differentiable differentiable(evaluator, settings_);
  for (std::size_t i = 0; i < evaluator.limits().size(); ++i) differentiable.run(i);
  return evaluator.found("best found: gradient descents from a Gumbel-softmax relaxation; " + differentiable.report());
}

SearchMethodKind differentiable_method() {
  return {"differentiable",
          "gradients of the predictors by a Gumbel-softmax relaxation, with a latency loss (Latency-DARTS)",
          false,
          true,
          true,
          [](Config& config) {
            DifferentiableSettings s;
            s.constraint = config.flag("hard_constraint", s.constraint,
                                       "differentiable: lambda is adapted so that the limit holds; false: it stays");
            s.lambda = config.number("lambda", s.lambda, 0, 1e6,
                                     "differentiable: weight of the costs, at first or for all steps");
            s.descents = static_cast<int>(
                config.integer("descents", s.descents, 1, 1000000, "differentiable: of each limit, without a budget"));
            s.steps =
                static_cast<int>(config.integer("descent_steps", s.steps, 1, 1000000, "differentiable: of a descent"));
            s.rate = config.number("descent_rate", s.rate, 0, 1e3, "differentiable: of Adam");
            s.multiplier_rate =
                config.number("multiplier_rate", s.multiplier_rate, 0, 1e3, "differentiable: of lambda");
            return std::make_unique<DifferentiableSearch>(s);
          }};
}

}  // namespace oneproxy
