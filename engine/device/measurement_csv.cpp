#include "oneproxy/engine/device/measurement_csv.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>

#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/device/latency_range.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const std::string kHeader = "the header should be arch,latency_ms[,repeat]; `oneproxy plan` writes such a file";
// The last four are of a plan, for people.
const std::vector<std::string> kColumns = {"arch", "latency_ms", "repeat", "order", "index", "decisions", "macs"};

CsvTable open(const std::string& file, bool latencies) {
  const CsvTable table = read_csv(file);
  for (const char* needed : {"arch", "latency_ms"})
    if (table.column(needed) < 0 && (latencies || std::string(needed) == "arch"))
      throw Error(file + ": has no column '" + needed + "'; " + kHeader);
  for (const auto& column : table.columns)
    if (std::find(kColumns.begin(), kColumns.end(), column) == kColumns.end())
      throw Error(file + ": unknown column '" + column + "'; " + kHeader);
  return table;
}

// Its measurements would count twice, as repeats without noise.
void check_distinct(const std::vector<std::string>& files) {
  for (std::size_t i = 0; i < files.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (std::error_code code; files[i] == files[j] || std::filesystem::equivalent(files[i], files[j], code))
        throw Error(files[i] + ": is given twice; name each file of measurements once");
}

// Numbers the architectures of the files, each once.
class DistinctArchitectures {
 public:
  explicit DistinctArchitectures(const SearchSpace& space) : space_(space) {}

  std::size_t number_of(const CsvTable& table, std::size_t row) {
    std::vector<std::uint8_t> choices;
    try {
      choices = space_.parse(table.rows[row][table.column("arch")]);
    } catch (const Error& error) {
      throw Error(table.location(row) + ": " + error.what());
    }
    const auto [found, fresh] = numbers_.emplace(choices, numbers_.size());
    if (fresh) all_.insert(all_.end(), choices.begin(), choices.end());
    return found->second;
  }
  std::vector<std::uint8_t> all() && { return std::move(all_); }

 private:
  const SearchSpace& space_;
  std::map<std::vector<std::uint8_t>, std::size_t> numbers_;
  std::vector<std::uint8_t> all_;
};

// In ms; NaN for a failed measurement (empty, nan, or -1 as some tools write it).
double parse_latency(const std::string& text, double to_ms, const std::string& place) {
  if (text.empty()) return kNan;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool number = end != text.c_str() && *end == '\0';
  if (number && (std::isnan(value) || value == -1)) return kNan;
  if (!number || !(value > 0) || std::isinf(value))
    throw Error(place + ": latency_ms = '" + text +
                "' should be a positive number of milliseconds; write nothing for a failed measurement");
  const double latency_ms = value * to_ms;
  check_latency(latency_ms, place + ": latency_ms = '" + text + "'");
  return latency_ms;
}

double to_ms(const std::string& unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1000;
  if (unit == "us") return 1e-3;
  throw Error("unit '" + unit + "' of latencies should be ms, s or us");
}

}  // namespace

std::int64_t MeasuredArchitectures::n_known() const {
  return std::count_if(repeats.begin(), repeats.end(), [](const auto& own) { return !own.empty(); });
}
std::int64_t MeasuredArchitectures::n_repeated() const {
  return std::count_if(repeats.begin(), repeats.end(), [](const auto& own) { return own.size() > 1; });
}

MeasuredArchitectures read_measurements(const SearchSpace& space, const std::vector<std::string>& files,
                                        const std::string& unit) {
  const double scale = to_ms(unit);
  MeasuredArchitectures measured;
  DistinctArchitectures distinct(space);
  std::int64_t line = 0;
  check_distinct(files);
  for (const auto& file : files) {
    const CsvTable table = open(file, true);
    measured.files.push_back({std::filesystem::path(file).filename().string(), table.sha256});
    for (std::size_t i = 0; i < table.rows.size(); ++i, ++line) {
      const std::size_t number = distinct.number_of(table, i);
      if (number == measured.repeats.size()) {
        measured.repeats.emplace_back();
        measured.lines.emplace_back();
      }
      const double latency = parse_latency(table.rows[i][table.column("latency_ms")], scale, table.location(i));
      if (std::isnan(latency)) {
        ++measured.n_failed;
        continue;
      }
      measured.repeats[number].push_back(latency);
      measured.lines[number].push_back(line);
    }
  }
  measured.choices = std::move(distinct).all();
  for (const auto& own : measured.repeats) measured.latency_ms.push_back(own.empty() ? kNan : median_of(own));
  return measured;
}

std::vector<std::uint8_t> read_architectures(const SearchSpace& space, const std::vector<std::string>& files) {
  DistinctArchitectures distinct(space);
  for (const auto& file : files) {
    const CsvTable table = open(file, false);
    for (std::size_t i = 0; i < table.rows.size(); ++i) distinct.number_of(table, i);
  }
  return std::move(distinct).all();
}

}  // namespace oneproxy
