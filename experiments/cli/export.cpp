// Results as CSV files, for spreadsheets and other programs: fronts, predictions, matrices.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "experiments/cli/commands.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/result_folder.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

bool holds(const std::string& path, const std::string& content) {
  std::error_code error;
  return fs::file_size(path, error) == content.size() && read_file(path, content.size()) == content;
}

class Exporter {
 public:
  Exporter(const std::string& result, const std::string& to, bool force)
      : result_(result),
        arrays_((fs::path(result) / "arrays.h5").string(), H5Mode::read),
        folder_(to.empty() ? fs::path(result) / "csv" : fs::path(to)),
        attributes_(arrays_.attributes("/")),
        force_(force) {}

  std::string run() {
    convert();
    if (files_.empty()) throw Error(arrays_.path() + ": holds nothing that can be exported");
    for (const auto& [path, content] : files_)  // what is the same already needs no word
      if (!force_ && file_exists(path) && !holds(path, content))
        throw Error(path +
                    ": is there already, with another content; name another folder with --to, or give --force to "
                    "replace it");
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) throw Error(folder_.string() + ": can not be made (" + error.message() + "); name another with --to");
    std::string written;
    for (const auto& [path, content] : files_) {
      write_file_atomically(path, content);
      written += path + "\n";
    }
    return written;
  }

 private:
  void convert() {
    if (arrays_.exists("fronts")) fronts();
    if (arrays_.exists("predicted_ms")) predictions();
    for (const std::string group : {"front", "exhaustive_front"})
      if (arrays_.exists(group)) solutions(group);
    if (arrays_.exists("best")) solutions("best");
    if (arrays_.exists("srcc")) matrices();
    if (arrays_.exists("srcc_after")) adaptation();
    if (arrays_.exists("tasks")) few_shot();
    if (arrays_.exists("sweep_srcc")) sweep();
    if (arrays_.exists("searchers")) searchers();
    if (arrays_.exists("cost")) cost(), fleet();
    if (arrays_.exists("limits_kept_tasks")) limits_kept();
    if (arrays_.exists("front_loop_tasks")) front_loop();
  }

  Error damaged(const std::string& dataset, const std::string& what) const {
    return Error(arrays_.path() + ": " + dataset + ": " + what +
                 "; the result is damaged: run its configuration again with --force");
  }
  void check_count(const std::string& dataset, std::size_t found, std::size_t expected) const {
    if (found != expected)
      throw damaged(dataset, "has " + std::to_string(found) + " values, " + std::to_string(expected) +
                                 " belong to the result's other arrays");
  }
  std::vector<double> doubles(const std::string& dataset, std::size_t n) const {
    auto values = arrays_.read_doubles(dataset);
    check_count(dataset, values.size(), n);
    return values;
  }
  std::vector<std::string> texts(const std::string& dataset) const {
    auto values = arrays_.read_strings(dataset);
    if (values.empty()) throw damaged(dataset, "is empty");
    return values;
  }
  std::vector<std::int64_t> integers(const std::string& dataset) const {
    auto values = arrays_.read_integers(dataset);
    if (values.empty()) throw damaged(dataset, "is empty");
    return values;
  }
  // Trials of each of so many rows.
  std::size_t trials(const std::string& dataset, std::size_t values, std::size_t rows) const {
    if (values % rows != 0)
      throw damaged(dataset,
                    "has " + std::to_string(values) + " values, no multiple of its " + std::to_string(rows) + " rows");
    return values / rows;
  }

  void write(const std::string& name, const std::string& content) {
    files_.emplace_back((folder_ / name).string(), content);
  }

  // "arch,index" of each row of the searched set.
  std::vector<std::string> architectures(const std::string& dataset) const {
    return architectures(dataset, attributes_);
  }
  // Attributes: of whatever says the space and its geometry.
  std::vector<std::string> architectures(const std::string& dataset, const H5Attributes& attributes) const {
    const std::string name = attribute_text(attributes, "space");
    const fs::path own = result_ / "spaces" / (name + ".toml");  // of a space that does not ship
    const SearchSpace space =
        SearchSpace::load(file_exists(own) ? own.string() : name, attribute_text(attributes, "geometry"));
    const auto choices = arrays_.read_bytes(dataset);
    const std::size_t width = space.n_decisions();
    if (choices.size() % width != 0)
      throw damaged(dataset,
                    "has " + std::to_string(choices.size()) + " choices, an architecture has " + std::to_string(width));
    std::vector<std::string> names;
    for (std::size_t i = 0; i < choices.size(); i += width) {
      const std::span<const std::uint8_t> row(choices.data() + i, width);
      if (const auto fault = space.fault(row); !fault.empty())
        throw damaged(dataset, "row " + std::to_string(i / width) + " has " + fault);
      names.push_back(csv_field(space.to_string(row)) + "," + to_decimal(space.index(row)));
    }
    return names;
  }

  void fronts() {
    const auto names = architectures("choices");
    std::string csv = "device,front,on_front,row,arch,index,latency_ms,quality,predicted_ms\n";
    for (const auto& device : arrays_.children("fronts")) {
      for (const auto& front : arrays_.children("fronts/" + device)) {
        const std::string group = "fronts/" + device + "/" + front;
        const auto front_rows = arrays_.read_integers(group + "/row");
        const std::set<std::int64_t> kept(front_rows.begin(), front_rows.end());
        const auto rows = arrays_.read_integers(group + "/members/row");
        const auto latency = doubles(group + "/members/latency_ms", rows.size());
        const auto quality = doubles(group + "/members/quality", rows.size());
        const auto predicted = doubles(group + "/members/predicted_ms", rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
          if (rows[i] < 0 || static_cast<std::size_t>(rows[i]) >= names.size())
            throw damaged(group + "/members/row", "names row " + std::to_string(rows[i]) + " of " +
                                                      std::to_string(names.size()) + " architectures");
          const bool on_front = kept.count(rows[i]) > 0;
          csv += csv_field(device) + "," + front + "," + (on_front ? "1" : "0") + "," + std::to_string(rows[i]) + "," +
                 names[rows[i]] + "," + exact(latency[i]) + "," + exact(quality[i]) + "," + exact(predicted[i]) + "\n";
        }
      }
    }
    write("fronts.csv", csv);
  }

  void predictions() {
    const auto names = architectures("choices");
    std::string csv = "row,arch,index,quality";
    std::vector<std::vector<double>> columns = {doubles("quality", names.size())};
    for (const auto& device : arrays_.children("predicted_ms")) {
      csv += "," + csv_field(device + " predicted_ms") + "," + csv_field(device + " latency_ms");
      columns.push_back(doubles("predicted_ms/" + device, names.size()));
      columns.push_back(doubles("latency_ms/" + device, names.size()));
    }
    csv += "\n";
    for (std::size_t i = 0; i < names.size(); ++i) {
      csv += std::to_string(i) + "," + names[i];
      for (const auto& column : columns) csv += "," + exact(column[i]);
      csv += "\n";
    }
    write("predictions.csv", csv);
  }

  void solutions(const std::string& group) {
    const auto names = architectures(group + "/choices");
    std::string csv = "arch,index";
    std::vector<std::vector<double>> columns;
    const bool limited = arrays_.exists(group + "/limit");  // the best within limits; else a front
    std::vector<std::string> limits;
    std::vector<std::int64_t> places;
    if (limited) {
      csv += ",limit,place";
      limits = texts(group + "/limit");
      places = integers(group + "/place");
      check_count(group + "/limit", limits.size(), names.size());
      check_count(group + "/place", places.size(), names.size());
    }
    auto objectives = texts("objectives/name");
    std::rotate(objectives.begin(), objectives.begin() + 1, objectives.end());  // the goal last
    for (const auto& objective : objectives) {
      csv += "," + csv_field(objective);
      columns.push_back(doubles(group + "/" + objective, names.size()));
      for (const std::string more : {"_deviation", "_probability"}) {
        if (!arrays_.exists(group + "/" + objective + more)) continue;
        csv += "," + csv_field(objective + more);
        columns.push_back(doubles(group + "/" + objective + more, names.size()));
      }
    }
    csv += "\n";
    for (std::size_t i = 0; i < names.size(); ++i) {
      csv += names[i];
      if (limited) csv += "," + csv_field(limits[i]) + "," + std::to_string(places[i]);
      for (const auto& column : columns) csv += "," + exact(column[i]);
      csv += "\n";
    }
    write(group + ".csv", csv);
  }

  void matrices() {
    const auto names = texts(arrays_.exists("matrix_devices") ? "matrix_devices" : "devices");
    for (const std::string name : {"srcc", "kendall", "srcc_low", "srcc_high"}) {
      if (!arrays_.exists(name)) continue;
      const auto values = doubles(name, names.size() * names.size());
      std::string csv = "device";
      for (const auto& device : names) csv += "," + csv_field(device);
      csv += "\n";
      for (std::size_t i = 0; i < names.size(); ++i) {
        csv += csv_field(names[i]);
        for (std::size_t j = 0; j < names.size(); ++j) csv += "," + exact(values[i * names.size() + j]);
        csv += "\n";
      }
      write(name + ".csv", csv);
    }
  }

  void adaptation() {
    const auto names = texts("devices");
    const auto before = doubles("srcc_before", names.size());
    const auto after = arrays_.read_doubles("srcc_after");
    const std::size_t n = trials("srcc_after", after.size(), names.size());
    std::string csv = "device,trial,srcc_before,srcc_after\n";
    for (std::size_t i = 0; i < names.size(); ++i)
      for (std::size_t trial = 0; trial < n; ++trial)
        csv += csv_field(names[i]) + "," + std::to_string(trial) + "," + exact(before[i]) + "," +
               exact(after[i * n + trial]) + "\n";
    write("adaptation.csv", csv);
  }

  // A row a task, target (and proxy, where each source is one alone), number of samples and trial.
  void few_shot() {
    std::string csv = "task,proxy,target,samples,trial,srcc,expected_srcc,probability_strong\n";
    for (const auto& task : texts("tasks")) {
      const std::string group = "task/" + task + "/";
      const auto targets = texts(group + "targets");
      const auto proxies = arrays_.exists(group + "proxies") ? arrays_.read_strings(group + "proxies")
                                                             : std::vector<std::string>(targets.size());
      check_count(group + "proxies", proxies.size(), targets.size());
      const auto samples = integers(group + "samples");
      const auto srcc = arrays_.read_doubles(group + "srcc");
      const auto expected = doubles(group + "expected_srcc", srcc.size());
      const auto sure = doubles(group + "probability_strong", srcc.size());
      const std::size_t n = trials(group + "srcc", srcc.size(), targets.size() * samples.size());
      for (std::size_t i = 0; i < srcc.size(); ++i) {
        const std::size_t target = i / n / samples.size();
        csv += csv_field(task) + "," + csv_field(proxies[target]) + "," + csv_field(targets[target]) + "," +
               std::to_string(samples[i / n % samples.size()]) + "," + std::to_string(i % n) + "," + exact(srcc[i]) +
               "," + exact(expected[i]) + "," + exact(sure[i]) + "\n";
      }
    }
    write("few_shot.csv", csv);
  }

  // A row an answer of a search.
  void limits_kept() {
    const std::vector<std::string> columns = {"limit_ms",   "predicted_ms", "deviation_ms", "probability",
                                              "latency_ms", "quality",      "best_quality"};
    std::string csv = "task,calibrated,target,trial,confidence,limit_quantile";
    for (const auto& column : columns) csv += "," + column;
    csv += "\n";
    for (const auto& task : texts("limits_kept_tasks")) {
      const std::string group = "limits_kept/" + task + "/";
      const auto targets = texts(group + "targets");
      auto confidences = arrays_.read_doubles(group + "confidences");
      confidences.insert(confidences.begin(), 0.0);
      const auto limits = arrays_.read_doubles(group + "limits");
      if (limits.empty()) throw damaged(group + "limits", "is empty");
      for (const std::string which : {"calibrated", "uncalibrated"}) {
        if (!arrays_.exists(group + which)) continue;
        const auto first = arrays_.read_doubles(group + which + "/limit_ms");
        const std::size_t each = confidences.size() * limits.size();
        const std::size_t n = trials(group + which + "/limit_ms", first.size(), targets.size() * each);
        std::vector<std::vector<double>> values;
        for (const auto& column : columns) values.push_back(doubles(group + which + "/" + column, first.size()));
        for (std::size_t i = 0; i < first.size(); ++i) {
          csv += csv_field(task) + "," + (which == "calibrated" ? "1," : "0,") + csv_field(targets[i / each / n]) +
                 "," + std::to_string(i / each % n) + "," + exact(confidences[i / limits.size() % confidences.size()]) +
                 "," + exact(limits[i % limits.size()]);
          for (const auto& column : values) csv += "," + exact(column[i]);
          csv += "\n";
        }
      }
    }
    write("limits_kept.csv", csv);
  }

  // A row a measurement of a method: the network, and what the front was worth after it.
  void front_loop() {
    const std::vector<std::string> columns = {"trace/latency_ms", "trace/fitted_ms",    "trace/quality",
                                              "hypervolume",      "hypervolume_by_fit", "regret",
                                              "broken",           "broken_by_fit"};
    std::string csv =
        "task,method,target,trial,quality_name,measured,latency_ms,fitted_ms,quality,hypervolume,hypervolume_by_fit,"
        "regret,broken,broken_by_fit\n";
    for (const auto& task : texts("front_loop_tasks")) {
      const std::string group = "front_loop/" + task + "/";
      const auto targets = texts(group + "targets"), qualities = texts(group + "qualities");
      for (const auto& method : texts(group + "methods")) {
        const std::string of = group + method + "/";
        const auto shape = arrays_.shape(of + "trace/latency_ms");
        if (shape.size() != 4 || shape[1] < 1 || shape[3] < 1)
          throw damaged(of + "trace/latency_ms", "is not of targets, trials, qualities and measurements");
        const auto trials = static_cast<std::size_t>(shape[1]), n = static_cast<std::size_t>(shape[3]);
        const std::size_t runs = targets.size() * trials * qualities.size();
        std::vector<std::vector<double>> values;
        for (const auto& column : columns) {
          values.push_back(arrays_.read_doubles(of + column));
          if (values.back().size() % runs != 0 || values.back().size() < runs * n)
            throw damaged(of + column, "has " + std::to_string(values.back().size()) + " values for " +
                                           std::to_string(runs) + " runs of " + std::to_string(n));
        }
        for (std::size_t r = 0; r < runs; ++r)
          for (std::size_t k = 0; k < n; ++k) {
            if (std::isnan(values[2][r * n + k])) continue;  // the trace has ended
            csv += csv_field(task) + "," + csv_field(method) + "," + csv_field(targets[r / qualities.size() / trials]) +
                   "," + std::to_string(r / qualities.size() % trials) + "," +
                   csv_field(qualities[r % qualities.size()]) + "," + std::to_string(k + 1);
            for (const auto& column : values) csv += "," + exact(column[r * (column.size() / runs) + k]);
            csv += "\n";
          }
      }
    }
    write("front_loop.csv", csv);
  }

  // A row a proxy and target: as it is, and adapted with each number of measurements.
  void sweep() {
    const auto names = texts("devices");
    const auto budgets = integers("sweep_budgets");
    const std::size_t d = names.size();
    const auto before = doubles("srcc", d * d);
    const auto after = doubles("sweep_srcc", budgets.size() * d * d);
    std::string csv = "proxy,target,srcc_0";
    for (const auto budget : budgets) csv += ",srcc_" + std::to_string(budget);
    csv += "\n";
    for (std::size_t pair = 0; pair < d * d; ++pair) {
      csv += csv_field(names[pair / d]) + "," + csv_field(names[pair % d]) + "," + exact(before[pair]);
      for (std::size_t b = 0; b < budgets.size(); ++b) csv += "," + exact(after[b * d * d + pair]);
      csv += "\n";
    }
    write("proxy_sweep.csv", csv);
  }

  // A row a search and limit. An empty quality: nothing was found.
  void searchers() {
    const auto names = texts("searchers"), devices = texts("devices");
    const auto budgets = integers("search_budgets");
    const auto searches = devices.size() * names.size() * budgets.size();
    const auto shape = arrays_.shape("runs/quality");
    const auto trials = shape.size() == 5 ? static_cast<std::size_t>(shape[3]) : 0;
    const auto limits = shape.size() == 5 ? static_cast<std::size_t>(shape[4]) : 0;
    const auto limits_ms = doubles("limits_ms", devices.size() * limits), best = doubles("best", limits_ms.size());
    const auto quality = doubles("runs/quality", searches * trials * limits);
    const auto evaluated = integers("runs/evaluated");
    check_count("runs/evaluated", evaluated.size(), searches * trials);
    std::string csv = "device,method,evaluations_a_limit,trial,evaluated,limit_ms,best,quality\n";
    for (std::size_t i = 0; i < quality.size(); ++i) {
      const std::size_t run = i / limits, of = run / trials, l = i % limits;
      const std::size_t d = of / budgets.size() / names.size();
      csv += csv_field(devices[d]) + "," + csv_field(names[of / budgets.size() % names.size()]) + "," +
             std::to_string(budgets[of % budgets.size()]) + "," + std::to_string(run % trials) + "," +
             std::to_string(evaluated[run]) + "," + exact(limits_ms[d * limits + l]) + "," +
             exact(best[d * limits + l]) + "," + exact(quality[i]) + "\n";
    }
    write("searchers.csv", csv);
  }

  // A row a task, strategy and number of devices.
  void cost() {
    std::string csv = "task,strategy,n,measurements,regret,over,over_5_percent,unanswered\n";
    for (const auto& task : arrays_.children("cost")) {
      const std::string group = "cost/" + task + "/";
      const auto names = texts(group + "strategies");
      const auto n = integers(group + "n"), measurements = integers(group + "measurements");
      check_count(group + "measurements", measurements.size(), names.size() * n.size());
      std::vector<std::vector<double>> columns;
      for (const char* column : {"regret", "over", "over_5_percent", "unanswered"})
        columns.push_back(doubles(group + column, names.size()));
      for (std::size_t i = 0; i < measurements.size(); ++i) {
        const std::size_t strategy = i / n.size();
        csv += csv_field(task) + "," + csv_field(names[strategy]) + "," + std::to_string(n[i % n.size()]) + "," +
               std::to_string(measurements[i]);
        for (const auto& column : columns) csv += "," + exact(column[strategy]);
        csv += "\n";
      }
    }
    write("cost_of_n_devices.csv", csv);
  }

  // A row a task, strategy, device and limit. Without an answer the fields from the architecture on are empty.
  void fleet() {
    std::string csv =
        "task,strategy,device,real,limit_ms,measurements,arch,index,predicted_ms,latency_ms,quality,regret\n";
    for (const auto& task : arrays_.children("cost")) {
      const std::string group = "cost/" + task + "/";
      const auto devices = texts(group + "devices");
      const auto real = integers(group + "real");
      check_count(group + "real", real.size(), devices.size());
      const auto limits = arrays_.read_doubles(group + "limits_ms");
      const std::size_t n_limits = trials(group + "limits_ms", limits.size(), devices.size());
      for (const auto& strategy : texts(group + "strategies")) {
        const std::string of = group + "answers/" + strategy + "/";
        const auto names = architectures(of + "choices", arrays_.attributes("cost/" + task));
        check_count(of + "choices", names.size(), limits.size());
        const auto measurements = integers(of + "measurements");
        check_count(of + "measurements", measurements.size(), devices.size());
        std::vector<std::vector<double>> columns;
        for (const char* column : {"predicted_ms", "latency_ms", "quality", "regret"})
          columns.push_back(doubles(of + column, limits.size()));
        for (std::size_t i = 0; i < limits.size(); ++i) {
          const std::size_t device = i / n_limits;
          const bool answered = !std::isnan(columns[1][i]);
          csv += csv_field(task) + "," + csv_field(strategy) + "," + csv_field(devices[device]) + "," +
                 std::to_string(real[device]) + "," + exact(limits[i]) + "," + std::to_string(measurements[device]) +
                 "," + (answered ? names[i] : ",");
          for (const auto& column : columns) csv += "," + (answered ? exact(column[i]) : std::string());
          csv += "\n";
        }
      }
    }
    write("fleet.csv", csv);
  }

  fs::path result_;
  H5File arrays_;
  fs::path folder_;
  H5Attributes attributes_;
  bool force_;
  std::vector<std::pair<std::string, std::string>> files_;  // path and content
};

}  // namespace

std::string export_csv(const std::string& result, const std::string& to, bool force) {
  if (!ResultFolder::finished(result))
    throw Error(result + ": is not a finished result folder (it has no DONE); name one that `oneproxy run` printed");
  return Exporter(result, to, force).run();
}

}  // namespace oneproxy
