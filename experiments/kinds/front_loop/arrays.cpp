#include <algorithm>
#include <functional>

#include "experiments/kinds/front_loop/report.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::front_loop {
namespace {

const std::vector<std::string> kOfRuns = {"targets", "trial", "qualities"};

// One value, or one row of a length, of each run: [targets, trials, qualities (, length)].
class RunArrays {
 public:
  RunArrays(LabelledArrays& arrays, const Task& task, std::string group)
      : arrays_(arrays), task_(task), group_(std::move(group)) {}

  void write(const std::string& name, const About& about, const std::function<double(const Run&)>& value) {
    std::vector<double> values;
    each([&](const Run& run) { values.push_back(value(run)); });
    arrays_.write(group_ + name, values, kOfRuns, about);
  }
  // Rows along `axis`, or along measurements 1, 2, ... where that is "". They are made equally long with their last
  // value, or with NaN.
  enum class Beyond { last, nan };
  void write(const std::string& name, const About& about, const std::string& axis, Beyond beyond,
             const std::function<std::vector<double>(const Run&)>& row) {
    std::vector<std::vector<double>> rows;
    std::size_t length = 0;
    each([&](const Run& run) {
      rows.push_back(row(run));
      length = std::max(length, rows.back().size());
    });
    std::vector<double> values;
    for (auto& one : rows) {
      const double last = beyond == Beyond::last && !one.empty() ? one.back() : kNan;
      one.resize(length, last);
      values.insert(values.end(), one.begin(), one.end());
    }
    auto axes = kOfRuns;
    axes.push_back(axis.empty() ? measurements(name, static_cast<std::int64_t>(length)) : axis);
    arrays_.write(group_ + name, values, axes, about);
  }
  void write_trace(const std::string& name, const std::function<const Trace&(const Run&)>& trace) {
    const auto column = [&](const std::string& what, double Measured::*value, const About& about) {
      write(name + "/" + what, about, "", Beyond::nan, [&](const Run& run) {
        std::vector<double> values;
        for (const auto& one : trace(run)) values.push_back(one.*value);
        return values;
      });
    };
    column("latency_ms", &Measured::latency_ms, {"measured latency", "ms"});
    column("fitted_ms", &Measured::fitted_ms, {"latency as fitted when it was measured", "ms"});
    column("quality", &Measured::quality, {"quality, in its own unit", "1"});
  }

 private:
  void each(const std::function<void(const Run&)>& take) {
    for (const auto& target : task_.targets)
      for (const auto& trial : target.runs)
        for (const auto& run : trial) take(run);
  }
  // The axis of so many measurements in the group of an array, declared with the first array that needs it.
  std::string measurements(const std::string& name, std::int64_t length) {
    const std::string folder = group_ + name.substr(0, name.rfind('/') + 1);
    for (const std::string axis : {"measurement", "measurement_to_the_end"}) {
      if (!arrays_.length_of(folder + axis))
        arrays_.numbered_axis(folder + axis, length, "measurements on the target so far", 1);
      if (arrays_.length_of(folder + axis) == length) return axis;
    }
    ONEPROXY_ASSERT(false && "a third length of one method's rows");
    return "";
  }

  LabelledArrays& arrays_;
  const Task& task_;
  std::string group_;
};

}  // namespace

void write_arrays(LabelledArrays& arrays, const Task& task) {
  const auto& s = task.settings;
  const std::string group = "front_loop/" + s.name + "/";
  std::vector<std::string> names;
  std::vector<double> limits, regret_limits;
  for (const auto& target : task.targets) {
    names.push_back(target.latency.name);
    limits.insert(limits.end(), target.limits.begin(), target.limits.end());
    regret_limits.insert(regret_limits.end(), target.regret_limits.begin(), target.regret_limits.end());
  }
  const auto methods = task.methods();
  arrays.axis(group + "targets", names, {"target device", ""});
  arrays.axis(group + "qualities", s.qualities, {"quality that is maximised", ""});
  arrays.axis(group + "methods", methods, {"way to choose what is measured", ""});
  arrays.axis(group + "measured", s.measured, {"measurements on the target, as reported", "1"});
  arrays.axis(group + "repeats", s.repeats, {"repeated measurements of an answer", "1"});
  arrays.axis(group + "limits_measured", s.limits_measured, {"measurements when limits were all that mattered", "1"});
  arrays.axis(group + "limit_quantiles", s.limits, {"limit as a quantile of the target's latencies", "1"});
  arrays.axis(group + "regret_limit_quantiles", s.regret_limits, {"likewise, of those at which regret is taken", "1"});
  arrays.numbered_axis(group + "trial", s.trials, "repetition with other samples");
  arrays.write(group + "limits_ms", limits, {"targets", "limit_quantiles"}, {"limit on the latency", "ms"});
  arrays.write(group + "regret_limits_ms", regret_limits, {"targets", "regret_limit_quantiles"},
               {"limit on the latency", "ms"});

  RunArrays runs(arrays, task, group);
  const About regret{"regret: quality lost at the limits, in its own unit", "1"};
  runs.write("stop/measurements", {"measurements when the loop would have stopped", "1"},
             [](const Run& run) { return run.stop_measurements; });
  runs.write("stop/gap", {"hypervolume that it lacked then, as a share", "1"},
             [](const Run& run) { return run.stop_gap; });
  runs.write("stop/expected_gain", {"gain that it expected of the next measurement then", "1"},
             [](const Run& run) { return run.stop_expected_gain; });
  runs.write("limits/regret", regret, "limits_measured", RunArrays::Beyond::last,
             [](const Run& run) { return run.limits_regret; });
  runs.write("limits/within", {"share of limits with an answer within", "1"}, "limits_measured",
             RunArrays::Beyond::last, [](const Run& run) { return run.limits_within; });
  runs.write_trace("limits/trace", [](const Run& run) -> const Trace& { return run.limits_trace; });
  const auto scattered = [&](const std::string& what, double Scattered::*value, const About& about) {
    runs.write("scattered/" + what, about, "repeats", RunArrays::Beyond::last, [value](const Run& run) {
      std::vector<double> values;
      for (const auto& one : run.scattered) values.push_back(one.*value);
      return values;
    });
  };
  scattered("broken", &Scattered::broken, {"share of limits broken on a device that scatters", "1"});
  scattered("far_off", &Scattered::far_off, {"share of limits broken by more than 5 %", "1"});
  scattered("regret", &Scattered::regret, regret);
  scattered("measurements", &Scattered::measurements, {"measurements, repeats included", "1"});
  for (std::size_t m = 0; m < methods.size(); ++m) {
    runs.write_trace(methods[m] + "/trace", [m](const Run& run) -> const Trace& { return run.outcomes[m].trace; });
    const auto curve = [&](const std::string& what, std::vector<double> Curve::*values, const About& about) {
      runs.write(methods[m] + "/" + what, about, "", RunArrays::Beyond::last,
                 [&](const Run& run) { return run.outcomes[m].curve.*values; });
    };
    const std::string share = "share of the true front's hypervolume";
    curve("hypervolume", &Curve::hypervolume, {share, "1"});
    curve("regret", &Curve::regret, regret);
    curve("broken", &Curve::broken, {"share of limits broken by the answers", "1"});
    curve("hypervolume_by_fit", &Curve::hypervolume_by_fit, {share + ", by fitted latencies", "1"});
    curve("broken_by_fit", &Curve::broken_by_fit, {"share of limits broken, by fitted latencies", "1"});
  }
}

}  // namespace oneproxy::front_loop
