#include "oneproxy/engine/front_loop/front_loop.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "oneproxy/engine/adapt/design/measuring_order.h"
#include "oneproxy/engine/adapt/method_registry.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/engine/front_loop/belief.h"
#include "oneproxy/engine/front_loop/candidate_pool.h"
#include "oneproxy/engine/front_loop/goal.h"
#include "oneproxy/engine/front_loop/remaining_gain.h"
#include "oneproxy/engine/front_loop/start.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNoiseShare = 0.3;       // of the noise's deviation that counts in the expected gain
constexpr std::size_t kBatchAmong = 400;  // candidates of the largest expected gain, among which a batch is chosen
constexpr int kDrawnPredictors = 8;       // of which fronts are searched, beside the mean
constexpr double kNothing = 0.01;         // of stop_gain: two batches that gained less stop
constexpr double kScattered = 1.2;        // largest over smallest of repeats that a person should look at

// A network that was measured, in order of its first measurement.
struct Told {
  std::vector<std::uint8_t> choices;
  std::vector<std::vector<double>> repeats;  // [n_measured], to be minimised; those that succeeded
  double quality = kNan;                     // minimised
  int attempts = 0;                          // measurements, failed ones too

  bool known() const {
    return std::all_of(repeats.begin(), repeats.end(), [](const auto& one) { return !one.empty(); });
  }
  // Times that all quantities were measured.
  int n_repeats() const {
    std::size_t least = repeats.front().size();
    for (const auto& one : repeats) least = std::min(least, one.size());
    return static_cast<int>(least);
  }
};

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

struct FrontLoop::State {
  FrontLoopProblem problem;
  FrontLoopSettings settings;
  std::size_t width = 0, n_measured = 0;  // decisions; measured quantities
  std::vector<const GaussianProcess*> models;
  CandidatePool listed;        // where all candidates are known beforehand
  double floor = 0;            // quality, minimised
  std::vector<double> limits;  // [n, n_measured] minimised, infinite: none
  Start start;
  std::vector<Told> told;
  std::map<std::vector<std::uint8_t>, std::size_t> number;  // of a network in `told`

  State(FrontLoopProblem of, FrontLoopSettings with);
  void tell(std::span<const std::uint8_t> choices, std::span<const double> values);
  LoopStep step() const;

 private:
  const SearchSpace& space() const { return problem.features->space(); }
  std::span<const std::uint8_t> row(const CandidatePool& pool, std::int64_t i) const {
    return std::span(pool.choices).subspan(i * width, width);
  }
  const Told* find(std::span<const std::uint8_t> choices) const {
    const auto at = number.find({choices.begin(), choices.end()});
    return at == number.end() ? nullptr : &told[at->second];
  }
  std::vector<double> point(const Told& network) const;
  std::vector<double> points(std::size_t n_told) const;  // of the first so many
  std::size_t n_known(std::size_t n_told) const;
  CandidatePool pool(const std::vector<AdaptedBayes>& adapted) const;
  std::int64_t best_quality(const CandidatePool& pool) const;
  double worst_quality(const CandidatePool& pool) const;
  std::int64_t n_counting(const CandidatePool& pool) const;
  std::vector<AdaptedBayes> adapt() const;
  LoopGoal goal(const CandidatePool& pool, std::span<const double> of_best, std::int64_t best) const;

  void propose_start(LoopStep& step) const;
  void propose_round(LoopStep& step, const CandidatePool& pool, std::span<const Belief> beliefs,
                     std::span<const char> open, const LoopGoal& goal, std::int64_t best) const;
  void propose_confirmation(LoopStep& step) const;
  void say_front(LoopStep& step) const;
  void say_remarks(LoopStep& step, const std::vector<AdaptedBayes>& adapted) const;
  MeasuredNetwork network(const Told& told) const;
};

FrontLoop::State::State(FrontLoopProblem of, FrontLoopSettings with)
    : problem(std::move(of)), settings(std::move(with)) {
  width = space().radices().size();
  n_measured = problem.measured.size();
  ONEPROXY_ASSERT(n_measured == 1 || n_measured == 2);
  for (const auto& measured : problem.measured) {
    if (measured.quantity.maximised() && !measured.quantity.is_rate())
      throw Error(measured.quantity.name + " is to be maximised and is no rate; a front lies between a quality and " +
                  "what is minimised, or rates");
    ONEPROXY_ASSERT(measured.method && measured.method->model());
    models.push_back(measured.method->model());
  }
  for (const auto& limit : settings.limits) {
    if (limit.size() != n_measured)
      throw Error("a limit has " + count_of(std::ssize(limit), "bound") + ", measured are " +
                  count_of(static_cast<std::int64_t>(n_measured), "quantity"));
    for (std::size_t j = 0; j < n_measured; ++j) {
      const double bound = std::isnan(limit[j]) ? kInfinity : as_additive(problem.measured[j].quantity, limit[j]);
      if (!(bound > 0)) throw Error("limit " + plain(limit[j]) + ": must be above 0");
      limits.push_back(bound);
    }
  }
  if (!problem.candidates->listed().empty()) listed = make_pool(models, problem.quality, problem.candidates->listed());
  auto sampled = problem.candidates->sample_quality();
  floor = quantile(sampled, problem.quality.maximised() ? settings.floor : 1 - settings.floor);
  if (problem.quality.maximised()) floor = -floor;
  start = choose_start(problem);
}

void FrontLoop::State::tell(std::span<const std::uint8_t> choices, std::span<const double> values) {
  ONEPROXY_ASSERT(choices.size() == width && values.size() == n_measured);
  for (std::size_t j = 0; j < n_measured; ++j)
    if (!std::isnan(values[j]))
      check_measured(values[j], problem.measured[j].quantity,
                     problem.measured[j].quantity.name + " of " + space().to_string(choices));
  const auto [at, is_new] = number.try_emplace({choices.begin(), choices.end()}, told.size());
  if (is_new) {
    Told network{{choices.begin(), choices.end()}, std::vector<std::vector<double>>(n_measured), kNan, 0};
    network.quality = minimised_values(problem.quality, choices, width)[0];
    told.push_back(std::move(network));
  }
  auto& network = told[at->second];
  ++network.attempts;
  for (std::size_t j = 0; j < n_measured; ++j)
    if (!std::isnan(values[j])) network.repeats[j].push_back(as_additive(problem.measured[j].quantity, values[j]));
}

// [m] minimised: medians, and the quality.
std::vector<double> FrontLoop::State::point(const Told& network) const {
  std::vector<double> point;
  for (const auto& repeats : network.repeats) point.push_back(median_of(repeats));
  point.push_back(network.quality);
  return point;
}

std::vector<double> FrontLoop::State::points(std::size_t n_told) const {
  std::vector<double> all;
  for (std::size_t i = 0; i < n_told; ++i) {
    if (!told[i].known() || std::isnan(told[i].quality)) continue;
    const auto one = point(told[i]);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

std::size_t FrontLoop::State::n_known(std::size_t n_told) const {
  return static_cast<std::size_t>(std::count_if(told.begin(), told.begin() + static_cast<std::ptrdiff_t>(n_told),
                                                [](const Told& one) { return one.known(); }));
}

// Of each quantity all that was measured of it; a repeat is a sample of its own.
std::vector<AdaptedBayes> FrontLoop::State::adapt() const {
  std::vector<AdaptedBayes> adapted;
  for (std::size_t j = 0; j < n_measured; ++j) {
    std::vector<std::uint8_t> choices;
    std::vector<double> values;
    for (const auto& one : told)
      for (const double value : one.repeats[j]) {
        choices.insert(choices.end(), one.choices.begin(), one.choices.end());
        values.push_back(value);
      }
    adapted.push_back(models[j]->adapt(models[j]->design(problem.features->rows(choices)), values));
  }
  return adapted;
}

// The candidates; where they are searched, by what the adapted models hold for possible.
CandidatePool FrontLoop::State::pool(const std::vector<AdaptedBayes>& adapted) const {
  std::vector<std::vector<Predictor>> drawn(1);
  for (std::size_t j = 0; j < n_measured; ++j) drawn[0].push_back(models[j]->predictor(adapted[j]));
  for (int k = 0; k < kDrawnPredictors; ++k) {
    std::vector<Predictor> one;
    for (std::size_t j = 0; j < n_measured; ++j) {
      if (adapted[j].from_prior) return make_pool(models, problem.quality, problem.candidates->search(drawn));
      const auto joint = joint_posterior(*models[j], adapted[j]);
      RandomDraws random(
          random_stream(settings.seed, Draws::drawn_predictors, static_cast<std::uint32_t>(k * n_measured + j)));
      const std::size_t size = joint.mean.size();
      std::vector<double> normal(size), weights = joint.mean;
      for (auto& value : normal) value = random.normal();
      for (std::size_t a = 0; a < size; ++a)
        for (std::size_t b = 0; b < size; ++b) weights[a] += joint.root[a * size + b] * normal[b];
      AdaptedBayes as_drawn = adapted[j];
      for (std::size_t a = 0; a + 1 < size; ++a) as_drawn.weights[a] = weights[a] / as_drawn.deviation_ms;
      as_drawn.offset = (weights.back() - as_drawn.mean_ms) / as_drawn.deviation_ms;
      one.push_back(models[j]->predictor(as_drawn));
    }
    drawn.push_back(std::move(one));
  }
  return make_pool(models, problem.quality, problem.candidates->search(drawn));
}

// The candidate of the best quality that does not fail on the device; of equal ones one that was measured.
std::int64_t FrontLoop::State::best_quality(const CandidatePool& pool) const {
  std::int64_t best = -1;
  for (std::int64_t i = 0; i < pool.n(); ++i) {
    if (best >= 0 && pool.quality[i] > pool.quality[best]) break;
    const Told* known = find(row(pool, i));
    if (known && known->known()) return i;
    if (!known && best < 0) best = i;
  }
  if (best < 0) throw Error("all candidates failed on the device; nothing is left to measure");
  return best;
}

double FrontLoop::State::worst_quality(const CandidatePool& pool) const {
  double worst = std::max(floor, pool.quality.back());
  for (const auto& one : told)
    if (one.quality > worst) worst = one.quality;
  return worst;
}

// Candidates that may gain anything: of a front those above the floor, and more where the quality is uncertain.
std::int64_t FrontLoop::State::n_counting(const CandidatePool& pool) const {
  if (!limits.empty()) return pool.n();
  std::int64_t n = pool.n();
  while (n > 1 && pool.quality[n - 1] >= floor && !(pool.quality_deviation[n - 1] > 0)) --n;
  return n;
}

LoopGoal FrontLoop::State::goal(const CandidatePool& pool, std::span<const double> of_best, std::int64_t best) const {
  if (limits.empty()) {
    std::vector<double> reference(of_best.begin(), of_best.end());
    reference.push_back(floor);
    return LoopGoal(std::move(reference));
  }
  const double range = floor - pool.quality[best];
  return {limits, n_measured + 1, worst_quality(pool), range > 0 ? range : 1.0};
}

void FrontLoop::State::propose_start(LoopStep& step) const {
  step.phase = LoopPhase::start;
  const int missing = std::max(start.n - static_cast<int>(n_known(told.size())), 1);
  std::vector<AdaptedBayes> means;
  for (const auto* model : models) means.push_back(sources_mean(*model));
  const CandidatePool searched = listed.n() > 0 ? CandidatePool{} : pool(means);
  const CandidatePool& among = listed.n() > 0 ? listed : searched;
  const auto add = [&](std::span<const std::uint8_t> choices) {
    step.measure.insert(step.measure.end(), choices.begin(), choices.end());
  };
  const auto n_added = [&] { return static_cast<int>(step.measure.size() / width); };
  const std::int64_t best = best_quality(among);
  if (!start.by_front) {
    std::vector<std::uint8_t> measured;
    if (!find(row(among, best))) add(row(among, best));
    for (const auto& one : told) measured.insert(measured.end(), one.choices.begin(), one.choices.end());
    measured.insert(measured.end(), step.measure.begin(), step.measure.end());
    std::unique_ptr<Candidates> candidates;
    if (listed.n() > 0)
      candidates = std::make_unique<RowCandidates>(listed.choices, width, settings.seed, 0);
    else
      candidates = std::make_unique<SpaceCandidates>(space(), settings.seed, 0);
    const auto chosen = choose_architectures(*models[0], *candidates, {}, missing, settings.seed, measured);
    for (std::size_t i = 0; i < chosen.choices.size() && n_added() < missing; i += width)
      add(std::span(chosen.choices).subspan(i, width));
    return;
  }
  // Greedy and nested: what was told is passed over.
  std::vector<double> points;
  std::vector<std::int64_t> of;
  for (std::int64_t i = 0; i < among.n(); ++i) {
    const Told* known = find(row(among, i));
    if (known && !known->known()) continue;
    for (std::size_t j = 0; j < n_measured; ++j) {
      const auto& weights = means[j].weights;
      points.push_back(std::inner_product(weights.begin(), weights.end(), &among.z[j][i * weights.size()], 0.0));
    }
    points.push_back(among.quality[i]);
    of.push_back(i);
  }
  const auto first = std::find(of.begin(), of.end(), best) - of.begin();
  std::vector<double> reference(&points[first * (n_measured + 1)], &points[first * (n_measured + 1)] + n_measured);
  reference.push_back(floor);
  for (const auto i : greedy_subset(points, reference, first, start.n + static_cast<int>(told.size())))
    if (n_added() < missing && !find(row(among, of[i]))) add(row(among, of[i]));
}

void FrontLoop::State::propose_round(LoopStep& step, const CandidatePool& pool, std::span<const Belief> beliefs,
                                     std::span<const char> open, const LoopGoal& goal, std::int64_t best) const {
  const auto known = points(told.size());
  const double attained = goal.attained(known);
  const auto propose = [&](std::int64_t i, double gain) {
    const auto choices = row(pool, i);
    step.measure.insert(step.measure.end(), choices.begin(), choices.end());
    step.gains.push_back(goal.has_limits() ? gain : attained > 0 ? gain / attained : kNan);
  };
  LoopGoal::Improvement improvement(goal, known);
  std::vector<Gaussian> y(n_measured + 1);
  const auto expected = [&](std::span<const Belief> of, std::int64_t i, std::int64_t in_pool) {
    for (std::size_t j = 0; j < n_measured; ++j) y[j] = of[j].measurement(i, kNoiseShare);
    y.back() = {pool.quality[in_pool], pool.quality_deviation[in_pool]};
    return improvement.expected(y);
  };
  // The slow end of the front is known beforehand, and bounds what counts.
  int left = settings.batch;
  if (!goal.has_limits() && open[best]) propose(best, kNan), --left;

  std::vector<std::pair<double, std::int64_t>> gains;
  for (std::int64_t i = 0; i < std::ssize(open); ++i) {
    if (!open[i] || (i == best && left < settings.batch)) continue;
    if (const double gain = expected(beliefs, i, i); gain > 0) gains.emplace_back(-gain, i);
  }
  const std::size_t kept = std::min(gains.size(), kBatchAmong);
  std::partial_sort(gains.begin(), gains.begin() + static_cast<std::ptrdiff_t>(kept), gains.end());
  gains.resize(kept);
  std::vector<std::int64_t> which;
  for (const auto& [gain, i] : gains) which.push_back(i);
  std::vector<Belief> believed;
  for (const auto& belief : beliefs) believed.push_back(belief.at(which));
  std::vector<char> taken(kept, 0);
  for (; left > 0; --left) {
    double most = 0;
    std::size_t chosen = kept;
    for (std::size_t c = 0; c < kept; ++c)
      if (const double gain = taken[c] ? 0 : expected(believed, static_cast<std::int64_t>(c), which[c]); gain > most)
        most = gain, chosen = c;
    if (chosen == kept) break;
    propose(which[chosen], most);
    taken[chosen] = 1;
    std::vector<double> as_believed;
    for (auto& belief : believed) {
      as_believed.push_back(belief.mean(static_cast<std::int64_t>(chosen)));
      belief.believe(static_cast<std::int64_t>(chosen));
    }
    as_believed.push_back(pool.quality[which[chosen]]);
    improvement.add(as_believed);
  }
}

MeasuredNetwork FrontLoop::State::network(const Told& one) const {
  MeasuredNetwork network{one.choices, {}, one.n_repeats(), problem.quality.maximised() ? -one.quality : one.quality};
  for (std::size_t j = 0; j < n_measured; ++j)
    network.values.push_back(as_additive(problem.measured[j].quantity, median_of(one.repeats[j])));
  return network;
}

void FrontLoop::State::say_front(LoopStep& step) const {
  std::vector<std::pair<std::vector<double>, const Told*>> known;
  for (const auto& one : told) {
    step.n_measured += one.known();
    step.n_measurements += one.n_repeats();
    if (one.known() && !std::isnan(one.quality)) known.emplace_back(point(one), &one);
  }
  std::stable_sort(known.begin(), known.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < known.size(); ++i) {
    const auto dominates = [&](std::size_t k) {  // among the sorted, nothing later does
      for (std::size_t j = 0; j <= n_measured; ++j)
        if (known[k].first[j] > known[i].first[j]) return false;
      return true;
    };
    bool dominated = false;
    for (std::size_t k = 0; k < i && !dominated; ++k) dominated = dominates(k);
    if (!dominated) step.front.push_back(network(*known[i].second));
  }
  for (std::size_t l = 0; l < settings.limits.size(); ++l) {
    LimitAnswer answer{settings.limits[l], false, {}};
    double nearest = kInfinity;
    const Told* best = nullptr;
    for (const auto& [values, one] : known) {
      double excess = 1;  // largest share of a bound
      for (std::size_t j = 0; j < n_measured; ++j) excess = std::max(excess, values[j] / limits[l * n_measured + j]);
      if (excess < nearest || (excess == nearest && best && one->quality < best->quality)) nearest = excess, best = one;
    }
    answer.found = nearest == 1;
    if (best) answer.network = network(*best);
    step.answers.push_back(std::move(answer));
  }
}

void FrontLoop::State::propose_confirmation(LoopStep& step) const {
  step.phase = LoopPhase::confirm;
  const auto add = [&](const MeasuredNetwork& one) {
    const Told* known = find(one.choices);
    const auto repeated = [&](std::size_t i) {
      return std::equal(one.choices.begin(), one.choices.end(), step.measure.begin() + static_cast<std::ptrdiff_t>(i));
    };
    for (std::size_t i = 0; i < step.measure.size(); i += width)
      if (repeated(i)) return;
    if (known->attempts < settings.repeats)
      step.measure.insert(step.measure.end(), one.choices.begin(), one.choices.end());
  };
  if (settings.limits.empty()) {
    for (const auto& one : step.front)
      if ((problem.quality.maximised() ? -one.quality : one.quality) < floor) add(one);
  } else {
    for (const auto& answer : step.answers)
      if (answer.found) add(answer.network);
  }
  if (step.measure.empty()) step.phase = LoopPhase::done;
}

void FrontLoop::State::say_remarks(LoopStep& step, const std::vector<AdaptedBayes>& adapted) const {
  for (std::size_t j = 0; j < n_measured; ++j) {
    const auto& name = problem.measured[j].quantity.name;
    for (const auto& remark : adapted[j].remarks) step.remarks.push_back({remark.kind, name + ": " + remark.text});
    std::vector<double> all;
    std::vector<const Told*> of;
    for (const auto& one : told)
      for (const double value : one.repeats[j]) all.push_back(value), of.push_back(&one);
    for (const auto i : adapted[j].outliers)
      step.remarks.push_back({Remark::Kind::outlier, name + " of " + space().to_string(of[i]->choices) + " was " +
                                                         brief(as_additive(problem.measured[j].quantity, all[i])) +
                                                         ", far beyond all others: it counts for next to nothing; "
                                                         "measure it again"});
    for (const auto& one : told) {
      if (one.repeats[j].size() < 2) continue;
      const auto [low, high] = std::minmax_element(one.repeats[j].begin(), one.repeats[j].end());
      if (*high > kScattered * *low)
        step.remarks.push_back({Remark::Kind::scattered_repeats, name + " of " + space().to_string(one.choices) +
                                                                     " scatters: its repeats are " + brief(*low) +
                                                                     " to " + brief(*high) + " " +
                                                                     additive_unit(problem.measured[j].quantity)});
    }
  }
}

LoopStep FrontLoop::State::step() const {
  LoopStep step;
  step.start = start.text;
  step.attained = step.expected_gain = step.recent_gain = kNan;
  say_front(step);
  if (static_cast<int>(n_known(told.size())) < start.n) {
    propose_start(step);
    step.gains.assign(step.measure.size() / width, kNan);
    return step;
  }
  const auto adapted = adapt();
  say_remarks(step, adapted);
  if (std::any_of(adapted.begin(), adapted.end(), [](const auto& one) { return one.from_prior; })) {
    propose_start(step);
    step.gains.assign(step.measure.size() / width, kNan);
    return step;
  }
  const CandidatePool searched = listed.n() > 0 ? CandidatePool{} : pool(adapted);
  const CandidatePool& among = listed.n() > 0 ? listed : searched;
  const std::int64_t n = n_counting(among);
  std::vector<Belief> beliefs;
  for (std::size_t j = 0; j < n_measured; ++j)
    beliefs.emplace_back(*models[j], adapted[j], std::span(among.z[j]).first(n * models[j]->layout().n_columns()));
  std::vector<char> open(n);
  for (std::int64_t i = 0; i < n; ++i) open[i] = find(row(among, i)) == nullptr;
  const std::int64_t best = best_quality(among);
  std::vector<double> of_best;
  if (const Told* known = find(row(among, best)))
    of_best = point(*known);
  else
    for (const auto& belief : beliefs) of_best.push_back(belief.mean(best));
  of_best.resize(n_measured);
  const LoopGoal aim = goal(among, of_best, best);
  step.reference = of_best;
  for (std::size_t j = 0; j < n_measured; ++j)
    step.reference[j] = as_additive(problem.measured[j].quantity, of_best[j]);
  step.reference.push_back(problem.quality.maximised() ? -floor : floor);

  const auto known = points(told.size());
  step.attained = aim.attained(known);
  step.expected_gain = remaining_gain(among, beliefs, open, aim, known, settings.seed);
  // What the networks of the last two batches gained.
  const std::size_t two_batches = 2 * static_cast<std::size_t>(settings.batch);
  if (n_known(told.size()) >= start.n + two_batches) {
    std::size_t before = told.size();
    while (n_known(before) > n_known(told.size()) - two_batches) --before;
    step.recent_gain = aim.share(aim.attained(points(before)), step.attained);
  }
  propose_round(step, among, beliefs, open, aim, best);

  const bool all_found =
      std::all_of(step.answers.begin(), step.answers.end(), [](const LimitAnswer& one) { return one.found; });
  const auto percent = [](double share) { return brief(100 * share) + " %"; };
  if (step.measure.empty())
    step.why_stop = "no candidate is expected to gain anything";
  else if (std::max(step.expected_gain, step.recent_gain) < settings.stop_gain)
    step.why_stop = "the expected remaining gain, " + percent(step.expected_gain) +
                    ", and that of the last two batches, " + percent(step.recent_gain) + ", are below " +
                    percent(settings.stop_gain);
  else if (all_found && step.recent_gain < kNothing * settings.stop_gain)
    step.why_stop = "the last two batches gained nothing (" + percent(step.recent_gain) +
                    "), though there may be more: the expected remaining gain is " + percent(step.expected_gain);
  step.phase = LoopPhase::rounds;
  if (!step.why_stop.empty()) {
    step.measure.clear();
    propose_confirmation(step);
    step.gains.assign(step.measure.size() / width, kNan);
  }
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
  state_->tell(choices, values);
}
LoopStep FrontLoop::step() const { return state_->step(); }

}  // namespace oneproxy
