// The neural optimizer on devices that it has not seen: what its answers lose, and how often they break the limit,
// beside exact search on the same adapted predictor and the field's searches.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "experiments/experiment.h"
#include "experiments/kinds/scaling_up/contenders.h"
#include "experiments/kinds/scaling_up/judge.h"
#include "experiments/kinds/scaling_up/tally.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/train/network.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace {

using namespace scaling_up;

constexpr int kCurve = 24;             // queries of a hypervolume
constexpr double kNearestFrom = 1000;  // generated devices that a left-out one is compared with

struct Place {
  std::string quality, truth;
  bool operator<(const Place& other) const { return std::tie(quality, truth) < std::tie(other.quality, other.truth); }
};
using Tallies = std::map<Place, std::map<std::string, Tally>>;  // by contender

struct TaskResult {
  std::unique_ptr<World> world;
  std::vector<std::string> contenders;  // in order
  Tallies tallies;
  std::vector<double> srcc, nearest, distance;        // a target
  double examples_seconds = 0, training_seconds = 0;  // of all folds
  std::int64_t examples = 0;
  int folds = 0, far = 0;
};

class NeuralOptimizer : public Experiment {
 public:
  NeuralOptimizer(Config& config, std::uint64_t seed) : settings_(read_tasks(config, seed, Kind::neural_optimizer)) {}

  std::vector<std::string> spaces() const override { return spaces_of(settings_); }

  void prepare(const Store& store) override {
    if (settings_.empty())
      throw Error("neural_optimizer: the configuration has no [[task]] with name, space and qualities");
    for (const auto& task : settings_) results_.emplace_back().world = open_world(store, task);
  }

  void run(Workspace& work) override {
    require_torch();
    for (auto& result : results_) {
      Timer timer(work.timings, "task " + result.world->settings.name);
      run_task(result);
    }
    for (const auto& result : results_) write(work, result);
  }

 private:
  void run_task(TaskResult& result) {
    const auto& world = *result.world;
    const auto& s = world.settings;
    Progress progress("leaving out devices of " + s.name, std::ssize(world.held_out) * s.trials, "folds");
    for (int trial = 0; trial < s.trials; ++trial)
      for (const auto& group : world.held_out) {
        check_interrupt();
        const Fold fold = make_fold(world, group, trial);
        const auto contenders = make_contenders(world, fold, trial);
        if (result.contenders.empty())
          for (const auto& one : contenders) result.contenders.push_back(one.name);
        result.training_seconds += contenders[1].training_seconds;
        result.examples_seconds += fold.examples_seconds;
        result.examples += std::ssize(fold.set.examples);
        ++result.folds;
        look_at_generator(result, fold);
        std::vector<Tallies> tallies(fold.targets.size());
        parallel_for(std::ssize(fold.targets), [&](std::int64_t i) {
          check_interrupt();
          tallies[i] = judge_target(world, fold, fold.targets[i], contenders);
        });
        for (const auto& one : tallies)
          for (const auto& [place, of] : one)
            for (const auto& [name, tally] : of) result.tallies[place][name].add(tally);
        progress.advance();
      }
  }

  // How near the generated devices come to those that were left out.
  static void look_at_generator(TaskResult& result, const Fold& fold) {
    const DeviceGenerator generator(*fold.basis, result.world->settings.optimizer.data.generator);
    const auto generated = fold.basis->values(generator.draw(static_cast<int>(kNearestFrom), 1));
    for (const auto& target : fold.targets) {
      result.srcc.push_back(target.srcc);
      result.distance.push_back(target.device.distance);
      result.far += fold.set.latency.is_far(target.device);
      std::vector<double> values(fold.basis->n_reference());
      predict(target.truths.front().latency_ms, fold.basis->reference(), values);
      result.nearest.push_back(nearest_srcc(values, generated));
    }
  }

  // All queries about one target and quality, to all contenders, judged by all truths.
  struct Court {
    const World& world;
    const Fold& fold;
    const Target& target;
    int quality;
    Optima::Range range = fold.optima->range(*target.asked.latency);
    std::vector<Judge> judges = {};
    std::vector<double> exact = {};  // [n_limits] quality of exact search on the adapted predictor; NaN: none

    // Empty where the limit is below the cheapest architecture that is predicted.
    std::vector<std::uint8_t> answer(const Contender& contender, const OptimizerQuery& query) const {
      if (query.limit && *query.limit < range.low) return {};
      return contender.answer(target, query, world.settings.seed);
    }

    std::vector<Tally> limits(const Contender& contender) {
      std::vector<Tally> tallies(judges.size());
      for (std::size_t l = 0; l < target.limits_ms.size(); ++l) {
        const double limit = target.limits_ms[l];
        const auto choices = answer(contender, {quality, target.device.limit(limit * (1 + world.settings.leeway)), {}});
        for (std::size_t t = 0; t < judges.size(); ++t) {
          const auto verdict = judges[t].judge(choices, limit);
          tallies[t].add(verdict);
          if (exact.size() == l) exact.push_back(verdict.answered ? verdict.quality : std::nan(""));
          if (verdict.answered && !std::isnan(exact[l]))
            tallies[t].gap.push_back((exact[l] - verdict.quality) / fold.optima->spread(quality));
        }
      }
      return tallies;
    }

    // Shares of the true fronts that a curve of answers reaches.
    std::vector<double> curve(const Contender& contender, bool of_preferences) const {
      std::vector<std::uint8_t> all;
      for (int i = 0; i < kCurve; ++i) {
        const double u = (i + 0.5) / kCurve;
        OptimizerQuery query{quality, std::nullopt, {1 - u, u, 0}};
        if (!of_preferences) query = {quality, range.low + u * u * (range.high - range.low), {}};
        const auto one = answer(contender, query);
        all.insert(all.end(), one.begin(), one.end());
      }
      std::vector<double> shares;
      for (const auto& judge : judges) shares.push_back(judge.hypervolume_share(all));
      return shares;
    }
  };

  static Tallies judge_target(const World& world, const Fold& fold, const Target& target,
                              const std::vector<Contender>& contenders) {
    Tallies tallies;
    for (int q = 0; q < static_cast<int>(world.qualities.size()); ++q) {
      Court court{world, fold, target, q};
      for (const auto& truth : target.truths)
        court.judges.emplace_back(world.space(), *fold.optima, world.qualities[q], q, truth.latency_ms,
                                  world.settings.worst_quality);
      for (const auto& contender : contenders) {
        auto of_truths = court.limits(contender);
        const auto curve = court.curve(contender, false);
        const auto preferred = contender.takes_preferences ? court.curve(contender, true) : std::vector<double>{};
        for (std::size_t t = 0; t < of_truths.size(); ++t) {
          of_truths[t].hypervolume.push_back(curve[t]);
          if (contender.takes_preferences) of_truths[t].preferred.push_back(preferred[t]);
          tallies[{world.settings.qualities[q], target.truths[t].name}][contender.name].add(of_truths[t]);
        }
      }
    }
    return tallies;
  }

  void write(Workspace& work, const TaskResult& result) const {
    const auto& s = result.world->settings;
    auto& summary = work.summary;
    const std::string task = s.name;
    summary.set("srcc_mean." + task, mean_of(result.srcc));
    summary.set("nearest_srcc." + task, mean_of(result.nearest));
    summary.set("distance_mean." + task, mean_of(result.distance));
    summary.set("n_targets." + task, std::ssize(result.srcc));
    summary.set("n_far." + task, std::int64_t{result.far});
    work.report += "## " + task + "\n\n" + std::to_string(std::ssize(result.srcc)) + " held-out devices in " +
                   std::to_string(result.folds) + " folds, " + std::to_string(s.samples_target) +
                   " measurements each: SRCC " + fixed(mean_of(result.srcc), 3) +
                   ". Of 1,000 generated devices the nearest has an SRCC of " + fixed(mean_of(result.nearest), 3) +
                   " with a device that was left out; " + std::to_string(result.far) +
                   " devices are farther out than all that the optimizer was trained on.\n\n";
    for (const auto& [place, of] : result.tallies) {
      Table table({"", "regret", "below exact", "over the limit", "over by 5 %", "quality", "unanswered", "hypervolume",
                   "of preferences"});
      const std::string at = task + "." + last_part(place.quality) + "." + place.truth + ".";
      std::vector<double> regret, over, much_over, volume;
      for (const auto& name : result.contenders) {
        const auto& tally = of.at(name);
        const auto set_mean = [&](const std::string& key, const std::vector<double>& values) {
          summary.set(key + "." + at + name, mean_of(values));
          if (values.empty()) summary.set_reason(key + "." + at + name, "nothing was answered");
        };
        set_mean("regret", tally.regret);
        set_mean("quality", tally.quality);
        set_mean("gap", tally.gap);
        summary.set("violations." + at + name, tally.share(tally.over));
        summary.set("violations_5." + at + name, tally.share(tally.much_over));
        summary.set("unanswered." + at + name, tally.share(tally.unanswered));
        summary.set("hypervolume." + at + name, mean_of(tally.hypervolume));
        if (!tally.preferred.empty()) summary.set("hypervolume_preferences." + at + name, mean_of(tally.preferred));
        table.row({name, brief(mean_of(tally.regret)), percent(mean_of(tally.gap)), percent(tally.share(tally.over)),
                   percent(tally.share(tally.much_over)), brief(mean_of(tally.quality)),
                   percent(tally.share(tally.unanswered)), fixed(mean_of(tally.hypervolume), 4),
                   tally.preferred.empty() ? "-" : fixed(mean_of(tally.preferred), 4)});
        regret.push_back(mean_of(tally.regret));
        over.push_back(tally.share(tally.over));
        much_over.push_back(tally.share(tally.much_over));
        volume.push_back(mean_of(tally.hypervolume));
      }
      work.report += "### " + place.quality + ", latency as " + place.truth + "\n\n" + table.markdown() + "\n";
      const std::string group = "/optimizer/" + task + "/" + last_part(place.quality) + "/" + place.truth;
      auto& arrays = *work.arrays;
      const std::vector<std::string> of_contenders = {"contenders"};
      arrays.axis(group + "/contenders", result.contenders, {"way to answer", ""});
      arrays.write(group + "/regret", regret, of_contenders, {"regret: " + place.quality + " lost, mean", "1"});
      arrays.write(group + "/over", over, of_contenders, {"share of answers over their limit", "1"});
      arrays.write(group + "/over_5_percent", much_over, of_contenders,
                   {"share of answers over their limit by more than 5 %", "1"});
      arrays.write(group + "/hypervolume", volume, of_contenders, {"share of the true front's hypervolume, mean", "1"});
      arrays.set_attribute(group, "quality", place.quality);
    }
  }

  static std::string last_part(const std::string& quality) {
    const auto colon = quality.rfind(':');
    return colon == std::string::npos ? quality : quality.substr(colon + 1);
  }

  std::vector<Settings> settings_;
  std::vector<TaskResult> results_;
};

}  // namespace

std::unique_ptr<Experiment> read_neural_optimizer(Config& config, std::uint64_t seed) {
  return std::make_unique<NeuralOptimizer>(config, seed);
}

}  // namespace oneproxy
