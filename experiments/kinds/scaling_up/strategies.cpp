#include "experiments/kinds/scaling_up/strategies.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>

#include "oneproxy/engine/adapt/adaproxy/trial.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy::scaling_up {
namespace {

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::vector<double> limits_of(std::span<const FleetDevice> devices) {
  std::vector<double> limits;
  for (const auto& device : devices) limits.insert(limits.end(), device.limits_ms.begin(), device.limits_ms.end());
  return limits;
}

// By name, or the source that ranks architectures most like the others do, on average.
const SourceDevice& proxy_of(const std::string& name, const Sources& sources, const LatencyBasis& basis) {
  const int width = basis.n_reference();
  const auto values = basis.values(DeviceGenerator(basis).sources());
  const auto function = [&](int i) { return std::span(values).subspan(static_cast<std::size_t>(i) * width, width); };
  const SourceDevice* best = nullptr;
  double best_srcc = -1;
  for (int i = 0; i < basis.n_sources(); ++i) {
    if (sources.devices[i].name == name) return sources.devices[i];
    double srcc = 0;
    for (int j = 0; j < basis.n_sources(); ++j)
      if (j != i) srcc += spearman(function(i), function(j), Backend::cpu).value / (basis.n_sources() - 1);
    if (best && srcc <= best_srcc) continue;
    best = &sources.devices[i];
    best_srcc = srcc;
  }
  return *best;
}

}  // namespace

Strategies::Strategies(const World& world) : world_(world), search_(world.space(), world.qualities.front()) {
  const auto& s = world.settings;
  const auto& data = world.loaded->data;
  double begin = processor_seconds();
  const auto lap = [&] {
    const double now = processor_seconds(), spent = now - begin;
    begin = now;
    return spent;
  };
  order_each_ = measurement_order(data.n(), s.seed, 0);
  fold_ = learn_fold(world, {}, 0);
  const auto learned = s.method.settings().learn(*fold_.sources, s.seed);
  few_shot_.emplace(*world.archs, *fold_.sources, s.method.settings(), learned, DesignSettings{}, s.seed, 0);
  order_few_shot_ = few_shot_->measuring_order(s.samples_target);
  std::int64_t of_sources = 0;
  for (const auto& source : fold_.sources->devices) of_sources += source.samples.n();
  double of_few_shot = lap();

  const auto& proxy = proxy_of(s.fleet.proxy, *fold_.sources, *fold_.basis);
  proxy_ = std::make_unique<Sources>(world.features, std::vector<SourceDevice>{proxy});
  const double of_proxy_fit = lap();
  const std::vector<Predictor> proxy_predictor = {predictor_of(*world.features, proxy_->predictors.front())};
  front_ = fronts_of(proxy_predictor).front();
  const double of_front = lap();
  const MethodChoice adaproxy("adaproxy");
  adaproxy_.emplace(*world.archs, *proxy_, adaproxy.settings(), LearnedFromSources{}, DesignSettings{}, s.seed, 0);
  order_adaproxy_ = adaproxy_->measuring_order(s.fleet.samples_adaproxy);
  const double of_adaproxy = lap();

  const std::int64_t of_proxy = proxy.samples.n();
  all_ = {{"each_device", 0, 0},
          {"one_proxy", of_proxy, of_proxy_fit + of_front},
          {"one_proxy_front", of_proxy, of_proxy_fit + of_front},
          {"adaproxy", of_proxy, of_proxy_fit + of_adaproxy},
          {"adaproxy_front", of_proxy, of_proxy_fit + of_adaproxy},
          {"few_shot", of_sources, of_few_shot}};
  if (!s.fleet.optimizer) return;
  make_examples(world, 0, fold_);
  policy_ = trained_policy(
      world, fold_, true,
      train_policy(world.space(), fold_.set.devices, fold_.set.examples, 1, false, s.optimizer.training));
  const double of_optimizer = of_few_shot + lap();
  all_.push_back({"one_pass", of_sources, of_optimizer});
  for (const auto n : s.proposals) all_.push_back({"proposals_" + std::to_string(n), of_sources, of_optimizer});
}

std::vector<Strategies::CandidateFront> Strategies::fronts_of(std::span<const Predictor> predictors) const {
  const int n = world_.settings.fleet.front_points;
  std::vector<double> limits;
  for (const auto& one : predictors) {
    const auto range = fold_.optima->range(one);
    for (int i = 0; i < n; ++i) {
      const double u = static_cast<double>(i) / (n - 1);
      limits.push_back(range.low + u * u * (range.high - range.low));
    }
  }
  auto best = search_.best(predictors, limits, Backend::cpu);
  std::vector<CandidateFront> fronts(predictors.size());
  for (std::size_t i = 0; i < best.size(); ++i) {
    auto& front = fronts[i / n];
    if (best[i].found() && (front.empty() || best[i].choices != front.back().choices))
      front.push_back(std::move(best[i]));
  }
  return fronts;
}

template <class Fit>
Strategies::Fitted Strategies::fit_all(std::span<const FleetDevice> devices, std::span<const std::int64_t> order, int k,
                                       const Fit& fit) const {
  const double begin = processor_seconds();
  Fitted fitted;
  fitted.predictors.resize(devices.size());
  fitted.measurements.assign(devices.size(), 0);
  parallel_for(std::ssize(devices), [&](std::int64_t d) {
    check_interrupt();
    Samples measured;
    for (const auto row : order) {
      if (measured.n() == k) break;
      const auto one = world_.archs->row(row);
      const double latency = devices[d].measure(world_.space(), one);
      ++fitted.measurements[d];
      if (!std::isnan(latency)) measured.add(one, latency);
    }
    fitted.predictors[d] = fit(devices[d].name, std::move(measured));
  });
  fitted.seconds = processor_seconds() - begin;
  return fitted;
}

StrategyOutcome Strategies::exactly(const Fitted& fitted, std::span<const double> limits) const {
  const double begin = processor_seconds();
  StrategyOutcome outcome{search_.best(fitted.predictors, limits, Backend::cpu), fitted.measurements, 0};
  outcome.seconds = fitted.seconds + processor_seconds() - begin;
  return outcome;
}

StrategyOutcome Strategies::by_policy(const Fitted& fitted, std::span<const double> limits, int proposals) const {
  const double begin = processor_seconds();
  const std::size_t n_limits = limits.size() / fitted.predictors.size();
  StrategyOutcome outcome{std::vector<FleetAnswer>(limits.size()), fitted.measurements, 0};
  parallel_for(std::ssize(fitted.predictors), [&](std::int64_t d) {
    check_interrupt();
    const auto device = fold_.set.latency.of(fitted.predictors[d]);
    OptimizerDevice asked;
    asked.coordinates = device.coordinates;
    asked.latency =
        std::make_shared<const Predictor>(in_standard_units(fitted.predictors[d], device.mean, device.deviation));
    const auto range = fold_.optima->range(*asked.latency);
    const AskedDevice ready(policy_->steps(), std::move(asked));
    for (std::size_t l = 0; l < n_limits; ++l) {
      const double limit = device.limit(limits[d * n_limits + l]);
      if (limit < range.low) continue;  // below the cheapest that is predicted
      auto answer = ask(*policy_, ready, {0, limit, {}}, world_.qualities.front(), fold_.optima->spread(0), proposals,
                        world_.settings.seed);
      outcome.answers[d * n_limits + l] = {std::move(answer.choices), device.mean + device.deviation * answer.latency,
                                           answer.quality};
    }
  });
  outcome.seconds = fitted.seconds + processor_seconds() - begin;
  return outcome;
}

void Strategies::along_front(const FleetDevice& device, const CandidateFront& front, bool all_of_it,
                             std::span<FleetAnswer> answers, std::int64_t& measurements) const {
  std::map<std::int64_t, double> measured;  // by place on the front
  const auto measure = [&](std::int64_t place) {
    const auto known = measured.find(place);
    if (known != measured.end()) return known->second;
    return measured[place] = device.measure(world_.space(), front[place].choices);
  };
  for (std::size_t l = 0; l < answers.size(); ++l) {
    const double limit = device.limits_ms[l];
    std::int64_t best = -1;
    if (all_of_it) {
      for (std::int64_t i = 0; i < std::ssize(front); ++i)
        if (measure(i) <= limit && (best < 0 || front[i].quality > front[best].quality)) best = i;
    } else {
      for (std::int64_t low = -1, high = std::ssize(front); high - low > 1;) {
        const std::int64_t middle = low + (high - low) / 2;
        (measure(middle) <= limit ? low = best = middle : high = middle);
      }
    }
    if (best >= 0) answers[l] = {front[best].choices, measured.at(best), front[best].quality};
  }
  measurements += std::ssize(measured);
}

StrategyOutcome Strategies::along_proxy(std::span<const FleetDevice> devices, bool all_of_it) const {
  const double begin = processor_seconds();
  const std::size_t n_limits = world_.settings.limits_at.size();
  StrategyOutcome outcome{std::vector<FleetAnswer>(devices.size() * n_limits),
                          std::vector<std::int64_t>(devices.size(), 0), 0};
  parallel_for(std::ssize(devices), [&](std::int64_t d) {
    along_front(devices[d], front_, all_of_it, std::span(outcome.answers).subspan(d * n_limits, n_limits),
                outcome.measurements[d]);
  });
  outcome.seconds = processor_seconds() - begin;
  return outcome;
}

StrategyOutcome Strategies::along_own(const Fitted& fitted, std::span<const FleetDevice> devices) const {
  const double begin = processor_seconds();
  const std::size_t n_limits = world_.settings.limits_at.size();
  const auto fronts = fronts_of(fitted.predictors);
  StrategyOutcome outcome{std::vector<FleetAnswer>(devices.size() * n_limits), fitted.measurements, 0};
  parallel_for(std::ssize(devices), [&](std::int64_t d) {
    along_front(devices[d], fronts[d], false, std::span(outcome.answers).subspan(d * n_limits, n_limits),
                outcome.measurements[d]);
  });
  outcome.seconds = fitted.seconds + processor_seconds() - begin;
  return outcome;
}

std::vector<StrategyOutcome> Strategies::answer(std::span<const FleetDevice> devices) const {
  const auto& s = world_.settings;
  const auto limits = limits_of(devices);
  const auto adapted_by = [](const LookupTrial& trial) {
    return [&trial](const std::string&, Samples measured) {
      return trial.method().adapt({std::move(measured.choices), std::move(measured.values)})->predictor();
    };
  };
  std::vector<StrategyOutcome> outcomes;
  outcomes.push_back(exactly(
      fit_all(devices, order_each_, s.fleet.samples_each,
              [&](const std::string& name, Samples measured) {
                return predictor_of(
                    *world_.features,
                    fit_source(*world_.features, {name, {std::move(measured.choices), std::move(measured.values)}}));
              }),
      limits));
  outcomes.push_back(along_proxy(devices, false));
  outcomes.push_back(along_proxy(devices, true));
  const auto adaproxy = fit_all(devices, order_adaproxy_, s.fleet.samples_adaproxy, adapted_by(*adaproxy_));
  outcomes.push_back(exactly(adaproxy, limits));
  outcomes.push_back(along_own(adaproxy, devices));
  const auto few_shot = fit_all(devices, order_few_shot_, s.samples_target, adapted_by(*few_shot_));
  outcomes.push_back(exactly(few_shot, limits));
  if (policy_) {
    outcomes.push_back(by_policy(few_shot, limits, 1));
    for (const auto n : s.proposals) outcomes.push_back(by_policy(few_shot, limits, static_cast<int>(n)));
  }
  return outcomes;
}

}  // namespace oneproxy::scaling_up
