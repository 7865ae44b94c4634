#include "experiments/cli/next_command.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>

#include "experiments/cli/measure_with.h"
#include "experiments/cli/new_file.h"
#include "experiments/cli/next_problem.h"
#include "experiments/cli/next_report.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/held_interrupts.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr const char* kMayHoldMeasurements = ", and may hold measurements";

// Of an absent or empty file the first batch is still to be written.
bool has_lines(const std::string& file) {
  std::error_code error;
  return file_exists(file) && std::filesystem::file_size(file, error) > 0;
}

// next2.csv after next.csv or next1.csv: the first that is not there.
std::string file_after(const std::string& file) {
  const std::filesystem::path path(file);
  std::string stem = path.stem().string();
  while (stem.size() > 1 && std::isdigit(static_cast<unsigned char>(stem.back()))) stem.pop_back();
  for (int i = 2;; ++i) {
    const auto next = (path.parent_path() / (stem + std::to_string(i) + path.extension().string())).string();
    if (next != file && !file_exists(next)) return next;
  }
}

// The same question again, without its files.
std::string call_of_next(const NextOptions& options) {
  const NextOptions usual;
  std::string text = call_of("next", options);
  const auto add = [&](const std::string& option, const std::string& value, const std::string& unless) {
    if (value != unless) text += " " + option + " " + shell_word(value);
  };
  add("--unit", options.unit, "");
  add("--direction", options.direction, "");
  add("--also", options.also, "");
  add("--also-unit", options.also_unit, "");
  add("--also-direction", options.also_direction, "");
  if (options.also_sources != usual.also_sources) text += " --also-sources" + shell_words(options.also_sources);
  add("--quality", options.quality, "");
  for (const auto& part : options.fix) add("--fix", part, "");
  add("--limits", join(options.limits, ","), "");
  add("--also-limits", join(options.also_limits, ","), "");
  add("--batch", std::to_string(options.batch), std::to_string(usual.batch));
  add("--floor", plain(options.floor), plain(usual.floor));
  add("--stop-gain", plain(options.stop_gain), plain(usual.stop_gain));
  add("--repeats", std::to_string(options.repeats), std::to_string(usual.repeats));
  add("--budget", std::to_string(options.budget), std::to_string(usual.budget));
  add("--seed", std::to_string(options.seed), std::to_string(usual.seed));
  add("--front", options.front, "");
  return text;
}

void check_options(const NextOptions& options) {
  const auto& files = options.measurements;
  if (!options.front.empty() &&
      (options.front == options.out || std::find(files.begin(), files.end(), options.front) != files.end()))
    throw Error("--front " + options.front + ": is the name of another file of this call; give the front its own");
  if (!options.measure_with.empty()) {
    if (options.measurements.empty())
      throw Error("--measure-with: name the file that keeps what is measured, --measurements FILE.csv");
    const AtomicPath can_be_written(files.back());  // an error before anything is measured
    return;
  }
  require_new_file(options.out, options.force, kMayHoldMeasurements);
}

void check_unit(const NextOptions& options, const NextProblem& problem, const std::vector<MeasurementLine>& lines,
                const std::vector<std::string>& files) {
  if (!options.unit.empty() || !options.metric.empty()) return;
  std::vector<double> latency_ms;
  for (const auto& line : lines) latency_ms.push_back(line.values[0]);
  check_unit_beside_store(latency_ms, options.store.empty() ? shipped_store() : options.store, problem.space(),
                          join(files));
}

std::vector<MeasurementLine> lines_so_far(const NextOptions& options, const NextProblem& problem) {
  std::vector<std::string> files = options.measurements;
  if (!options.measure_with.empty()) {
    if (has_lines(files.back()))
      check_can_append(files.back(), problem);
    else
      files.pop_back();
  }
  std::vector<std::string> remarks;
  auto lines = read_measurement_lines(problem.space(), files, problem.columns, problem.form, remarks);
  warn_of_files(remarks);
  check_unit(options, problem, lines, files);
  // "nan" or -1 is an answer, that a measurement failed; nothing at all is a file that was not filled in.
  const auto filled_in = [](const MeasurementLine& line) {
    return std::any_of(line.texts.begin(), line.texts.end(), [](const std::string& text) { return !text.empty(); });
  };
  if (!lines.empty() && std::none_of(lines.begin(), lines.end(), filled_in))
    throw Error(join(files) + ": no line has a " + problem.columns[0].name +
                " yet; fill them in, or leave --measurements out to begin");
  return lines;
}

// What a person does next.
std::string ask_person(const NextOptions& options, const NextProblem& problem, const LoopStep& step,
                       const std::vector<MeasurementLine>& lines) {
  const auto n = std::ssize(step.measure) / problem.space().n_decisions();
  if (n == 0) return "nothing more to measure: no " + options.out + " is written\n";
  require_new_file(options.out, options.force, kMayHoldMeasurements);  // nor one that came meanwhile
  write_file_atomically(options.out, to_fill_in(problem, step.measure, step.gains, lines));
  std::string columns;
  for (const auto& column : problem.columns) columns += (columns.empty() ? "" : " and ") + column.name;
  auto files = options.measurements;
  files.push_back(options.out);
  return options.out + ": " + count_of(n, "measurement") + " to make, most wanted first; fill in " + columns +
         " (empty: it failed). Then:\n  " + call_of_next(options) + " --measurements" + shell_words(files) + " --out " +
         shell_word(file_after(options.out)) + "\n";
}

// What the command has measured so far, and that one may go on.
std::string where_it_stands(const std::string& file, std::size_t n_lines) {
  return n_lines == 0
             ? "nothing is measured yet; the same command begins again"
             : file + " holds " + count_of(n_lines, "measurement") + ", and the same command goes on from there";
}

class MeasuringLoop {
 public:
  MeasuringLoop(const NextOptions& options, const NextProblem& problem, FrontLoop& loop,
                std::vector<MeasurementLine>& lines)
      : options_(options), problem_(problem), loop_(loop), lines_(lines), file_(options.measurements.back()) {}

  // Until there is nothing to measure.
  void run(LoopStep& step) {
    try {
      measure_all(step);
    } catch (const Interrupted&) {
      throw Interrupted("interrupted: " + where_it_stands(file_, lines_.size()));
    }
  }

 private:
  void measure_all(LoopStep& step) {
    const std::size_t width = problem_.space().n_decisions();
    for (int number = 1; !step.measure.empty(); ++number) {
      say(number, step, step.measure.size() / width);
      measure(step);
      step = loop_.step();
    }
  }

  void say(int number, const LoopStep& step, std::size_t n) const {
    log_info("batch " + std::to_string(number) + " (" + to_string(step.phase) + "): " + count_of(n, "measurement") +
             " asked for, " + std::to_string(lines_.size()) + " made" +
             (std::isnan(step.expected_gain) ? "" : ", expected gain " + fixed(100 * step.expected_gain, 2) + " %"));
  }

  void measure(const LoopStep& step) {
    const HeldInterrupts held;  // what was measured is written down first
    const auto batch =
        measure_with(options_.measure_with, options_.timeout, problem_, step.measure, step.gains, lines_);
    if (!batch.lines.empty()) append_measurements(file_, problem_, batch.lines);
    for (const auto& line : batch.lines) loop_.tell(line.choices, line.values);
    lines_.insert(lines_.end(), batch.lines.begin(), batch.lines.end());
    if (batch.interrupted) throw Interrupted();
    if (!batch.failure.empty())
      throw Error("--measure-with " + options_.measure_with + " failed twice: " + batch.failure + "; " +
                  where_it_stands(file_, lines_.size()));
  }

  const NextOptions& options_;
  const NextProblem& problem_;
  FrontLoop& loop_;
  std::vector<MeasurementLine>& lines_;
  std::string file_;
};

}  // namespace

std::string next_measurements(const NextOptions& options) {
  check_options(options);
  const auto problem = next_problem(options);
  auto lines = lines_so_far(options, problem);
  FrontLoop loop(problem.loop, problem.settings);
  for (const auto& line : lines) loop.tell(line.choices, line.values);
  auto step = loop.step();
  std::string end;
  if (options.measure_with.empty())
    end = ask_person(options, problem, step, lines);
  else
    MeasuringLoop(options, problem, loop, lines).run(step);
  warn_of_step(step, lines);
  if (!options.front.empty()) write_front(problem, step, options.front);
  return describe_step(problem, step) + end;
}

}  // namespace oneproxy
