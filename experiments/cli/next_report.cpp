#include "experiments/cli/next_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <span>

#include "oneproxy/engine/adapt/workflow/plan.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/report/table.h"

namespace oneproxy {
namespace {

// Five digits that matter: accuracies differ in the fourth.
std::string figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.5g", value);
  return text;
}

std::string percent(double share) { return fixed(100 * share, std::abs(share) < 0.1 ? 2 : 1) + " %"; }

std::string with_unit(double value, const Quantity& quantity) {
  return figure(value) + (quantity.unit.empty() ? "" : " " + quantity.unit);
}

// With the deviation of a quality that is predicted itself.
std::string quality_text(const MeasuredNetwork& network) {
  return figure(network.quality) +
         (network.quality_deviation > 0 ? " +- " + brief(network.quality_deviation) : std::string());
}

std::string heading(const std::string& name, const Quantity& quantity) {
  return name + (quantity.unit.empty() ? "" : " [" + quantity.unit + "]");
}

// "latency <= 25 ms and energy <= 40 mJ"
std::string limit_text(const NextProblem& problem, const std::vector<double>& limit) {
  std::string text;
  for (std::size_t i = 0; i < limit.size(); ++i) {
    const auto& quantity = problem.columns[i];
    if (!std::isnan(limit[i]))
      text += (text.empty() ? "" : " and ") + quantity.label + (quantity.maximised() ? " >= " : " <= ") +
              plain(limit[i]) + (quantity.unit.empty() ? "" : " " + quantity.unit);
  }
  return text;
}

// "11.2 ms, 73.1 % cifar100, measured 3 times: |...|"
std::string network_text(const NextProblem& problem, const MeasuredNetwork& network) {
  std::string text;
  for (std::size_t i = 0; i < network.values.size(); ++i)
    text += with_unit(network.values[i], problem.columns[i]) + ", ";
  const auto& quality = problem.loop.quality;
  return text + quality.name + " " + quality_text(network) + (quality.unit.empty() ? "" : " " + quality.unit) +
         ", measured " + (network.repeats == 1 ? "once" : std::to_string(network.repeats) + " times") + ": " +
         problem.space().to_string(network.choices);
}

std::string answer_text(const NextProblem& problem, const LimitAnswer& answer) {
  const std::string limit = limit_text(problem, answer.limit);
  if (answer.found) return limit + ": " + network_text(problem, answer.network) + "\n";
  if (answer.network.choices.empty()) return limit + ": nothing is measured yet\n";
  return limit + ": no measured network keeps it; the nearest has " + network_text(problem, answer.network) + "\n";
}

bool is_answer(const LimitAnswer& answer, const MeasuredNetwork& network) {
  return answer.found && answer.network.choices == network.choices;
}

}  // namespace

std::string to_fill_in(const NextProblem& problem, const std::vector<std::uint8_t>& choices,
                       const std::vector<double>& gains, const std::vector<MeasurementLine>& lines) {
  const auto& space = problem.space();
  const std::size_t decisions = space.radices().size(), n = choices.size() / decisions;
  std::map<std::vector<std::uint8_t>, int> repeats;
  for (const auto& line : lines) ++repeats[line.choices];
  std::vector<double> quality(n);
  problem.loop.quality.evaluate(choices, quality);
  std::string text = "arch,";
  for (const auto& column : problem.columns) text += column.name + ",";
  text += "repeat,order,index,quality,gain,macs,decisions\n";
  for (std::size_t i = 0; i < n; ++i) {
    const auto one = std::span(choices).subspan(i * decisions, decisions);
    text += csv_field(space.to_string(one)) + std::string(1 + problem.columns.size(), ',') +
            std::to_string(++repeats[{one.begin(), one.end()}]) + "," + std::to_string(i + 1) + "," +
            to_decimal(space.index(one)) + "," + figure(quality[i]) + "," +
            (gains.empty() || std::isnan(gains[i]) ? "" : brief(gains[i])) + "," +
            (space.has_costs() ? brief(space.cost(one).macs) : "") + "," + csv_field(decisions_in_words(space, one)) +
            "\n";
  }
  return text;
}

void write_front(const NextProblem& problem, const LoopStep& step, const std::string& path) {
  const auto& space = problem.space();
  OutputFile out(path);
  std::string header = "arch";
  for (const auto& column : problem.columns) header += "," + column.name;
  out.write(header + ",repeats,quality,index,answers\n");
  for (const auto& network : step.front) {
    std::string text = csv_field(space.to_string(network.choices)), answers;
    for (const double value : network.values) text += "," + exact(value);
    for (const auto& answer : step.answers)
      if (is_answer(answer, network)) answers += (answers.empty() ? "" : "; ") + limit_text(problem, answer.limit);
    out.write(text + "," + std::to_string(network.repeats) + "," + exact(network.quality) + "," +
              to_decimal(space.index(network.choices)) + "," + csv_field(answers) + "\n");
  }
  out.finish();
}

std::string describe_step(const NextProblem& problem, const LoopStep& step) {
  const auto& quality = problem.loop.quality;
  std::string text = "phase " + std::string(to_string(step.phase)) + ": " +
                     count_of(step.n_measurements, "measurement") + " of " + count_of(step.n_measured, "network") +
                     "; " + problem.loop.candidates->describe() + "\nstart: " + step.start + "\n";
  if (!step.front.empty()) {
    std::vector<std::string> header = {"architecture"};
    for (const auto& column : problem.columns) header.push_back(heading(column.label, column));
    header.push_back("measured");
    header.push_back(heading(quality.name, quality));
    Table table(header);
    for (const auto& network : step.front) {
      std::vector<std::string> cells = {problem.space().to_string(network.choices)};
      for (const double value : network.values) cells.push_back(figure(value));
      cells.push_back(std::to_string(network.repeats));
      cells.push_back(quality_text(network));
      table.row(std::move(cells));
    }
    text += "\nFront of what is measured (medians of repeats):\n" + table.markdown() + "\n";
  }
  for (const auto& answer : step.answers) text += answer_text(problem, answer);
  if (!std::isnan(step.expected_gain))
    text += "expected gain of going on: " + percent(step.expected_gain) +
            (std::isnan(step.recent_gain) ? "" : "; the last two batches gained " + percent(step.recent_gain)) + "\n";
  if (!step.why_stop.empty()) text += "stop: " + step.why_stop + "\n";
  return text;
}

void warn_of_step(const LoopStep& step, const std::vector<MeasurementLine>& lines) {
  for (const auto& remark : step.remarks) log_warning(remark.text);
  std::int64_t failed = 0;
  for (const auto& line : lines)
    failed += std::any_of(line.values.begin(), line.values.end(), [](double value) { return std::isnan(value); });
  if (failed > 0)
    log_warning(count_of(failed, "line") +
                (failed == 1 ? " has no value and counts as failed" : " have no value and count as failed"));
}

}  // namespace oneproxy
