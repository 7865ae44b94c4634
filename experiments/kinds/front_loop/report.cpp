#include "experiments/kinds/front_loop/report.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/report/table.h"

namespace oneproxy::front_loop {
namespace {

constexpr double kWithin = 0.01;          // gap of a run that stopped where it should
constexpr double kNearly = 0.99;          // of the hypervolume
constexpr std::int64_t kAll = 1'000'000;  // of a curve: its end

// Runs of one task or of several, of which means are taken.
class Runs {
 public:
  explicit Runs(std::vector<const Task*> tasks) : tasks_(std::move(tasks)) {}

  const Task& first() const { return *tasks_.front(); }
  bool one_unit() const {
    return std::all_of(tasks_.begin(), tasks_.end(),
                       [&](const Task* task) { return task->goals.front()->unit == first().goals.front()->unit; });
  }
  using Value = std::function<double(const Run&)>;
  // What is NaN is left out.
  double mean(const Value& of) const {
    std::vector<double> values;
    for (const auto* task : tasks_)
      for (const auto& target : task->targets) collect(target, of, values);
    return mean_of(values);
  }
  double median(const Value& of) const {
    std::vector<double> values;
    for (const auto* task : tasks_)
      for (const auto& target : task->targets) collect(target, of, values);
    return median_of(values);
  }
  // The least of the targets' means.
  double worst(const Value& of) const {
    double least = kNan;
    for (const auto* task : tasks_)
      for (const auto& target : task->targets) {
        std::vector<double> values;
        collect(target, of, values);
        least = std::fmin(least, mean_of(values));
      }
    return least;
  }
  static double mean_of(const std::vector<double>& values) { return statistics(values).mean; }

 private:
  static void collect(const Target& target, const Value& of, std::vector<double>& values) {
    for (const auto& trial : target.runs)
      for (const auto& run : trial) values.push_back(of(run));
  }
  std::vector<const Task*> tasks_;
};

double at(const std::vector<double>& curve, std::int64_t n) { return curve[std::min(n, std::ssize(curve)) - 1]; }

Runs::Value curve_at(std::size_t method, std::vector<double> Curve::*which, std::int64_t n) {
  return [=](const Run& run) { return at(run.outcomes[method].curve.*which, n); };
}

// Measurements until `nearly` all of the hypervolume; infinite where it is never reached.
double measurements_to(const Curve& curve) {
  for (std::size_t n = 0; n < curve.hypervolume.size(); ++n)
    if (curve.hypervolume[n] >= kNearly) return static_cast<double>(n + 1);
  return std::numeric_limits<double>::infinity();
}
double median_to_nearly_all(const Runs& runs, std::size_t method) {
  const double median = runs.median([&](const Run& run) { return measurements_to(run.outcomes[method].curve); });
  return std::isinf(median) ? kNan : median;
}

bool predicts(const Task& task, std::size_t method) { return method > 0 && method + 1 < task.methods().size(); }
double measured_in_all(const Runs& runs, std::size_t method) {
  return runs.mean([&](const Run& run) { return static_cast<double>(run.outcomes[method].trace.size()); });
}
Runs::Value unchecked(std::size_t method, double Unchecked::*which) {
  return [=](const Run& run) { return run.outcomes[method].unchecked.*which; };
}
Runs::Value scattered(std::size_t repeats, double Scattered::*which) {
  return [=](const Run& run) { return run.scattered[repeats].*which; };
}
// Little gain was expected; else it went to the end, or two batches gained little.
bool stopped_by_gain(const Runs& runs, const Run& run) {
  return run.stop_expected_gain < runs.first().settings.stop_gain;
}
double stop_within(const Runs& runs) {
  return runs.mean([](const Run& run) { return run.stop_gap <= kWithin ? 1.0 : 0.0; });
}

class Summariser {
 public:
  Summariser(Summary& summary, const Runs& runs, std::string end)
      : summary_(summary), runs_(runs), end_(std::move(end)) {}

  void write() {
    const auto& s = runs_.first().settings;
    const auto methods = runs_.first().methods();
    for (std::size_t m = 0; m < methods.size(); ++m) {
      for (const auto n : s.measured) curves(m, methods[m] + "." + std::to_string(n), n);
      set("measurements_to_99." + methods[m], median_to_nearly_all(runs_, m),
          "more than half of the runs never reach it");
      if (!predicts(runs_.first(), m)) continue;
      curves(m, methods[m] + ".all", kAll);
      set("measurements." + methods[m], measured_in_all(runs_, m), "");
      const char* const none = "no answer within a limit";
      set("unchecked_broken." + methods[m], runs_.mean(unchecked(m, &Unchecked::broken)), none);
      set("unchecked_broken_by_fit." + methods[m], runs_.mean(unchecked(m, &Unchecked::broken_by_fit)), none);
      in_unit("unchecked_regret." + methods[m], runs_.mean(unchecked(m, &Unchecked::regret)));
    }
    for (std::size_t i = 0; i < s.limits_measured.size(); ++i) {
      const auto n = std::to_string(s.limits_measured[i]);
      in_unit("limits_regret." + n, runs_.mean([i](const Run& run) { return run.limits_regret[i]; }));
      set("limits_within." + n, runs_.mean([i](const Run& run) { return run.limits_within[i]; }), "");
    }
    for (std::size_t i = 0; i < s.repeats.size(); ++i) {
      const auto n = std::to_string(s.repeats[i]);
      const char* const none = "no answer within a limit";
      set("scattered_broken." + n, runs_.mean(scattered(i, &Scattered::broken)), none);
      set("scattered_far_off." + n, runs_.mean(scattered(i, &Scattered::far_off)), none);
      in_unit("scattered_regret." + n, runs_.mean(scattered(i, &Scattered::regret)));
      set("scattered_measurements." + n, runs_.mean(scattered(i, &Scattered::measurements)), none);
    }
    set("stop_gap", runs_.mean([](const Run& run) { return run.stop_gap; }), "");
    set("stop_measurements", runs_.mean([](const Run& run) { return run.stop_measurements; }), "");
    set("stop_within", stop_within(runs_), "");
    const auto by_gain = [this](const Run& run) { return stopped_by_gain(runs_, run); };
    set("stop_by_gain", runs_.mean([&](const Run& run) { return by_gain(run) ? 1.0 : 0.0; }), "");
    set("stop_by_gain_gap", runs_.mean([&](const Run& run) { return by_gain(run) ? run.stop_gap : kNan; }),
        "no run stopped by its expected gain");
  }

 private:
  void curves(std::size_t method, const std::string& key, std::int64_t n) {
    const char* const none = "no network within a limit";
    set("hypervolume." + key, runs_.mean(curve_at(method, &Curve::hypervolume, n)), "");
    set("worst." + key, runs_.worst(curve_at(method, &Curve::hypervolume, n)), "");
    in_unit("regret." + key, runs_.mean(curve_at(method, &Curve::regret, n)));
    set("broken." + key, runs_.mean(curve_at(method, &Curve::broken, n)), none);
    set("hypervolume_by_fit." + key, runs_.mean(curve_at(method, &Curve::hypervolume_by_fit, n)), "");
    set("broken_by_fit." + key, runs_.mean(curve_at(method, &Curve::broken_by_fit, n)), none);
  }
  void set(const std::string& key, double value, const char* reason) {
    summary_.set(key + end_, value);
    if (std::isnan(value)) summary_.set_reason(key + end_, reason);
  }
  void in_unit(const std::string& key, double value) {
    set(key, runs_.one_unit() ? value : kNan, "the tasks' qualities have different units; see each task");
  }

  Summary& summary_;
  const Runs& runs_;
  std::string end_;
};

std::string headline(const Task& task) {
  const auto& s = task.settings;
  std::string qualities;
  for (const auto& goal : task.goals) qualities += (qualities.empty() ? "" : ", ") + goal->label;
  return s.space + ", set " + s.set + ": " + std::to_string(task.targets.size()) + " targets, " +
         std::to_string(s.trials) + " trials; " + qualities + " [" + task.goals.front()->unit + "] over " +
         (s.over == Over::rows ? "the rows of the set" : "the whole space, the truth a fit to all measurements") + ".";
}

std::string percent(double share) { return std::isnan(share) ? "-" : fixed(100 * share, 1); }

std::string fronts_table(const Runs& runs) {
  const Task& task = runs.first();
  Table table({"method", "measured", "hypervolume", "worst device", "regret", "above their limit, %",
               "hypervolume by the fit", "above it by the fit, %", "measurements to .99"});
  const auto methods = task.methods();
  for (std::size_t m = 0; m < methods.size(); ++m) {
    const double to_99 = median_to_nearly_all(runs, m);
    const auto line = [&](const std::string& measured, std::int64_t n) {
      table.row({methods[m], measured, fixed(runs.mean(curve_at(m, &Curve::hypervolume, n)), 4),
                 fixed(runs.worst(curve_at(m, &Curve::hypervolume, n)), 4),
                 brief(runs.mean(curve_at(m, &Curve::regret, n))), percent(runs.mean(curve_at(m, &Curve::broken, n))),
                 fixed(runs.mean(curve_at(m, &Curve::hypervolume_by_fit, n)), 4),
                 percent(runs.mean(curve_at(m, &Curve::broken_by_fit, n))), std::isnan(to_99) ? "-" : plain(to_99)});
    };
    for (const auto n : task.settings.measured) line(std::to_string(n), n);
    if (predicts(task, m)) line("all: " + fixed(measured_in_all(runs, m), 1), kAll);
  }
  return table.markdown();
}

std::string limits_table(const Runs& runs) {
  const auto& s = runs.first().settings;
  Table table({"measured for the limits", "regret", "limits within " + plain(s.within) + ", %"});
  for (std::size_t i = 0; i < s.limits_measured.size(); ++i)
    table.row({std::to_string(s.limits_measured[i]),
               brief(runs.mean([i](const Run& run) { return run.limits_regret[i]; })),
               percent(runs.mean([i](const Run& run) { return run.limits_within[i]; }))});
  return table.markdown();
}

std::string scattered_table(const Runs& runs) {
  const auto& repeats = runs.first().settings.repeats;
  Table table({"device that scatters, each answer measured", "above their limit, %", "by more than 5 %", "regret",
               "measurements"});
  for (std::size_t i = 0; i < repeats.size(); ++i)
    table.row({std::to_string(repeats[i]) + (repeats[i] == 1 ? " time" : " times"),
               percent(runs.mean(scattered(i, &Scattered::broken))),
               percent(runs.mean(scattered(i, &Scattered::far_off))),
               brief(runs.mean(scattered(i, &Scattered::regret))),
               fixed(runs.mean(scattered(i, &Scattered::measurements)), 1)});
  return table.markdown();
}

std::string unchecked_table(const Runs& runs) {
  Table table({"answered without measuring", "above their limit, %", "by the fit, %", "regret"});
  const auto methods = runs.first().methods();
  for (std::size_t m = 0; m < methods.size(); ++m)
    if (predicts(runs.first(), m))
      table.row({methods[m], percent(runs.mean(unchecked(m, &Unchecked::broken))),
                 percent(runs.mean(unchecked(m, &Unchecked::broken_by_fit))),
                 brief(runs.mean(unchecked(m, &Unchecked::regret)))});
  return table.markdown();
}

std::string targets_table(const Task& task) {
  const auto& measured = task.settings.measured;
  std::vector<std::string> header = {"target"};
  for (const auto n : measured) header.push_back("loop, " + std::to_string(n));
  header.insert(header.end(), {"regret, " + std::to_string(measured.back()), "stopped at", "lacked there"});
  Table table(header);
  for (const auto& target : task.targets) {
    const auto mean = [&](const Runs::Value& of) {
      std::vector<double> values;
      for (const auto& trial : target.runs)
        for (const auto& run : trial) values.push_back(of(run));
      return Runs::mean_of(values);
    };
    std::vector<std::string> row = {target.latency.name};
    for (const auto n : measured) row.push_back(fixed(mean(curve_at(0, &Curve::hypervolume, n)), 4));
    row.push_back(brief(mean(curve_at(0, &Curve::regret, measured.back()))));
    row.push_back(fixed(mean([](const Run& run) { return run.stop_measurements; }), 1));
    row.push_back(fixed(mean([](const Run& run) { return run.stop_gap; }), 4));
    table.row(row);
  }
  return table.markdown();
}

}  // namespace

void write_report(Workspace& work, const std::vector<Task>& tasks) {
  // Over the tasks whose truth was measured; over all, where there are none.
  std::vector<const Task*> counted;
  for (const auto& task : tasks)
    if (task.settings.over == Over::rows) counted.push_back(&task);
  if (counted.empty())
    for (const auto& task : tasks) counted.push_back(&task);
  const Runs all(counted);
  Summariser(work.summary, all, "").write();
  work.report +=
      "Hypervolume: share of the true front's, in the box from the median quality up to the latency of its slowest "
      "network. Regret: quality lost at limits (quantiles of the target's latencies), mean. By the fit: of the same "
      "networks, with latencies by a fit to all of the target's measurements: of those that win by a single "
      "measurement "
      "some were lucky.\n\n";
  std::vector<std::string> names;
  for (const auto& task : tasks) {
    const Runs runs({&task});
    names.push_back(task.settings.name);
    Summariser(work.summary, runs, "." + task.settings.name).write();
    work.report += "## " + task.settings.name + "\n\n" + headline(task) + "\n\n" + fronts_table(runs) + "\n" +
                   limits_table(runs) + "\n" + scattered_table(runs) + "\n" + unchecked_table(runs) +
                   "\nThe loop would have stopped after " +
                   fixed(runs.mean([](const Run& run) { return run.stop_measurements; }), 1) +
                   " measurements, lacking " + fixed(runs.mean([](const Run& run) { return run.stop_gap; }), 4) +
                   " of its box (from the floor up) on average, at most " + plain(kWithin) + " in " +
                   percent(stop_within(runs)) + " % of the runs.\n\n" + targets_table(task) + "\n";
    write_arrays(*work.arrays, task);
    work.timings.add(task.settings.name + ": a loop of " + std::to_string(task.longest()) + " measurements, mean",
                     runs.mean([](const Run& run) { return run.seconds; }));
  }
  work.arrays->axis("front_loop_tasks", names, {"task", ""});
}

}  // namespace oneproxy::front_loop
