#include "experiments/kinds/limits_kept/report.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/report/table.h"

namespace oneproxy::limits_kept {
namespace {

constexpr double kNan = Answer::kNan;

// Of answers at one confidence.
struct Tally {
  double kept = 0, far_off = 0, lost = 0, given = 0, lost_in_unit = 0, said = 0, found = 0, asked = 0, compared = 0;

  void add(const Answer& answer, const Answer& without) {
    ++asked;
    if (!answer.found() || std::isnan(answer.latency_ms)) return;
    ++found;
    kept += answer.kept();
    far_off += answer.far_off();
    said += answer.probability;
    if (std::isnan(answer.best_quality)) return;
    ++compared;
    lost += answer.lost();
    lost_in_unit += answer.best_quality - answer.quality;
    given += (without.quality - answer.quality) / std::abs(without.quality);
  }
};

struct Shares {
  double kept = kNan, far_off = kNan, lost = kNan, given = kNan, lost_in_unit = kNan, said = kNan, none = kNan;
};

Shares shares_of(const Tally& t) {
  if (t.asked == 0) return {};
  const auto share = [](double part, double whole) { return whole > 0 ? part / whole : kNan; };
  return {share(t.kept, t.found),           share(t.far_off, t.found),         share(t.lost, t.compared),
          share(t.given, t.compared),       share(t.lost_in_unit, t.compared), share(t.said, t.found),
          share(t.asked - t.found, t.asked)};
}

using Answers = std::vector<std::vector<std::vector<Answer>>>;  // [trials][1 + confidences][limits]

Shares shares_at(const Task& task, Answers Target::*which, std::size_t confidence) {
  Tally tally;
  for (const auto& target : task.targets)
    for (const auto& trial : target.*which)
      for (std::size_t l = 0; l < trial[confidence].size(); ++l) tally.add(trial[confidence][l], trial[0][l]);
  return shares_of(tally);
}

std::string confidence_name(const Settings& s, std::size_t c) {
  return c == 0 ? "0" : key_number(s.confidences[c - 1]);
}

void summarise(Workspace& work, const std::string& key, double value, const char* reason) {
  work.summary.set(key, value);
  if (std::isnan(value)) work.summary.set_reason(key, reason);
}

void summarise(Workspace& work, const std::string& end, const Shares& of, double uncalibrated) {
  constexpr const char* kNothing = "no search found anything";
  summarise(work, "kept." + end, of.kept, kNothing);
  summarise(work, "far_off." + end, of.far_off, kNothing);
  summarise(work, "quality_lost." + end, of.lost, kNothing);
  summarise(work, "quality_given." + end, of.given, kNothing);
  summarise(work, "none." + end, of.none, kNothing);
  summarise(work, "said." + end, of.said, kNothing);
  if (!std::isnan(uncalibrated)) work.summary.set("uncalibrated_kept." + end, uncalibrated);
}

std::string percent(double share) { return std::isnan(share) ? "-" : fixed(100 * share, 1); }

void write_arrays(LabelledArrays& arrays, const Task& task) {
  const auto& s = task.settings;
  const std::string group = "limits_kept/" + s.name + "/";
  std::vector<std::string> names;
  for (const auto& target : task.targets) names.push_back(target.latency.name);
  arrays.axis(group + "targets", names, {"target device", ""});
  arrays.axis(group + "confidences", s.confidences, {"confidence that was asked for", "1"});
  std::vector<double> with_none = {0};
  with_none.insert(with_none.end(), s.confidences.begin(), s.confidences.end());
  arrays.axis(group + "confidence", with_none, {"confidence that was asked for, 0 where none was", "1"});
  arrays.axis(group + "limits", s.limits, {"limit as a quantile of the target's latencies", "1"});
  arrays.numbered_axis(group + "trial", s.trials, "repetition with other samples");
  const std::string unit = task.goal->unit.empty() ? "1" : task.goal->unit, quality = task.goal->label;
  const auto write = [&](const std::string& name, Answers Target::*which) {
    const auto column = [&](const std::string& what, double Answer::*value, const About& about) {
      std::vector<double> values;
      for (const auto& target : task.targets)
        for (const auto& trial : target.*which)
          for (const auto& confidence : trial)
            for (const auto& answer : confidence) values.push_back(answer.*value);
      arrays.write(group + name + "/" + what, values, {"targets", "trial", "confidence", "limits"}, about);
    };
    column("limit_ms", &Answer::limit_ms, {"limit on the latency", "ms"});
    column("predicted_ms", &Answer::predicted_ms, {"predicted latency of the answer", "ms"});
    column("deviation_ms", &Answer::deviation_ms, {"standard deviation of one measurement of the answer", "ms"});
    column("probability", &Answer::probability, {"probability that the answer keeps its limit", "1"});
    column("latency_ms", &Answer::latency_ms, {"measured latency of the answer", "ms"});
    column("quality", &Answer::quality, {quality + " of the answer", unit});
    column("best_quality", &Answer::best_quality, {quality + " of the best within the limit", unit});
  };
  write("calibrated", &Target::calibrated);
  if (s.over == Over::rows) write("uncalibrated", &Target::uncalibrated);
}

std::string headline(const Task& task) {
  const auto& s = task.settings;
  const auto devices = task.targets.front().n_calibrating;
  return s.space + ", set " + s.set + ": " + std::to_string(task.targets.size()) + " targets, " +
         std::to_string(s.samples_target) + " measurements each, " + std::to_string(s.trials) + " trials, " +
         std::to_string(s.limits.size()) + " limits; " + task.goal->label + " over " +
         (s.over == Over::rows ? "the rows of the set"
                               : "the whole space, the truth a fit to all measurements with its residuals") +
         "; " + (devices > 0 ? "calibrated on " + std::to_string(devices) + " source devices" : "stated calibration") +
         ".";
}

}  // namespace

void write_report(Workspace& work, const std::vector<Task>& tasks) {
  const std::size_t n = tasks.front().settings.confidences.size() + 1;
  std::vector<std::vector<Shares>> shares(tasks.size());
  std::vector<std::vector<double>> uncalibrated(tasks.size());
  for (std::size_t t = 0; t < tasks.size(); ++t)
    for (std::size_t c = 0; c < n; ++c) {
      shares[t].push_back(shares_at(tasks[t], &Target::calibrated, c));
      uncalibrated[t].push_back(
          tasks[t].settings.over == Over::rows ? shares_at(tasks[t], &Target::uncalibrated, c).kept : kNan);
    }
  // Over the answers whose truth was measured, of predictors that were calibrated; of all, where there are none.
  const auto counts = [](const Task& task) { return task.settings.over == Over::rows && !task.sources.empty(); };
  const bool any = std::any_of(tasks.begin(), tasks.end(), counts);
  for (std::size_t c = 0; c < n; ++c) {
    Tally all, without;
    for (const auto& task : tasks) {
      if (any && !counts(task)) continue;
      for (const auto& target : task.targets)
        for (int trial = 0; trial < task.settings.trials; ++trial)
          for (std::size_t l = 0; l < task.settings.limits.size(); ++l) {
            all.add(target.calibrated[trial][c][l], target.calibrated[trial][0][l]);
            if (task.settings.over == Over::rows)
              without.add(target.uncalibrated[trial][c][l], target.uncalibrated[trial][0][l]);
          }
    }
    summarise(work, confidence_name(tasks.front().settings, c), shares_of(all), shares_of(without).kept);
  }
  std::vector<std::string> names;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const auto& s = tasks[t].settings;
    names.push_back(s.name);
    Table table({"confidence", "kept, %", "broken by > 5 %", "said, %", "quality lost, %", "lost, in its unit",
                 "against no confidence, %", "found nothing, %", "kept by the posterior as it is, %"});
    for (std::size_t c = 0; c < n; ++c) {
      const auto& own = shares[t][c];
      summarise(work, confidence_name(s, c) + "." + s.name, own, uncalibrated[t][c]);
      table.row({c == 0 ? "none" : confidence_name(s, c), percent(own.kept), percent(own.far_off), percent(own.said),
                 percent(own.lost), brief(own.lost_in_unit), percent(own.given), percent(own.none),
                 percent(uncalibrated[t][c])});
    }
    work.report += "## " + s.name + "\n\n" + headline(tasks[t]) + "\n\n" + table.markdown() + "\n";
    write_arrays(*work.arrays, tasks[t]);
  }
  work.arrays->axis("limits_kept_tasks", names, {"task", ""});
}

}  // namespace oneproxy::limits_kept
