#include <algorithm>
#include <functional>

#include "experiments/kinds/front_loop/report.h"

namespace oneproxy::front_loop {
namespace {

// One value, or one row of a length, of each run: [targets, trials, qualities (, length)].
class RunArrays {
 public:
  RunArrays(H5File& arrays, const Task& task, std::string group)
      : arrays_(arrays), task_(task), group_(std::move(group)) {}

  void write(const std::string& name, const std::function<double(const Run&)>& value) {
    std::vector<double> values;
    each([&](const Run& run) { values.push_back(value(run)); });
    arrays_.write(group_ + name, std::span<const double>(values), shape());
  }
  // Rows are made equally long with their last value, or with NaN.
  enum class Beyond { last, nan };
  void write(const std::string& name, Beyond beyond, const std::function<std::vector<double>(const Run&)>& row) {
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
    auto with_length = shape();
    with_length.push_back(static_cast<std::int64_t>(length));
    arrays_.write(group_ + name, std::span<const double>(values), with_length);
  }
  void write_trace(const std::string& name, const std::function<const Trace&(const Run&)>& trace) {
    const auto column = [&](const std::string& what, double Measured::*value) {
      write(name + "/" + what, Beyond::nan, [&](const Run& run) {
        std::vector<double> values;
        for (const auto& one : trace(run)) values.push_back(one.*value);
        return values;
      });
    };
    column("latency_ms", &Measured::latency_ms);
    column("fitted_ms", &Measured::fitted_ms);
    column("quality", &Measured::quality);
  }

 private:
  void each(const std::function<void(const Run&)>& take) {
    for (const auto& target : task_.targets)
      for (const auto& trial : target.runs)
        for (const auto& run : trial) take(run);
  }
  std::vector<std::int64_t> shape() const {
    return {std::ssize(task_.targets), task_.settings.trials, std::ssize(task_.goals)};
  }

  H5File& arrays_;
  const Task& task_;
  std::string group_;
};

}  // namespace

void write_arrays(H5File& arrays, const Task& task) {
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
  arrays.write(group + "targets", std::span<const std::string>(names));
  arrays.write(group + "qualities", std::span<const std::string>(s.qualities));
  arrays.write(group + "methods", std::span<const std::string>(methods));
  arrays.write(group + "measured", std::span<const std::int64_t>(s.measured));
  arrays.write(group + "repeats", std::span<const std::int64_t>(s.repeats));
  arrays.write(group + "limits_measured", std::span<const std::int64_t>(s.limits_measured));
  const std::int64_t shape[] = {std::ssize(names), std::ssize(s.limits)};
  const std::int64_t regret_shape[] = {std::ssize(names), std::ssize(s.regret_limits)};
  arrays.write(group + "limits_ms", std::span<const double>(limits), shape);
  arrays.write(group + "regret_limits_ms", std::span<const double>(regret_limits), regret_shape);

  RunArrays runs(arrays, task, group);
  runs.write("stop/measurements", [](const Run& run) { return run.stop_measurements; });
  runs.write("stop/gap", [](const Run& run) { return run.stop_gap; });
  runs.write("stop/expected_gain", [](const Run& run) { return run.stop_expected_gain; });
  runs.write("limits/regret", RunArrays::Beyond::last, [](const Run& run) { return run.limits_regret; });
  runs.write("limits/within", RunArrays::Beyond::last, [](const Run& run) { return run.limits_within; });
  runs.write_trace("limits/trace", [](const Run& run) -> const Trace& { return run.limits_trace; });
  const auto scattered = [&](const std::string& what, double Scattered::*value) {
    runs.write("scattered/" + what, RunArrays::Beyond::last, [value](const Run& run) {
      std::vector<double> values;
      for (const auto& one : run.scattered) values.push_back(one.*value);
      return values;
    });
  };
  scattered("broken", &Scattered::broken);
  scattered("far_off", &Scattered::far_off);
  scattered("regret", &Scattered::regret);
  scattered("measurements", &Scattered::measurements);
  for (std::size_t m = 0; m < methods.size(); ++m) {
    runs.write_trace(methods[m] + "/trace", [m](const Run& run) -> const Trace& { return run.outcomes[m].trace; });
    const auto curve = [&](const std::string& what, std::vector<double> Curve::*values) {
      runs.write(methods[m] + "/" + what, RunArrays::Beyond::last,
                 [&](const Run& run) { return run.outcomes[m].curve.*values; });
    };
    curve("hypervolume", &Curve::hypervolume);
    curve("regret", &Curve::regret);
    curve("broken", &Curve::broken);
    curve("hypervolume_by_fit", &Curve::hypervolume_by_fit);
    curve("broken_by_fit", &Curve::broken_by_fit);
  }
}

}  // namespace oneproxy::front_loop
