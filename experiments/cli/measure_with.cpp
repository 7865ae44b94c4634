#include "experiments/cli/measure_with.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <span>

#include "experiments/cli/next_report.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/shell_command.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

constexpr int kAttempts = 2;
constexpr std::size_t kShownFaults = 5;
constexpr std::uint64_t kLargestFile = std::uint64_t{64} << 20;

// Where the command and this program exchange files; it goes with this object.
class ExchangeFolder {
 public:
  ExchangeFolder() {
    std::string pattern = (fs::temp_directory_path() / "oneproxy-next-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw Error(pattern + ": can not be made; set TMPDIR to a folder that is writable");
    path_ = pattern;
  }
  ~ExchangeFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ExchangeFolder(const ExchangeFolder&) = delete;
  ExchangeFolder& operator=(const ExchangeFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

// What is asked for and what has come.
class Batch {
 public:
  Batch(const NextProblem& problem, const std::vector<std::uint8_t>& choices, const std::vector<double>& gains)
      : problem_(problem), choices_(choices), gains_(gains), width_(problem.space().radices().size()) {
    for (std::size_t i = 0; i < choices.size() / width_; ++i) ++wanted_[network(i)];
  }

  // The networks that are wanted still, as a file to fill in.
  std::string to_ask(const std::vector<MeasurementLine>& before) const {
    std::vector<std::uint8_t> choices;
    std::vector<double> gains;
    auto left = wanted_;
    for (std::size_t i = 0; i < choices_.size() / width_; ++i) {
      const auto one = network(i);
      if (left[one] <= 0) continue;
      --left[one];
      choices.insert(choices.end(), one.begin(), one.end());
      if (!gains_.empty()) gains.push_back(gains_[i]);
    }
    auto known = before;
    known.insert(known.end(), lines.begin(), lines.end());
    return to_fill_in(problem_, choices, gains, known);
  }

  // Keeps what is good of an answer; -> what is not.
  std::vector<std::string> take(CheckedLines answer) {
    for (auto& line : answer.lines) {
      const std::string name = problem_.space().to_string(line.choices);
      const auto place = wanted_.find(line.choices);
      if (place == wanted_.end()) {
        answer.faults.push_back(name + " was not asked for");
      } else if (std::any_of(line.values.begin(), line.values.end(), [](double value) { return std::isnan(value); })) {
        answer.faults.push_back(name + " has no value");
      } else {
        --place->second;
        lines.push_back(std::move(line));
      }
    }
    return answer.faults;
  }

  std::int64_t n_missing() const {
    std::int64_t n = 0;
    for (const auto& [choices, left] : wanted_) n += std::max(left, 0);
    return n;
  }
  std::int64_t n_asked() const { return static_cast<std::int64_t>(choices_.size() / width_); }

  void give_up_missing() {
    for (std::size_t i = 0; i < choices_.size() / width_; ++i) {
      const auto one = network(i);
      if (wanted_[one]-- <= 0) continue;
      lines.push_back({one, std::vector(problem_.columns.size(), std::numeric_limits<double>::quiet_NaN()),
                       std::vector<std::string>(problem_.columns.size())});
    }
  }

  std::vector<MeasurementLine> lines;

 private:
  std::vector<std::uint8_t> network(std::size_t i) const {
    return {choices_.begin() + i * width_, choices_.begin() + (i + 1) * width_};
  }

  const NextProblem& problem_;
  const std::vector<std::uint8_t>& choices_;
  const std::vector<double>& gains_;
  std::size_t width_;
  std::map<std::vector<std::uint8_t>, int> wanted_;  // left to come; below 0: more came
};

void warn_of_faults(const std::vector<std::string>& faults) {
  for (std::size_t i = 0; i < std::min(faults.size(), kShownFaults); ++i)
    log_warning("the measuring command: " + faults[i]);
  if (faults.size() > kShownFaults)
    log_warning("the measuring command: " + std::to_string(faults.size() - kShownFaults) + " more faults like these");
}

}  // namespace

MeasuredBatch measure_with(const std::string& command, double timeout_seconds, const NextProblem& problem,
                           const std::vector<std::uint8_t>& choices, const std::vector<double>& gains,
                           const std::vector<MeasurementLine>& before) {
  Batch batch(problem, choices, gains);
  std::string why;
  bool command_failed = false;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    const ExchangeFolder folder;
    const std::string asked = folder / "asked.csv", answer = folder / "measured.csv";
    write_file_atomically(asked, batch.to_ask(before));
    ShellOutcome outcome;
    bool interrupted = false;
    try {
      outcome = run_by_shell(command, {asked, answer}, timeout_seconds);
    } catch (const Interrupted&) {
      interrupted = true;
    }
    if (interrupted && !file_exists(answer)) return {std::move(batch.lines), "", true};
    auto checked = check_measurement_lines(problem.space(), answer, problem.columns, problem.form);
    for (auto& fault : checked.faults)
      if (const auto place = fault.find(answer); place != std::string::npos)
        fault.replace(place, answer.size(), "what it wrote");
    warn_of_faults(batch.take(std::move(checked)));
    if (interrupted) return {std::move(batch.lines), "", true};
    command_failed = !outcome.good();
    if (batch.n_missing() == 0) {
      if (command_failed)
        log_warning("the measuring command " + outcome.describe() + "; all that it should is measured");
      return {std::move(batch.lines), "", false};
    }
    why = (command_failed ? outcome.describe() + ", " : "brought no values: ") + std::to_string(batch.n_missing()) +
          " of " + count_of(batch.n_asked(), "measurement") + " are missing";
    if (attempt < kAttempts) log_warning("the measuring command " + why + "; they are tried once more");
  }
  if (command_failed || batch.lines.empty()) return {std::move(batch.lines), why, false};
  log_warning(count_of(batch.n_missing(), "measurement") + " failed twice and " +
              (batch.n_missing() == 1 ? "counts" : "count") + " as failed");
  batch.give_up_missing();
  return {std::move(batch.lines), "", false};
}

void check_can_append(const std::string& path, const NextProblem& problem) {
  const CsvTable table = read_csv(path);
  const bool all = std::all_of(problem.columns.begin(), problem.columns.end(), [&](const Quantity& one) {
    return table.column(one.name) >= 0 || (one.name != latency_quantity().name && table.column("value") >= 0);
  });
  if (table.delimiter == ',' && table.column("arch") >= 0 && all) return;
  std::string header = "arch";
  for (const auto& one : problem.columns) header += "," + one.name;
  throw Error(path + ": keeps what is measured, so its header should be " + header +
              "; name another file behind it, which is made: --measurements " + shell_word(path) + " kept.csv");
}

namespace {

// As the command wrote it where the file's numbers mean the same, else converted.
std::string text_for_file(const MeasurementLine& line, std::size_t i, const NextProblem& problem) {
  if (std::isnan(line.values[i])) return line.texts[i];
  const bool latency = problem.columns[i].name == latency_quantity().name;
  const double scale = latency && !problem.form.unit.empty() ? to_ms(problem.form.unit) : 1;
  return number_of(line.texts[i]) * scale == line.values[i] ? line.texts[i] : exact(line.values[i] / scale);
}

}  // namespace

void append_measurements(const std::string& path, const NextProblem& problem,
                         const std::vector<MeasurementLine>& lines) {
  change_file_atomically(path, kLargestFile, [&](std::string content) {
    if (content.find_first_not_of(" \t\r\n") == std::string::npos) {
      content = "arch";
      for (const auto& column : problem.columns) content += "," + column.name;
    }
    if (content.back() != '\n') content += '\n';
    const auto header = parse_csv(path, content).columns;
    for (const auto& line : lines) {
      for (std::size_t i = 0; i < header.size(); ++i) {
        if (i > 0) content += ",";
        if (header[i] == "arch") content += csv_field(problem.space().to_string(line.choices));
        for (std::size_t j = 0; j < problem.columns.size(); ++j)
          if (header[i] == problem.columns[j].name || header[i] == "value")
            content += csv_field(text_for_file(line, j, problem));
      }
      content += "\n";
    }
    return content;
  });
}

}  // namespace oneproxy
