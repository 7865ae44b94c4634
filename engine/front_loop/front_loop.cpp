#include "oneproxy/engine/front_loop/front_loop.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "oneproxy/engine/adapt/design/measuring_order.h"
#include "oneproxy/engine/adapt/method_registry.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/front_loop/answers.h"
#include "oneproxy/engine/front_loop/belief.h"
#include "oneproxy/engine/front_loop/candidate_pool.h"
#include "oneproxy/engine/front_loop/goal.h"
#include "oneproxy/engine/front_loop/proposals.h"
#include "oneproxy/engine/front_loop/record.h"
#include "oneproxy/engine/front_loop/remaining_gain.h"
#include "oneproxy/engine/front_loop/start.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kDrawnPredictors = 8;  // of which fronts are searched, beside the mean
constexpr double kNothing = 0.01;    // of stop_gain: two batches that gained less stop

std::vector<Quantity> quantities_of(const FrontLoopProblem& problem) {
  std::vector<Quantity> quantities;
  for (const auto& measured : problem.measured) quantities.push_back(measured.quantity);
  return quantities;
}

std::string percent(double share) { return brief(100 * share) + " %"; }

}  // namespace

const char* to_string(LoopPhase phase) {
  switch (phase) {
    case LoopPhase::start:
      return "start";
    case LoopPhase::rounds:
      return "rounds";
    case LoopPhase::confirm:
      return "confirm";
    default:
      return "done";
  }
}

MeasuredObjective measured_objective(Quantity quantity, Sources sources, std::uint64_t seed) {
  const auto settings = adaptation_method("bayes").default_settings();
  const auto learned = settings->learn(sources, seed);
  std::shared_ptr<const AdaptationMethod> method = settings->make(sources, learned, seed);
  return {std::move(quantity), std::move(sources), std::move(method)};
}

// Inside everything is minimised: a rate is the time of an item, of a quality to be maximised its negative.
struct FrontLoop::State {
  FrontLoopProblem problem;
  FrontLoopSettings settings;
  std::size_t width, n_measured;  // decisions; measured quantities
  std::vector<const GaussianProcess*> models;
  MeasurementRecord record;
  CandidatePool listed;        // where all candidates are known beforehand
  double floor = 0;            // of the quality
  std::vector<double> limits;  // [n, n_measured] infinite: none
  Start start;

  State(FrontLoopProblem of, FrontLoopSettings with);
  LoopStep step() const;

 private:
  const SearchSpace& space() const { return problem.features->space(); }
  std::span<const std::uint8_t> row(const CandidatePool& pool, std::int64_t i) const {
    return std::span(pool.choices).subspan(i * width, width);
  }
  std::vector<AdaptedBayes> adapt() const;
  AdaptedBayes drawn(std::size_t quantity, const AdaptedBayes& adapted, int number) const;
  CandidatePool searched(const std::vector<AdaptedBayes>& adapted) const;
  std::int64_t best_quality(const CandidatePool& pool) const;
  std::int64_t n_counting(const CandidatePool& pool) const;
  LoopGoal goal(const CandidatePool& pool, std::vector<double> reference, std::int64_t best) const;

  void add(LoopStep& step, std::span<const std::uint8_t> choices, double gain = kNan) const {
    step.measure.insert(step.measure.end(), choices.begin(), choices.end());
    step.gains.push_back(gain);
  }
  void propose_start(LoopStep& step) const;
  void propose_design(LoopStep& step, std::int64_t n) const;
  void fill_up(LoopStep& step, const CandidatePool& pool, std::int64_t n) const;
  void propose_front(LoopStep& step, const CandidatePool& pool, const std::vector<AdaptedBayes>& means,
                     std::int64_t best, std::int64_t n) const;
  void propose_round(LoopStep& step, const std::vector<AdaptedBayes>& adapted) const;
  void stop_or_go_on(LoopStep& step) const;
  std::vector<std::vector<std::uint8_t>> answer(const LoopStep& step) const;
  std::int64_t room(const LoopStep& step) const;
  void propose_confirmation(LoopStep& step) const;
  void keep_to_budget(LoopStep& step) const;
};

FrontLoop::State::State(FrontLoopProblem of, FrontLoopSettings with)
    : problem(std::move(of)),
      settings(std::move(with)),
      width(problem.features->space().radices().size()),
      n_measured(problem.measured.size()),
      record(problem.features->space(), quantities_of(problem), problem.quality) {
  ONEPROXY_ASSERT(n_measured == 1 || n_measured == 2);
  for (const auto& [quantity, sources, method] : problem.measured) {
    if (quantity.maximised() && !quantity.is_rate())
      throw Error(quantity.name +
                  " is to be maximised and is no rate; a front lies between a quality and what is "
                  "minimised, or rates");
    ONEPROXY_ASSERT(method && method->model());
    models.push_back(method->model());
  }
  for (const auto& limit : settings.limits) {
    if (limit.size() != n_measured)
      throw Error("a limit has " + count_of(std::ssize(limit), "bound") + ", and there are " +
                  count_of(static_cast<std::int64_t>(n_measured), "measured quantity"));
    for (std::size_t j = 0; j < n_measured; ++j) {
      if (!std::isnan(limit[j]) && !(limit[j] > 0))
        throw Error("limit " + plain(limit[j]) + " on " + problem.measured[j].quantity.name + ": must be above 0");
      limits.push_back(std::isnan(limit[j]) ? kInfinity : as_additive(problem.measured[j].quantity, limit[j]));
    }
  }
  if (!problem.candidates->listed().empty()) listed = make_pool(models, problem.quality, problem.candidates->listed());
  const bool maximised = problem.quality.maximised();
  floor = quantile(problem.candidates->sample_quality(), maximised ? settings.floor : 1 - settings.floor);
  if (maximised) floor = -floor;
  start = choose_start(problem);
}

// Of each quantity to all that was measured of it; a repeat is a sample of its own.
std::vector<AdaptedBayes> FrontLoop::State::adapt() const {
  std::vector<AdaptedBayes> adapted;
  for (std::size_t j = 0; j < n_measured; ++j) {
    std::vector<std::uint8_t> choices;
    std::vector<double> values;
    for (const auto& network : record.networks())
      for (const double value : network.repeats[j]) {
        choices.insert(choices.end(), network.choices.begin(), network.choices.end());
        values.push_back(value);
      }
    adapted.push_back(models[j]->adapt(models[j]->design(problem.features->rows(choices)), values));
  }
  return adapted;
}

// The model with weights drawn from its posterior.
AdaptedBayes FrontLoop::State::drawn(std::size_t quantity, const AdaptedBayes& adapted, int number) const {
  const auto joint = joint_posterior(*models[quantity], adapted);
  const std::size_t size = joint.mean.size();
  RandomDraws random(random_stream(settings.seed, Draws::drawn_predictors,
                                   static_cast<std::uint32_t>(number * n_measured + quantity)));
  std::vector<double> normal(size), weights = joint.mean;
  for (auto& value : normal) value = random.normal();
  for (std::size_t a = 0; a < size; ++a)
    for (std::size_t b = 0; b < size; ++b) weights[a] += joint.root[a * size + b] * normal[b];
  AdaptedBayes draw = adapted;
  for (std::size_t a = 0; a + 1 < size; ++a) draw.weights[a] = weights[a] / draw.deviation_ms;
  draw.offset = (weights.back() - draw.mean_ms) / draw.deviation_ms;
  return draw;
}

// Candidates on the fronts of what the models hold for possible.
CandidatePool FrontLoop::State::searched(const std::vector<AdaptedBayes>& adapted) const {
  std::vector<std::vector<Predictor>> predictors(1);
  for (std::size_t j = 0; j < n_measured; ++j) predictors[0].push_back(models[j]->predictor(adapted[j]));
  const bool has_posterior =
      std::none_of(adapted.begin(), adapted.end(), [](const AdaptedBayes& one) { return one.from_prior; });
  for (int k = 0; has_posterior && k < kDrawnPredictors; ++k) {
    auto& own = predictors.emplace_back();
    for (std::size_t j = 0; j < n_measured; ++j) own.push_back(models[j]->predictor(drawn(j, adapted[j], k)));
  }
  auto choices = problem.candidates->search(predictors);
  // What was measured and is good stays a candidate, whatever a search finds this time.
  std::set<std::vector<std::uint8_t>> seen;
  for (std::size_t i = 0; i < choices.size(); i += width) seen.insert({&choices[i], &choices[i] + width});
  for (const auto& network : record.networks())
    if (seen.insert(network.choices).second)
      choices.insert(choices.end(), network.choices.begin(), network.choices.end());
  return make_pool(models, problem.quality, choices);
}

// The candidate of the best quality that does not fail on the device; of equal ones one that was measured.
std::int64_t FrontLoop::State::best_quality(const CandidatePool& pool) const {
  std::int64_t best = -1;
  for (std::int64_t i = 0; i < pool.n(); ++i) {
    if (best >= 0 && pool.quality[i] > pool.quality[best]) break;
    const auto* network = record.find(row(pool, i));
    if (network && network->known()) return i;
    if (!network && best < 0) best = i;
  }
  if (pool.n() == 0) throw Error("no candidate has a quality, or none was found: " + problem.candidates->describe());
  if (best < 0) throw Error("every candidate that was measured failed on the device, and none is left");
  return best;
}

// Candidates that may gain anything: of a front those above the floor, and more where the quality is uncertain.
std::int64_t FrontLoop::State::n_counting(const CandidatePool& pool) const {
  std::int64_t n = pool.n();
  while (limits.empty() && n > 1 && pool.quality[n - 1] >= floor && !(pool.quality_deviation[n - 1] > 0)) --n;
  return n;
}

// reference [n_measured]: nothing that is slower than the best network counts.
LoopGoal FrontLoop::State::goal(const CandidatePool& pool, std::vector<double> reference, std::int64_t best) const {
  if (limits.empty()) {
    reference.push_back(floor);
    return LoopGoal(std::move(reference));
  }
  double worst = std::max(floor, pool.quality.back());
  for (const auto& network : record.networks())
    if (network.quality > worst) worst = network.quality;
  const double range = floor - pool.quality[best];
  return {limits, n_measured + 1, worst, range > 0 ? range : 1.0};
}

void FrontLoop::State::propose_start(LoopStep& step) const {
  step.phase = LoopPhase::start;
  // Where start.n were measured and tell nothing, more of the same.
  const auto n = std::max<std::int64_t>(start.n - static_cast<std::int64_t>(record.n_known()), 1);
  std::vector<AdaptedBayes> means;
  for (const auto* model : models) means.push_back(sources_mean(*model));
  const CandidatePool found = listed.n() > 0 ? CandidatePool{} : searched(means);
  const CandidatePool& pool = listed.n() > 0 ? listed : found;
  const std::int64_t best = best_quality(pool);
  if (!record.find(row(pool, best))) add(step, row(pool, best));
  if (start.by_front)
    propose_front(step, pool, means, best, n);
  else
    propose_design(step, n);
  fill_up(step, pool, n);
}

void FrontLoop::State::propose_design(LoopStep& step, std::int64_t n) const {
  std::vector<std::uint8_t> measured = step.measure;
  for (const auto& network : record.networks())
    measured.insert(measured.end(), network.choices.begin(), network.choices.end());
  const auto candidates = problem.candidates->in_random_order(settings.seed);
  const auto chosen =
      choose_architectures(*models[0], *candidates, {}, static_cast<int>(n), settings.seed, measured).choices;
  for (std::size_t i = 0; i < chosen.size() && std::ssize(step.gains) < n; i += width)
    add(step, std::span(chosen).subspan(i, width));
}

// A greedy subset of the front of the means, the best network first. It is nested: what was measured is passed over.
void FrontLoop::State::propose_front(LoopStep& step, const CandidatePool& pool, const std::vector<AdaptedBayes>& means,
                                     std::int64_t best, std::int64_t n) const {
  std::vector<double> points;
  std::vector<std::int64_t> of;
  std::int64_t first = 0;
  for (std::int64_t i = 0; i < pool.n(); ++i) {
    if (record.failed(row(pool, i))) continue;
    if (i == best) first = std::ssize(of);
    for (std::size_t j = 0; j < n_measured; ++j) {
      const auto& weights = means[j].weights;
      points.push_back(std::inner_product(weights.begin(), weights.end(), &pool.z[j][i * weights.size()], 0.0));
    }
    points.push_back(pool.quality[i]);
    of.push_back(i);
  }
  std::vector<double> reference(&points[first * (n_measured + 1)], &points[first * (n_measured + 1)] + n_measured);
  reference.push_back(floor);
  const int most = start.n + static_cast<int>(record.networks().size());
  for (const auto i : greedy_subset(points, reference, first, most))
    if (std::ssize(step.gains) < n && of[i] != best && !record.find(row(pool, of[i]))) add(step, row(pool, of[i]));
}

// Where a front or a design is shorter than that.
void FrontLoop::State::fill_up(LoopStep& step, const CandidatePool& pool, std::int64_t n) const {
  for (std::int64_t i = 0; i < pool.n() && std::ssize(step.gains) < n; ++i) {
    const auto choices = row(pool, i);
    const auto proposed = [&](std::int64_t k) {
      return std::equal(choices.begin(), choices.end(), step.measure.begin() + k * static_cast<std::int64_t>(width));
    };
    bool is_new = !record.find(choices);
    for (std::int64_t k = 0; k < std::ssize(step.gains); ++k) is_new = is_new && !proposed(k);
    if (is_new) add(step, choices);
  }
}

void FrontLoop::State::propose_round(LoopStep& step, const std::vector<AdaptedBayes>& adapted) const {
  step.phase = LoopPhase::rounds;
  const CandidatePool found = listed.n() > 0 ? CandidatePool{} : searched(adapted);
  const CandidatePool& pool = listed.n() > 0 ? listed : found;
  const std::int64_t best = best_quality(pool), n = std::max(n_counting(pool), best + 1);
  std::vector<Belief> beliefs;
  for (std::size_t j = 0; j < n_measured; ++j)
    beliefs.emplace_back(*models[j], adapted[j], std::span(pool.z[j]).first(n * models[j]->layout().n_columns()));
  std::vector<char> open(n);
  for (std::int64_t i = 0; i < n; ++i) open[i] = record.find(row(pool, i)) == nullptr;

  // The slow end of the front is known beforehand, and bounds what counts.
  std::vector<double> reference;
  if (const auto* network = record.find(row(pool, best)))
    reference = network->point();
  else
    for (const auto& belief : beliefs) reference.push_back(belief.mean(best));
  reference.resize(n_measured);
  const LoopGoal aim = goal(pool, reference, best);
  for (std::size_t j = 0; j < n_measured; ++j)
    step.reference.push_back(as_additive(problem.measured[j].quantity, reference[j]));
  step.reference.push_back(problem.quality.maximised() ? -floor : floor);

  const auto points = record.points();
  step.attained = aim.attained(points);
  step.expected_gain = remaining_gain(pool, beliefs, open, aim, points, settings.seed);
  const auto two_batches = 2 * static_cast<std::size_t>(settings.batch), known = record.n_known();
  if (known >= static_cast<std::size_t>(start.n) + two_batches) {
    std::size_t before = record.networks().size();
    while (record.n_known(before) > known - two_batches) --before;
    step.recent_gain = aim.share(aim.attained(record.points(before)), step.attained);
  }
  if (limits.empty() && open[best]) {
    add(step, row(pool, best));
    open[best] = 0;
  }
  const int left = settings.batch - static_cast<int>(step.gains.size());
  for (const auto& [candidate, gain] : propose(pool, beliefs, open, aim, points, left))
    add(step, row(pool, candidate), aim.share(step.attained, step.attained + gain));
}

void FrontLoop::State::stop_or_go_on(LoopStep& step) const {
  const bool all_found =
      std::all_of(step.answers.begin(), step.answers.end(), [](const LimitAnswer& one) { return one.found; });
  const auto n_new = std::min<std::int64_t>(room(step), std::ssize(step.gains));
  if (step.measure.empty())
    step.why_stop = "no candidate is expected to gain anything";
  else if (step.expected_gain < settings.stop_gain && step.recent_gain < settings.stop_gain)
    step.why_stop = "the expected remaining gain, " + percent(step.expected_gain) +
                    ", and that of the last two batches, " + percent(step.recent_gain) + ", are below " +
                    percent(settings.stop_gain);
  else if (all_found && step.recent_gain < kNothing * settings.stop_gain)
    step.why_stop = "the last two batches gained nothing (" + percent(step.recent_gain) +
                    "), though there may be more: the expected remaining gain is " + percent(step.expected_gain);
  else if (n_new == 0)
    step.why_stop = "what is left of the budget of " + count_of(settings.budget, "measurement") +
                    " goes into measuring the answer again";
  if (step.why_stop.empty()) {
    step.measure.resize(n_new * width);
    step.gains.resize(n_new);
    return;
  }
  step.measure.clear();
  step.gains.clear();
  propose_confirmation(step);
}

// What the answer consists of: the front above the floor, or the networks within the limits.
std::vector<std::vector<std::uint8_t>> FrontLoop::State::answer(const LoopStep& step) const {
  std::vector<std::vector<std::uint8_t>> networks;
  for (const auto& one : step.front)
    if (limits.empty() && (problem.quality.maximised() ? -one.quality : one.quality) < floor)
      networks.push_back(one.choices);
  for (const auto& one : step.answers)
    if (one.found && std::find(networks.begin(), networks.end(), one.network.choices) == networks.end())
      networks.push_back(one.network.choices);
  return networks;
}

// New networks that the budget allows, if each of them came into the answer.
std::int64_t FrontLoop::State::room(const LoopStep& step) const {
  if (settings.budget == 0) return std::numeric_limits<std::int64_t>::max();
  std::int64_t left = settings.budget - record.n_attempts();
  for (const auto& choices : answer(step)) left -= std::max(settings.repeats - record.find(choices)->attempts, 0);
  return std::max<std::int64_t>(left / settings.repeats, 0);
}

// The answer again, until each network of it was measured often enough.
void FrontLoop::State::propose_confirmation(LoopStep& step) const {
  for (const auto& choices : answer(step))
    if (record.find(choices)->attempts < settings.repeats) add(step, choices);
  step.phase = step.measure.empty() ? LoopPhase::done : LoopPhase::confirm;
}

void FrontLoop::State::keep_to_budget(LoopStep& step) const {
  if (settings.budget == 0) return;
  const std::int64_t left = std::max<std::int64_t>(settings.budget - record.n_attempts(), 0);
  if (left >= std::ssize(step.gains)) return;
  step.gains.resize(left);
  step.measure.resize(left * width);
  if (left > 0) return;
  step.phase = LoopPhase::done;
  step.why_stop = "the budget of " + count_of(settings.budget, "measurement") + " is spent";
}

LoopStep FrontLoop::State::step() const {
  LoopStep step;
  step.start = start.text;
  step.attained = step.expected_gain = step.recent_gain = kNan;
  for (const auto* network : measured_front(record)) step.front.push_back(measured_network(problem, *network));
  step.answers = answers_within(problem, settings, record, limits);
  for (const auto& network : record.networks()) {
    step.n_measured += network.known();
    step.n_measurements += network.n_repeats();
  }
  std::vector<AdaptedBayes> adapted;
  if (step.n_measured > 0) {
    adapted = adapt();
    step.remarks = remarks_on(problem, record, adapted);
  }
  const bool tells_nothing =
      std::any_of(adapted.begin(), adapted.end(), [](const AdaptedBayes& one) { return one.from_prior; });
  if (step.n_measured < start.n || tells_nothing) {
    propose_start(step);
    if (step.measure.empty()) {
      step.why_stop = "every candidate was measured";
      propose_confirmation(step);
    }
  } else {
    propose_round(step, adapted);
    stop_or_go_on(step);
  }
  keep_to_budget(step);
  return step;
}

FrontLoop::FrontLoop(FrontLoopProblem problem, FrontLoopSettings settings)
    : state_(std::make_unique<State>(std::move(problem), std::move(settings))) {}
FrontLoop::~FrontLoop() = default;
FrontLoop::FrontLoop(FrontLoop&&) noexcept = default;
FrontLoop& FrontLoop::operator=(FrontLoop&&) noexcept = default;

const FrontLoopProblem& FrontLoop::problem() const { return state_->problem; }
const FrontLoopSettings& FrontLoop::settings() const { return state_->settings; }
void FrontLoop::tell(std::span<const std::uint8_t> choices, std::span<const double> values) {
  state_->record.tell(choices, values);
}
LoopStep FrontLoop::step() const { return state_->step(); }

}  // namespace oneproxy
