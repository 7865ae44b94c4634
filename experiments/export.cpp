// Results as CSV files, for spreadsheets and other programs: fronts, predictions, matrices.
#include <cmath>
#include <filesystem>
#include <functional>

#include "engine/base/hdf5.h"
#include "engine/base/result_folder.h"
#include "engine/data/csv.h"
#include "engine/report/table.h"
#include "engine/space/space.h"
#include "experiments/commands.h"
#include "kernels/error.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

class Exporter {
 public:
  Exporter(const std::string& result, const std::string& to)
      : arrays_((fs::path(result) / "arrays.h5").string(), H5Mode::read),
        folder_(to.empty() ? fs::path(result) / "csv" : fs::path(to)),
        attributes_(arrays_.attributes("/")) {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) throw Error(folder_.string() + ": can not be made (" + error.message() + "); name another with --to");
  }

  std::string run() {
    if (arrays_.exists("fronts")) fronts();
    if (arrays_.exists("predicted_ms")) predictions();
    for (const std::string group : {"front", "exhaustive_front"})
      if (arrays_.exists(group)) solutions(group);
    if (arrays_.exists("srcc")) matrices();
    if (arrays_.exists("srcc_after")) adaptation();
    if (written_.empty()) throw Error(arrays_.path() + ": holds nothing that can be exported");
    return written_;
  }

 private:
  std::string text(const std::string& name) const {
    const auto found = attributes_.find(name);
    return found == attributes_.end() ? "" : std::get<std::string>(found->second);
  }

  void write(const std::string& name, const std::string& content) {
    const auto path = (folder_ / name).string();
    write_file_atomically(path, content);
    written_ += path + "\n";
  }

  // "arch,index" of each row of the searched set.
  std::vector<std::string> architectures(const std::string& dataset) const {
    const SearchSpace space = SearchSpace::load(text("space"), text("geometry"));
    const auto choices = arrays_.read_bytes(dataset);
    const std::size_t width = space.n_decisions();
    std::vector<std::string> names;
    for (std::size_t i = 0; i + width <= choices.size(); i += width) {
      const std::span<const std::uint8_t> row(choices.data() + i, width);
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
        const auto kept = arrays_.read_integers(group + "/row");
        const auto rows = arrays_.read_integers(group + "/members/row");
        const auto latency = arrays_.read_doubles(group + "/members/latency_ms");
        const auto quality = arrays_.read_doubles(group + "/members/quality");
        const auto predicted = arrays_.read_doubles(group + "/members/predicted_ms");
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const bool on_front = std::find(kept.begin(), kept.end(), rows[i]) != kept.end();
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
    std::vector<std::vector<double>> columns = {arrays_.read_doubles("quality")};
    for (const auto& device : arrays_.children("predicted_ms")) {
      csv += "," + csv_field(device + " predicted_ms") + "," + csv_field(device + " latency_ms");
      columns.push_back(arrays_.read_doubles("predicted_ms/" + device));
      columns.push_back(arrays_.read_doubles("latency_ms/" + device));
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
    const auto latency = arrays_.read_doubles(group + "/latency_ms");
    const auto quality = arrays_.read_doubles(group + "/quality");
    std::string csv = "arch,index,latency_ms,quality\n";
    for (std::size_t i = 0; i < names.size(); ++i)
      csv += names[i] + "," + exact(latency[i]) + "," + exact(quality[i]) + "\n";
    write(group + ".csv", csv);
  }

  void matrices() {
    const auto names = arrays_.read_strings(arrays_.exists("matrix_devices") ? "matrix_devices" : "devices");
    for (const std::string name : {"srcc", "kendall", "srcc_low", "srcc_high"}) {
      if (!arrays_.exists(name)) continue;
      const auto values = arrays_.read_doubles(name);
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
    const auto names = arrays_.read_strings("devices");
    const auto before = arrays_.read_doubles("srcc_before");
    const auto after = arrays_.read_doubles("srcc_after");
    const std::size_t trials = after.size() / names.size();
    std::string csv = "device,trial,srcc_before,srcc_after\n";
    for (std::size_t i = 0; i < names.size(); ++i)
      for (std::size_t trial = 0; trial < trials; ++trial)
        csv += csv_field(names[i]) + "," + std::to_string(trial) + "," + exact(before[i]) + "," +
               exact(after[i * trials + trial]) + "\n";
    write("adaptation.csv", csv);
  }

  H5File arrays_;
  fs::path folder_;
  H5Attributes attributes_;
  std::string written_;
};

}  // namespace

std::string export_csv(const std::string& result, const std::string& to) {
  if (!ResultFolder::finished(result))
    throw Error(result + ": is not a finished result folder (it has no DONE); name one that `oneproxy run` printed");
  return Exporter(result, to).run();
}

}  // namespace oneproxy
