#include "oneproxy/engine/front_loop/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/search/methods/auto.h"
#include "oneproxy/engine/search/methods/exact.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::size_t kOfEachFront = 150;
constexpr std::int64_t kSampled = 10'000;
// Where a front is searched by evaluations: limits that such shares of the networks keep, and evaluations for each.
constexpr double kShares[] = {0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1};
constexpr std::int64_t kEvaluations = 2000;
constexpr double kWeights[] = {0, 0.25, 0.5, 0.75, 1};  // of two measured quantities in a sum

class ListedCandidates : public LoopCandidates {
 public:
  ListedCandidates(std::vector<std::uint8_t> choices, std::size_t n_decisions, std::vector<double> quality,
                   std::string description)
      : choices_(std::move(choices)),
        n_decisions_(n_decisions),
        quality_(std::move(quality)),
        description_(std::move(description)) {}
  const std::vector<std::uint8_t>& listed() const override { return choices_; }
  std::vector<std::uint8_t> search(const std::vector<std::vector<Predictor>>&) const override { return choices_; }
  std::unique_ptr<Candidates> in_random_order(std::uint64_t seed) const override {
    return std::make_unique<RowCandidates>(choices_, n_decisions_, seed, 0);
  }
  std::vector<double> sample_quality() const override { return quality_; }
  std::string describe() const override { return description_; }

 private:
  std::vector<std::uint8_t> choices_;
  std::size_t n_decisions_;
  std::vector<double> quality_;
  std::string description_;
};

// first + weight second, in units of their spread over random architectures.
AdditivePredictor weighted_sum(const AdditivePredictor& first, double first_weight, const AdditivePredictor& second,
                               double second_weight) {
  ONEPROXY_ASSERT(first.weights.size() == second.weights.size() && first.bias.size() == second.bias.size());
  AdditivePredictor sum = first;
  for (std::size_t i = 0; i < sum.weights.size(); ++i)
    sum.weights[i] = first_weight * first.weights[i] + second_weight * second.weights[i];
  for (std::size_t i = 0; i < sum.bias.size(); ++i)
    sum.bias[i] = first_weight * first.bias[i] + second_weight * second.bias[i];
  return sum;
}

double spread(const AdditivePredictor& predictor) {
  double squares = 0;
  for (const double weight : predictor.weights) squares += weight * weight;
  return std::sqrt(std::max(squares, 1e-300));
}

class SearchedCandidates : public LoopCandidates {
 public:
  SearchedCandidates(const SubSpace& part, const Objective& quality, std::uint64_t seed)
      : part_(part), quality_(quality), seed_(seed) {
    const SearchProblem problem{part_, nullptr, {quality_, quality_}};
    const auto choices = random_architectures(problem, kSampled, seed);
    sampled_.resize(choices.size() / part.space().radices().size());
    quality_.evaluate(choices, sampled_);
  }
  const std::vector<std::uint8_t>& listed() const override { return none_; }
  std::vector<std::uint8_t> search(const std::vector<std::vector<Predictor>>& drawn) const override {
    std::vector<std::uint8_t> found;
    std::set<std::vector<std::uint8_t>> seen;
    for (const auto& predictors : drawn)
      for (const auto& cost : costs(predictors)) {
        check_interrupt();
        const SearchProblem problem{
            part_, nullptr, {quality_, predicted_objective(cost, part_.space(), "drawn latency", "ms")}};
        const auto question = question_of(problem);
        Evaluator evaluator(problem, question);
        auto keys = Config::defaults();
        const auto method = search_method(suitable_method(problem, question)).read(keys);
        const auto front = method->search(evaluator).front;
        const std::size_t kept = std::min(kOfEachFront, front.size());
        for (std::size_t i = 0; i < kept; ++i) {
          const auto& choices = front[kept == 1 ? 0 : i * (front.size() - 1) / (kept - 1)].choices;
          if (seen.insert(choices).second) found.insert(found.end(), choices.begin(), choices.end());
        }
      }
    return found;
  }
  std::unique_ptr<Candidates> in_random_order(std::uint64_t seed) const override {
    return std::make_unique<SpaceCandidates>(part_, seed, 0);
  }
  std::vector<double> sample_quality() const override { return sampled_; }
  std::string describe() const override { return "fronts of what the device may be, over " + part_.describe(); }

 private:
  // What adds up has its whole front at once. Else it is looked for below limits all along it.
  SearchQuestion question_of(const SearchProblem& problem) const {
    SearchQuestion question;
    question.seed = seed_;
    if (adds_up(problem)) return question;
    for (const double bound : limits_at(problem, kShares, seed_))
      question.limits.push_back({{std::numeric_limits<double>::quiet_NaN(), bound}});
    question.budget.evaluations = kEvaluations * std::ssize(question.limits);
    return question;
  }

  // Of one quantity itself; of two their weighted sums, whose fronts hold the supported points of all three objectives.
  static std::vector<Predictor> costs(const std::vector<Predictor>& predictors) {
    if (predictors.size() == 1) return predictors;
    std::vector<Predictor> sums;
    const auto& first = std::get<AdditivePredictor>(predictors[0]);
    const auto& second = std::get<AdditivePredictor>(predictors[1]);
    for (const double weight : kWeights)
      sums.push_back(weighted_sum(first, (1 - weight) / spread(first), second, weight / spread(second)));
    return sums;
  }

  SubSpace part_;
  Objective quality_;
  std::uint64_t seed_;
  std::vector<double> sampled_;
  std::vector<std::uint8_t> none_;
};

}  // namespace

std::shared_ptr<const LoopCandidates> listed_candidates(const SearchSpace& space, std::vector<std::uint8_t> choices,
                                                        const Objective& quality, std::string description) {
  const std::size_t width = space.radices().size();
  std::vector<double> values(choices.size() / width);
  quality.evaluate(choices, values);
  std::vector<std::uint8_t> known;
  std::vector<double> qualities;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    known.insert(known.end(), &choices[i * width], &choices[i * width] + width);
    qualities.push_back(values[i]);
  }
  if (qualities.empty())
    throw Error("quality " + quality.label + " is known of none of " + description + "; name another one");
  return std::make_shared<ListedCandidates>(std::move(known), width, std::move(qualities), std::move(description));
}

std::shared_ptr<const LoopCandidates> searched_candidates(const SubSpace& part, const Objective& quality,
                                                          std::uint64_t seed) {
  if (!quality.model)
    throw Error("quality " + quality.label +
                " is known of measured architectures only, and candidates are searched in " + part.describe() +
                "; name one that covers the space (model:..., predictor:..., table:...)");
  return std::make_shared<SearchedCandidates>(part, quality, seed);
}

}  // namespace oneproxy
