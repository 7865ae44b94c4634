#include "experiments/cli/adapt_result.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/provenance.h"
#include "oneproxy/engine/base/result_folder.h"
#include "oneproxy/engine/base/summary.h"
#include "oneproxy/engine/device/drift.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kParts = 6;  // of the measurements, after each of which the expected SRCC is computed
constexpr std::int64_t kLeast = 4;  // measurements

struct Expected {
  std::vector<std::int64_t> samples;
  std::vector<double> value, low, high;

  void add(std::int64_t n, const ExpectedSrcc& srcc) {
    if (std::isnan(srcc.value)) return;
    samples.push_back(n);
    value.push_back(srcc.value);
    low.push_back(srcc.low);
    high.push_back(srcc.high);
  }
};

MeasuredArchitectures first_of(const MeasuredArchitectures& all, std::int64_t n) {
  MeasuredArchitectures some = all;
  some.choices.resize(some.choices.size() / static_cast<std::size_t>(all.n()) * static_cast<std::size_t>(n));
  some.repeats.resize(n);
  some.lines.resize(n);
  some.latency_ms.resize(n);
  return some;
}

Expected expected_with_fewer(const Sources& sources, const AdaptReport& report, AdaptSettings settings) {
  settings.calibrate = false;
  settings.divide_out_drift = false;  // report.measured is without it already, where it was divided out
  const std::int64_t n = report.measured.n();
  Expected expected;
  std::int64_t last = 0;
  for (std::int64_t part = 1; part < kParts; ++part) {
    const std::int64_t k = std::max(kLeast, n * part / kParts);
    if (k == last || k >= n) continue;
    last = k;
    const auto some = first_of(report.measured, k);
    if (some.n_known() < kLeast) continue;
    if (const auto earlier = adapt(sources, some, settings); earlier.adapted()) expected.add(k, earlier.expected);
  }
  expected.add(n, report.expected);
  return expected;
}

// Measurements in the order of their lines.
struct DriftSeries {
  std::vector<std::int64_t> line, reference;
  std::vector<double> factor;
};

DriftSeries drift_series(const MeasuredArchitectures& raw) {
  const Drift drift = find_drift(raw);
  DriftSeries series;
  if (drift.references.empty()) return series;
  struct Point {
    std::int64_t line, reference;
    double factor;
  };
  std::vector<Point> points;
  for (std::int64_t i = 0; i < raw.n(); ++i) {
    const bool reference = std::count(drift.references.begin(), drift.references.end(), i) > 0;
    for (std::size_t j = 0; j < raw.lines[i].size(); ++j)
      points.push_back({raw.lines[i][j], reference ? 1 : 0, drift.factor[i][j]});
  }
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.line < b.line; });
  for (const auto& [line, reference, factor] : points) {
    series.line.push_back(line);
    series.reference.push_back(reference);
    series.factor.push_back(factor);
  }
  return series;
}

class Arrays {
 public:
  explicit Arrays(const std::string& path) : file_(path, H5Mode::create) {}
  template <class T>
  void write(const std::string& name, const std::vector<T>& values, const std::string& what, const std::string& unit) {
    file_.write(name, std::span<const T>(values));
    about(name, what, unit);
  }
  void write_choices(const std::string& name, const std::vector<std::uint8_t>& choices, std::int64_t width) {
    const std::vector<std::int64_t> shape = {std::ssize(choices) / width, width};
    file_.write(name, choices, shape);
    about(name, "choice of each decision", "1");
  }
  void attribute(const std::string& name, const H5Attribute& value) { file_.set_attribute("/", name, value); }
  void close() { file_.close(); }

 private:
  void about(const std::string& name, const std::string& what, const std::string& unit) {
    file_.set_attribute(name, "long_name", what);
    file_.set_attribute(name, "units", unit);
  }
  H5File file_;
};

void write_arrays(const std::string& path, const AdaptResultOptions& options, const Sources& sources,
                  const MeasuredArchitectures& raw, const AdaptReport& report, const AdaptSettings& settings) {
  const auto& space = report.features->space();
  const auto& quantity = report.quantity();
  const auto width = std::ssize(space.radices());
  Arrays arrays(path);
  const std::pair<const char*, std::string> attributes[] = {{"kind", "adapt"},
                                                            {"space", report.space},
                                                            {"geometry", report.geometry},
                                                            {"set", options.set},
                                                            {"device", options.device},
                                                            {"method", report.method},
                                                            {"sources", join(report.sources)},
                                                            {"quantity", quantity.label},
                                                            {"unit", quantity.unit}};
  for (const auto& [name, value] : attributes) arrays.attribute(name, value);

  const auto [choices, values, deviations, measured] = predict(report, report.measured.choices);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < values.size(); ++i)
    names.push_back(space.to_string(std::span(choices).subspan(i * width, width)));
  arrays.write("measured/architecture", names, "architecture", "");
  arrays.write_choices("measured/choices", choices, width);
  arrays.write("measured/value", measured, quantity.label + ", measured", quantity.unit);
  arrays.write("measured/predicted", values, quantity.label + ", predicted", quantity.unit);
  arrays.write("measured/deviation", deviations, "standard deviation of the prediction", quantity.unit);

  if (const auto expected = expected_with_fewer(sources, report, settings); !expected.samples.empty()) {
    arrays.write("expected/samples", expected.samples, "measured architectures", "1");
    arrays.write("expected/srcc", expected.value, "expected SRCC", "1");
    arrays.write("expected/low", expected.low, "10 % quantile of the expected SRCC", "1");
    arrays.write("expected/high", expected.high, "90 % quantile of the expected SRCC", "1");
  }
  if (const auto drift = drift_series(raw); !drift.line.empty()) {
    arrays.write("drift/line", drift.line, "line of the measurement, from 0", "1");
    arrays.write("drift/reference", drift.reference, "1: of an architecture that shows the drift", "1");
    arrays.write("drift/factor", drift.factor, "measured over undisturbed", "1");
  }
  arrays.close();
}

Summary summary_of(const AdaptReport& report) {
  Summary summary;
  summary.set("n_measured", report.n_known);
  for (const auto& [key, value] : {std::pair{"expected_srcc", report.expected.value},
                                   {"expected_srcc_low", report.expected.low},
                                   {"expected_srcc_high", report.expected.high},
                                   {"probability", report.probability}}) {
    summary.set(key, value);
    if (std::isnan(value)) summary.set_reason(key, "the method does not know how well it will rank");
  }
  summary.set("threshold", report.threshold);
  if (report.advice) {
    summary.set("stop", report.advice->stop);
    summary.set("more", static_cast<std::int64_t>(report.advice->more));
  }
  summary.set("outliers", static_cast<std::int64_t>(report.outliers.size()));
  if (report.drift) {
    summary.set("drift_min", report.drift->min_factor);
    summary.set("drift_max", report.drift->max_factor);
    summary.set("drift_divided_out", report.drift->divided_out);
  }
  return summary;
}

}  // namespace

std::string write_adapt_result(const AdaptResultOptions& options, const Sources& sources,
                               const MeasuredArchitectures& raw, const AdaptReport& report,
                               const AdaptSettings& settings) {
  Provenance provenance;
  provenance.kind = "adapt";
  provenance.command = options.command;
  provenance.seed = static_cast<std::int64_t>(settings.seed);
  std::string identity = report.space + report.geometry + options.set + report.method + join(report.sources) +
                         plain(settings.threshold) + plain(settings.confidence) + std::to_string(settings.seed) +
                         (settings.divide_out_drift ? "without drift" : "");
  for (const auto& file : report.measured.files) {
    provenance.data["measurements " + file.name] = file.sha256;
    identity += "# " + file.sha256 + "\n";
  }
  const std::string path = ResultFolder::path_of(options.out, "adapt", options.device, identity);
  ResultFolder folder(path);
  {
    Timer timer(provenance.timings, "run");
    write_arrays(folder.file("arrays.h5"), options, sources, raw, report, settings);
  }
  std::string spoken = "# " + options.device + " (adapt)\n";
  for (std::size_t begin = 0; begin < options.spoken.size();) {  // a line a paragraph
    const auto end = std::min(options.spoken.find('\n', begin), options.spoken.size());
    spoken += "\n" + options.spoken.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  folder.write("summary.json", summary_of(report).json());
  folder.write("report.md", spoken);
  folder.write("provenance.json", provenance.json());
  folder.finish();
  return path;
}

}  // namespace oneproxy
