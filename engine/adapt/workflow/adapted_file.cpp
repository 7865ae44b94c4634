#include "oneproxy/engine/adapt/workflow/adapted_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <sstream>

#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostOutliers = 500;  // an attribute of HDF5 holds 64 KiB; more would be no outliers

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

double number_or_nan(const H5Attributes& all, const std::string& name) {
  const auto found = all.find(name);
  if (found == all.end()) return kNan;
  if (const auto* value = std::get_if<double>(&found->second)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&found->second)) return static_cast<double>(*value);
  return kNan;
}

// Shortest form that reads back as the same number.
std::string exact(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string outliers_as_text(const AdaptReport& report) {
  const auto& space = report.features->space();
  const std::size_t decisions = space.radices().size();
  std::string text;
  for (std::size_t i = 0; i < std::min(report.outliers.size(), kMostOutliers); ++i) {
    const auto& one = report.outliers[i];
    text += exact(one.value) + "\t" + exact(one.times_median) + "\t" +
            space.to_string(std::span(report.measured.choices).subspan(one.architecture * decisions, decisions)) + "\n";
  }
  return text;
}

AdaptedRecord read_record(const H5Attributes& all, const std::string& path) {
  AdaptedRecord record;
  record.method = attribute_text(all, "method");
  if (record.method.empty())
    throw Error(path + ": its predictor was not adapted to measurements; `oneproxy adapt --out` writes such a file");
  record.geometry = attribute_text(all, "geometry");
  for (auto& source : split(attribute_text(all, "sources"), ','))
    record.sources.push_back(source.substr(source.find_first_not_of(' ')));
  record.n_known = static_cast<std::int64_t>(number_or_nan(all, "n_measured"));
  record.expected_srcc = number_or_nan(all, "expected_srcc");
  record.expected_low = number_or_nan(all, "expected_srcc_low");
  record.expected_high = number_or_nan(all, "expected_srcc_high");
  record.threshold = number_or_nan(all, "threshold");
  record.probability = number_or_nan(all, "probability");
  if (all.contains("advice_more"))
    record.advice = Advice{number_or_nan(all, "advice_stop") == 1, static_cast<int>(number_or_nan(all, "advice_more")),
                           number_or_nan(all, "advice_reachable")};
  if (all.contains("drift_min"))
    record.drift = std::pair(number_or_nan(all, "drift_min"), number_or_nan(all, "drift_max"));
  record.remarks = split(attribute_text(all, "remarks"), '\n');
  for (const auto& line : split(attribute_text(all, "outliers"), '\n')) {
    const auto parts = split(line, '\t');
    if (parts.size() != 3) throw Error(path + ": its outliers are damaged; adapt again");
    record.outliers.push_back(
        {parts[2], std::strtod(parts[0].c_str(), nullptr), std::strtod(parts[1].c_str(), nullptr)});
  }
  return record;
}

bool is_network(const std::string& path) {
  return attribute_text(H5File(path, H5Mode::read).attributes("/"), "format") == "oneproxy-predictor";
}

}  // namespace

void AdaptedFile::predict(std::span<const std::uint8_t> choices, std::span<double> values,
                          std::span<double> deviations) const {
  oneproxy::predict(predictor, choices, values);
  if (posterior)
    posterior->deviations(choices, deviations);
  else
    std::fill(deviations.begin(), deviations.end(), kNan);
}

H5Attributes record_of(const AdaptReport& report) {
  H5Attributes all = {{"method", report.method},
                      {"n_measured", report.n_known},
                      {"sources", join(report.sources)},
                      {"geometry", report.geometry},
                      {"threshold", report.threshold}};
  const auto known = [&](const std::string& name, double value) {
    if (!std::isnan(value)) all[name] = value;
  };
  known("expected_srcc", report.expected.value);
  known("expected_srcc_low", report.expected.low);
  known("expected_srcc_high", report.expected.high);
  known("probability", report.probability);
  if (report.advice) {
    all["advice_stop"] = std::int64_t{report.advice->stop};
    all["advice_more"] = std::int64_t{report.advice->more};
    known("advice_reachable", report.advice->reachable);
  }
  if (report.drift) {
    all["drift_min"] = report.drift->min_factor;
    all["drift_max"] = report.drift->max_factor;
  }
  std::vector<std::string> remarks;
  for (const auto& remark : report.remarks) remarks.push_back(remark.text);
  if (!remarks.empty()) all["remarks"] = join(remarks, "\n");
  if (!report.outliers.empty()) all["outliers"] = outliers_as_text(report);
  return all;
}

std::string adapted_space(const std::string& path) {
  const std::string space = attribute_text(H5File(path, H5Mode::read).attributes("/"), "space");
  if (space.empty()) throw Error(path + ": is no file of a predictor; `oneproxy adapt --out` writes such a file");
  return space;
}

AdaptedFile load_adapted(const std::string& path, const SearchSpace& space) {
  if (!path.ends_with(".h5"))
    throw Error(path + ": an adapted device is a file *.h5, as `oneproxy adapt --out` writes it");
  const bool network = is_network(path);
  AdaptedFile file{network ? Predictor(find_predictor(path, "", space)) : find_table(path, "", space), {}, {}, {}};
  if (!network) file.posterior = find_posterior(path, "", space);
  file.device = find_device(path, "", space);
  file.record = std::visit([&](const auto& model) { return read_record(model.record, path); }, file.predictor);
  return file;
}

}  // namespace oneproxy
