// What optimising for n devices costs, by the ways there are: measurements and seconds, and what they buy, quality
// lost and limits broken. The O(1) of the seed paper's first figures (Lu et al., "One Proxy Device Is Enough for
// Hardware-Aware Neural Architecture Search", SIGMETRICS 2022), on data.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "experiments/experiment.h"
#include "experiments/kinds/scaling_up/strategies.h"
#include "experiments/kinds/scaling_up/tally.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/train/torch_module.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using namespace scaling_up;

constexpr std::int64_t kChunk = 128;  // devices whose predictors are held at once

// One strategy over the whole fleet.
struct FleetRun {
  Strategy strategy;
  StrategyOutcome outcome;
  std::vector<Verdict> verdicts;           // [n_devices, n_limits]
  std::vector<std::int64_t> measurements;  // [n]
  std::vector<double> seconds;             // [n] of processors
  Tally all, real;
};

struct TaskResult {
  std::unique_ptr<World> world;
  std::unique_ptr<Fleet> fleet;
  std::vector<FleetRun> runs;
  std::string proxy;
  double spread = 0;          // of the quality
  double search_seconds = 0;  // wall clock, of exact search on all true functions in one call
};

class CostOfNDevices : public Experiment {
 public:
  CostOfNDevices(Config& config, std::uint64_t seed) : settings_(read_tasks(config, seed, Kind::cost_of_n_devices)) {}

  std::vector<std::string> spaces() const override { return spaces_of(settings_); }

  void prepare(const Store& store) override {
    if (settings_.empty())
      throw Error("cost_of_n_devices: the configuration has no [[task]] with name, space and qualities");
    for (const auto& task : settings_) {
      results_.emplace_back().world = load_world(store, task);
      check(*results_.back().world);
    }
  }

  void run(Workspace& work) override {
    for (const auto& task : settings_)
      if (task.fleet.optimizer) require_torch();
    for (auto& result : results_) {
      run_task(work, result);
      write_arrays(work, result);
      summarise(work, result);
    }
  }

 private:
  // Finds the targets.
  static void check(World& world) {
    const auto& s = world.settings;
    const std::string place = "task " + s.name + ": ";
    if (s.qualities.size() != 1)
      throw Error(place + "qualities has " + std::to_string(s.qualities.size()) + "; the cost is that of one");
    FleetSearch(world.space(), world.qualities.front());  // Error: a quality without exact answers
    const auto is_source = [&](const std::string& name) {
      return std::find(world.sources.begin(), world.sources.end(), name) != world.sources.end();
    };
    if (!s.fleet.proxy.empty() && !is_source(s.fleet.proxy))
      throw Error(place + "proxy = \"" + s.fleet.proxy + "\" is none of the sources; name one of them");
    if (world.sources.size() < kMinFleetSources)
      throw Error(place + "sources has " + std::to_string(world.sources.size()) + "; there are at least " +
                  std::to_string(kMinFleetSources));
    world.held_out = {world.loaded->data.expand(s.fleet.targets, place + "targets")};
    auto& targets = world.held_out.front();
    if (s.fleet.targets == std::vector<std::string>{"all"}) std::erase_if(targets, is_source);
    for (const auto& name : targets)
      if (is_source(name))
        throw Error(place + "targets: " + name + " is a source too; an answer about it would say nothing");
    const auto size = std::ssize(targets) + s.fleet.generated;
    if (s.fleet.n.empty() || !std::is_sorted(s.fleet.n.begin(), s.fleet.n.end(), std::less_equal<>()))
      throw Error(place + "n is to hold numbers of devices, each larger than the one before");
    if (s.fleet.n.back() > size)
      throw Error(place + "n = " + std::to_string(s.fleet.n.back()) + ": the fleet has " + std::to_string(size) +
                  " devices; lower it, or raise generated");
  }

  static void run_task(Workspace& work, TaskResult& result) {
    const auto& world = *result.world;
    const auto& s = world.settings;
    Timer timer(work.timings, "task " + s.name);
    const Strategies strategies(world);
    result.proxy = strategies.proxy();
    result.spread = strategies.optima().spread(0);
    result.fleet = std::make_unique<Fleet>(world, strategies.optima());
    const std::span<const FleetDevice> devices = result.fleet->devices;
    for (const auto& one : strategies.all()) result.runs.push_back({one, {}, {}, {}, {}, {}, {}});

    Progress progress("answering for " + s.name, std::ssize(devices), "devices");
    std::vector<std::int64_t> spent(result.runs.size());
    std::vector<double> seconds(result.runs.size());
    for (std::size_t r = 0; r < spent.size(); ++r)
      spent[r] = result.runs[r].strategy.once, seconds[r] = result.runs[r].strategy.seconds_once;
    std::size_t next = 0;  // of n
    for (std::int64_t first = 0; first < std::ssize(devices);) {
      check_interrupt();
      std::int64_t count = std::min(kChunk, std::ssize(devices) - first);
      if (next < s.fleet.n.size()) count = std::min(count, s.fleet.n[next] - first);
      const auto outcomes = strategies.answer(devices.subspan(first, count));
      first += count;
      for (std::size_t r = 0; r < outcomes.size(); ++r) {
        auto& all = result.runs[r].outcome;
        const auto& some = outcomes[r];
        all.answers.insert(all.answers.end(), some.answers.begin(), some.answers.end());
        all.measurements.insert(all.measurements.end(), some.measurements.begin(), some.measurements.end());
        for (const auto n : some.measurements) spent[r] += n;
        seconds[r] += some.seconds;
        if (next == s.fleet.n.size() || s.fleet.n[next] != first) continue;
        result.runs[r].measurements.push_back(spent[r]);
        result.runs[r].seconds.push_back(seconds[r]);
        work.timings.add(s.name + ": " + result.runs[r].strategy.name + ", n = " + std::to_string(first), seconds[r]);
      }
      if (next < s.fleet.n.size() && s.fleet.n[next] == first) ++next;
      progress.advance(count);
    }
    judge(strategies.search(), result);
  }

  // One exact search answers what the best at each answer's own latency would have been.
  static void judge(const FleetSearch& search, TaskResult& result) {
    const auto& devices = result.fleet->devices;
    const std::size_t n_limits = devices.front().limits_ms.size(), n_runs = result.runs.size();
    std::vector<Predictor> truths;
    std::vector<double> limits, own;
    for (std::size_t d = 0; d < devices.size(); ++d) {
      truths.push_back(devices[d].truth_ms);
      own.insert(own.end(), devices[d].limits_ms.begin(), devices[d].limits_ms.end());
      for (auto& run : result.runs)
        for (std::size_t l = 0; l < n_limits; ++l) {
          const auto& answer = run.outcome.answers[d * n_limits + l];
          const double limit = devices[d].limits_ms[l];
          Verdict verdict;
          verdict.answered = answer.found();
          verdict.quality = answer.quality;
          if (verdict.answered) predict(truths[d], answer.choices, std::span(&verdict.latency, 1));
          verdict.over = std::max(0.0, verdict.latency / limit - 1);
          limits.push_back(std::max(limit, verdict.latency));
          run.verdicts.push_back(verdict);
        }
    }
    const auto best = search.best(truths, limits, Backend::cpu);
    for (std::size_t d = 0; d < devices.size(); ++d)
      for (std::size_t r = 0; r < n_runs; ++r)
        for (std::size_t l = 0; l < n_limits; ++l) {
          auto& run = result.runs[r];
          auto& verdict = run.verdicts[d * n_limits + l];
          const auto& possible = best[(d * n_runs + r) * n_limits + l];
          if (possible.found()) verdict.regret = std::max(0.0, possible.quality - verdict.quality);
          run.all.add(verdict);
          if (devices[d].real) run.real.add(verdict);
        }
    const auto begin = std::chrono::steady_clock::now();
    search.best(truths, own, Backend::cpu);
    result.search_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  static void write_arrays(Workspace& work, const TaskResult& result) {
    auto& arrays = *work.arrays;
    const auto& world = *result.world;
    const auto& s = world.settings;
    const std::string group = "cost/" + s.name;
    const auto& devices = result.fleet->devices;
    std::vector<std::string> names, strategies;
    std::vector<double> limits, regret, share, over, much_over, unanswered;
    std::vector<std::int64_t> measurements, real;
    for (const auto& device : devices) {
      names.push_back(device.name);
      real.push_back(device.real);
      limits.insert(limits.end(), device.limits_ms.begin(), device.limits_ms.end());
    }
    for (const auto& run : result.runs) {
      strategies.push_back(run.strategy.name);
      measurements.insert(measurements.end(), run.measurements.begin(), run.measurements.end());
      regret.push_back(mean_of(run.all.regret));
      share.push_back(regret.back() / result.spread);
      over.push_back(run.all.share(run.all.over));
      much_over.push_back(run.all.share(run.all.much_over));
      unanswered.push_back(run.all.share(run.all.unanswered));
    }
    const auto& quality = world.qualities.front();
    const std::string unit = quality.unit.empty() ? "1" : quality.unit;
    const std::vector<std::string> by_strategy = {"strategies"}, by_limit = {"devices", "limit"};
    label_space(arrays, world.space(), group);
    arrays.axis(group + "/strategies", strategies, {"way to serve a fleet", ""});
    arrays.axis(group + "/n", s.fleet.n, {"devices of the fleet", "1"});
    arrays.axis(group + "/devices", names, {"device of the fleet", ""});
    arrays.numbered_axis(group + "/limit", std::ssize(devices.front().limits_ms), "limit, of each device its own");
    arrays.write(group + "/measurements", measurements, {"strategies", "n"}, {"measurements, in all", "1"});
    arrays.write(group + "/regret", regret, by_strategy, {"regret: " + quality.label + " lost, mean", unit});
    arrays.write(group + "/regret_share", share, by_strategy, {"regret as a share of (best - median) quality", "1"});
    arrays.write(group + "/over", over, by_strategy, {"share of answers over their limit", "1"});
    arrays.write(group + "/over_5_percent", much_over, by_strategy,
                 {"share of answers over their limit by more than 5 %", "1"});
    arrays.write(group + "/unanswered", unanswered, by_strategy, {"share of limits without an answer", "1"});
    arrays.write(group + "/real", real, {"devices"}, {"1: a measured device, 0: a generated one", "1"});
    arrays.write(group + "/limits_ms", limits, by_limit, {"limit on the latency", "ms"});
    for (const auto& [key, text] :
         {std::pair{"set", world.loaded->data.set()}, {"quality", quality.label}, {"quality_unit", quality.unit}})
      arrays.set_attribute(group, key, text);
    const double none = std::nan("");
    for (const auto& run : result.runs) {
      std::vector<std::uint8_t> choices;
      std::vector<double> predicted, latency, found, lost;
      for (std::size_t i = 0; i < run.verdicts.size(); ++i) {
        const auto& answer = run.outcome.answers[i];
        const auto& verdict = run.verdicts[i];
        const auto one = verdict.answered ? answer.choices : world.space().choices(0);
        choices.insert(choices.end(), one.begin(), one.end());
        predicted.push_back(verdict.answered ? answer.latency : none);
        latency.push_back(verdict.answered ? verdict.latency : none);
        found.push_back(verdict.answered ? verdict.quality : none);
        lost.push_back(verdict.answered ? verdict.regret : none);
      }
      const std::string place = group + "/answers/" + run.strategy.name;
      arrays.write(place + "/choices", choices, {"devices", "limit", "decision"},
                   {"choice of each decision; 0 where nothing was answered", "1"});
      arrays.write(place + "/predicted_ms", predicted, by_limit, {"predicted latency of the answer", "ms"});
      arrays.write(place + "/latency_ms", latency, by_limit, {"true latency of the answer", "ms"});
      arrays.write(place + "/quality", found, by_limit, {quality.label + " of the answer", unit});
      arrays.write(place + "/regret", lost, by_limit, {quality.label + " lost against the best within", unit});
      arrays.write(place + "/measurements", run.outcome.measurements, {"devices"}, {"measurements of the device", "1"});
    }
  }

  static void summarise(Workspace& work, const TaskResult& result) {
    const auto& s = result.world->settings;
    auto& summary = work.summary;
    summary.set("n_devices." + s.name, std::ssize(result.fleet->devices));
    summary.set("proxy." + s.name, result.proxy);
    summary.set("n_real." + s.name, std::int64_t{result.fleet->n_real});
    std::vector<std::string> header = {"measurements"}, time = {"processor seconds"};
    for (const auto n : s.fleet.n)
      for (auto* one : {&header, &time}) one->push_back("n = " + std::to_string(n));
    Table measured(header), took(time);
    Table bought({"", "regret", "of the spread", "over the limit", "over by 5 %", "unanswered", "regret, real",
                  "over the limit, real"});
    for (const auto& run : result.runs) {
      const std::string& name = run.strategy.name;
      std::vector<std::string> counts = {name}, times = {name};
      for (std::size_t i = 0; i < s.fleet.n.size(); ++i) {
        summary.set("measurements." + s.name + "." + name + "." + std::to_string(s.fleet.n[i]), run.measurements[i]);
        counts.push_back(std::to_string(run.measurements[i]));
        times.push_back(brief(run.seconds[i]));
      }
      measured.row(counts);
      took.row(times);
      summarise(summary, s.name + "." + name, "", run.all);
      if (result.fleet->n_real > 0) summarise(summary, s.name + "." + name, "_real", run.real);
      const double regret = mean_of(run.all.regret);
      summary.set("regret_share." + s.name + "." + name, regret / result.spread);
      bought.row({name, brief(regret), percent(regret / result.spread), percent(run.all.share(run.all.over)),
                  percent(run.all.share(run.all.much_over)), percent(run.all.share(run.all.unanswered)),
                  brief(mean_of(run.real.regret)), percent(run.real.share(run.real.over))});
    }
    const auto& quality = result.world->qualities.front();
    const auto n = std::ssize(result.fleet->devices);
    const auto n_limits = std::ssize(s.limits_at);
    work.timings.add(s.name + ": exact search for the fleet, wall clock", result.search_seconds);
    work.report += "## " + s.name + "\n\n" + std::to_string(n) + " devices, the first " +
                   std::to_string(result.fleet->n_real) + " real, the others generated; " + std::to_string(n_limits) +
                   " limits each. Sources: " + std::to_string(result.world->sources.size()) +
                   " devices, whose measurements count once; the proxy is " + result.proxy + ".\n\n" +
                   measured.markdown() + "\n" + took.markdown() + "\nRegret in " + quality.label + " [" + quality.unit +
                   "] at the answer's own latency, and limits broken, over all devices and limits, on the true "
                   "latency function:\n\n" +
                   bought.markdown() + "\nExact search on the true functions, all " + std::to_string(n * n_limits) +
                   " answers in one call: " + fixed(result.search_seconds, 2) + " s, " +
                   brief(1e3 * result.search_seconds / static_cast<double>(n)) + " ms a device.\n\n";
  }

  static void summarise(Summary& summary, const std::string& of, const std::string& which, const Tally& tally) {
    summary.set("regret" + which + "." + of, mean_of(tally.regret));
    summary.set("violations" + which + "." + of, tally.share(tally.over));
    summary.set("violations_5" + which + "." + of, tally.share(tally.much_over));
    summary.set("unanswered" + which + "." + of, tally.share(tally.unanswered));
  }

  std::vector<Settings> settings_;
  std::vector<TaskResult> results_;
};

}  // namespace

std::unique_ptr<Experiment> read_cost_of_n_devices(Config& config, std::uint64_t seed) {
  return std::make_unique<CostOfNDevices>(config, seed);
}

}  // namespace oneproxy
