// What there is: in a store, among kinds of experiment and configurations, about one architecture.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "experiments/cli/commands.h"
#include "experiments/experiment.h"
#include "experiments/shipped_config.h"
#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/optimizer/policy_file.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/space/official_index.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

const std::vector<std::string> kModelHeader = {
    "look-up table or predictor", "space", "predicts", "unit", "form", "source", "licence"};

std::vector<std::string> table_cells(const H5File& file, const std::string& group, const std::string& name) {
  const auto cells = [&](const auto& table, const std::string& form) {
    return std::vector<std::string>{name,
                                    table.space,
                                    table.target,
                                    table.unit,
                                    form,
                                    attribute_text(table.record, "source"),
                                    attribute_text(table.record, "licence")};
  };
  if (is_index_table(file, group)) {
    const auto table = read_index_table(file, group);
    return cells(table, std::to_string(table.values.size()) + " values, by index");
  }
  const auto table = read_table(file, group);
  return cells(table, table.n_tables() == 1 ? "1 table" : std::to_string(table.n_tables()) + " tables, by resolution");
}

std::vector<std::string> predictor_cells(const MlpPredictor& predictor, const std::string& name) {
  std::string form = "MLP " + std::to_string(predictor.rows.size() / predictor.first_width) + "-" +
                     std::to_string(predictor.first_width);
  for (const auto& layer : predictor.layers) form += "-" + std::to_string(layer.outputs);
  return {name,
          predictor.space,
          predictor.target,
          predictor.unit,
          form,
          attribute_text(predictor.record, "source"),
          attribute_text(predictor.record, "licence")};
}

// "phone: 20 reference networks, 3.1 to 17.2 ms; data sheet of gpu; cores 3584, ..."; "" where there is no device.
std::string describe_device(const H5File& file, const std::string& predictor) {
  if (!is_device(file, device_group(predictor))) return "";
  const Device device = read_device(file, device_group(predictor));
  const auto& latency = device.references.values;
  std::string text = device.name + ": " + count_of(std::ssize(latency), "reference network");
  if (!latency.empty()) {
    const auto [low, high] = std::minmax_element(latency.begin(), latency.end());
    text += ", " + brief(*low) + " to " + brief(*high) + " ms";
  }
  return text + (device.data_sheet ? "; data sheet: " + describe(*device.data_sheet) : "; no data sheet") + "\n";
}

// Look-up tables and predictors, where the store has any.
std::string describe_predictors(const std::string& path) {
  Table rows(kModelHeader);
  std::string devices;
  bool any = false;
  const H5File file(path, H5Mode::read);
  for (const auto& space : predicted_spaces(path)) {
    for (const auto& name : table_names(path, space)) {
      rows.row(table_cells(file, "/tables/" + space + "/" + name, name));
      devices += describe_device(file, "/tables/" + space + "/" + name);
      any = true;
    }
    for (const auto& name : predictor_names(path, space)) {
      rows.row(predictor_cells(read_predictor(file, "/predictors/" + space + "/" + name), name));
      devices += describe_device(file, "/predictors/" + space + "/" + name);
      any = true;
    }
  }
  if (!any) return "";
  return "\n" + rows.markdown() + (devices.empty() ? "" : "\nDevices that these were adapted to:\n" + devices);
}

std::string shown(const H5Attribute& value) {
  const auto as_text = [](const auto& one) {
    if constexpr (std::is_same_v<std::decay_t<decltype(one)>, std::string>)
      return one;
    else
      return exact(static_cast<double>(one));
  };
  return std::visit(as_text, value);
}

bool is_optimizer_file(const std::string& path) {
  return attribute_text(H5File(path, H5Mode::read).attributes("/"), "format") == "oneproxy-optimizer";
}

bool is_model_file(const std::string& path) {
  const auto format = attribute_text(H5File(path, H5Mode::read).attributes("/"), "format");
  return format == "oneproxy-predictor" || format == "oneproxy-table" || format == "oneproxy-rate-table" ||
         format == "oneproxy-index-table";
}

// A file of an optimizer, as `oneproxy train-optimizer` writes it.
std::string describe_optimizer_file(const std::string& path) {
  const auto optimizer = load_optimizer(path);
  std::string text = path + ": optimizer of " + optimizer.space + "\n\n";
  text += "answers for: " + join(optimizer.qualities) + "\n";
  text += "asked for a latency limit, or a preference of quality and latency" +
          std::string(optimizer.inputs.energy ? " and energy" : "") + "\n";
  text += "made from: " + join(optimizer.sources) + "\n";
  text += "network: " + std::to_string(optimizer.parameters.size()) + " parameters on " +
          std::to_string(optimizer.inputs.n_coordinates) + " coordinates of a device\n";
  for (const auto& [key, value] : optimizer.record) text += key + ": " + shown(value) + "\n";
  return text;
}

// A file of one predictor, as `oneproxy adapt --out` and `oneproxy train --out` write them: with its record.
std::string describe_model_file(const std::string& path) {
  const H5File file(path, H5Mode::read);
  const auto attributes = file.attributes("/");
  const std::string name = fs::path(path).filename().string();
  Table rows(kModelHeader);
  rows.row(attribute_text(attributes, "format") == "oneproxy-predictor"
               ? predictor_cells(read_predictor(file, "/"), name)
               : table_cells(file, "/", name));
  std::string text = path + "\n\n" + rows.markdown() + "\n";
  for (const auto& [key, value] : attributes) text += key + ": " + shown(value) + "\n";
  if (const auto device = describe_device(file, "/"); !device.empty()) text += "device " + device;
  return text;
}

}  // namespace

std::string describe_store(const std::string& path) {
  if (is_model_file(path)) return describe_model_file(path);
  if (is_optimizer_file(path)) return describe_optimizer_file(path);
  const Store store(path);
  std::string text = path + "\n";
  for (const auto& space : store.spaces()) {
    for (const auto& set : store.sets(space)) {
      const auto attributes = store.set_attributes(space, set);
      const auto rows = store.rows(space, set);
      text += "\n" + space + ", set " + set + ": " + std::to_string(rows.n) + " architectures of " +
              std::to_string(rows.n_decisions) + " decisions" +
              (rows.official_index.empty() ? "" : ", with official index") + "\n";
      if (const auto line = attribute_text(attributes, "description"); !line.empty()) text += "  " + line + "\n";
      if (const auto source = attribute_text(attributes, "source"); !source.empty())
        text += "  source: " + source + ", licence: " + attribute_text(attributes, "licence") + "\n";
      Table table({"device or metric", "name", "unit", "better", "known", "missing", "smallest", "median", "largest",
                   "batch", "precision"});
      std::string notes;  // what a reader of the numbers must know
      auto add = [&](const Column& column, const std::string& prefix) {
        std::vector<double> known;
        for (const double v : column.values)
          if (!std::isnan(v)) known.push_back(v);
        std::sort(known.begin(), known.end());
        const auto at = [&](double q) {
          return known.empty() ? std::string("-") : plain(std::round(known[(known.size() - 1) * q] * 1e4) / 1e4);
        };
        const auto batch = column.text("batch");
        const bool lower = column.text("direction").empty() || column.text("direction").starts_with("minimi");
        const auto name = column.text(prefix.empty() ? "long_name" : "description");
        table.row({prefix + column.name, name.empty() ? "-" : name, column.text("unit"), lower ? "lower" : "higher",
                   std::to_string(known.size()), std::to_string(column.n_missing()), at(0), at(0.5), at(1),
                   batch.empty() || batch == "0" ? "-" : batch,
                   column.text("precision").empty() ? "-" : column.text("precision")});
        if (const auto note = column.text("note"); !note.empty()) notes += "  " + column.name + ": " + note + "\n";
      };
      const auto sorted = [](std::vector<std::string> names) {
        std::sort(names.begin(), names.end(), natural_less);
        return names;
      };
      for (const auto& device : sorted(store.devices(space, set))) add(store.latency(space, set, device), "");
      for (const auto& metric : sorted(store.metrics(space, set))) add(store.metric(space, set, metric), "metric ");
      text += table.markdown() + notes;
    }
  }
  return text + describe_predictors(path);
}

std::string list_everything(bool with_smoke) {
  std::string text = "Kinds of experiment (`oneproxy list KIND` shows the keys of a configuration):\n";
  Table kinds({"kind", "what it does"});
  for (const auto& kind : experiment_kinds()) kinds.row({kind.name, kind.description});
  text += kinds.markdown() + "\nConfigurations that ship:\n";
  std::int64_t hidden = 0;
  for (const auto& file : shipped_configs()) {
    const bool smoke = fs::path(file).filename().string().starts_with("smoke_");
    hidden += smoke && !with_smoke;
    if (!smoke || with_smoke) text += "  " + file + "\n";
  }
  if (hidden > 0)
    text += "and " + count_of(hidden, "small one") +
            ", which try a kind in seconds and measure nothing: `oneproxy list --smoke` shows them\n";
  return text;
}

namespace {
// The names of a decision's choices; of many the first, the last, and how many they are.
std::string choices_of(const std::vector<std::string>& names) {
  constexpr std::size_t most = 16;
  if (names.size() <= most) return join(names, " ");
  return names[0] + " " + names[1] + " ... " + names.back() + " (" + std::to_string(names.size()) + ")";
}
}  // namespace

std::string describe_space(const std::string& file) {
  const SearchSpace space = SearchSpace::load_file(file);
  const SubSpace part = SubSpace::of(space);
  std::string text = "space " + space.name() + ": " + to_decimal(space.size()) + " architectures, " +
                     count_of(space.n_decisions(), "decision") +
                     (part.is_whole() ? "" : "; " + part.describe() + ": " + to_decimal(part.size())) +
                     ", for example\n  " + space.to_string(part.choices(part.size() - 1)) + "\n\n";
  Table table({"decision", "choices"});
  for (int d = 0; d < space.n_decisions(); ++d) {
    std::vector<std::string> names;
    for (const auto choice : part.choices_of_decision(d))
      names.push_back(space.decisions()[d].choices[choice].operation.name);
    table.row({space.decisions()[d].name, choices_of(names)});
  }
  text += table.markdown();
  if (space.has_costs()) text += "\ngeometries: " + join(space.geometries()) + "\n";
  return text;
}

std::string describe_architecture(const std::string& space_name, const std::string& geometry, const std::string& form,
                                  const std::string& value, const std::string& store_path) {
  const SearchSpace space = SearchSpace::load(space_name, geometry);
  std::vector<std::uint8_t> choices;
  if (form == "index") {
    choices = space.choices(from_decimal(value));
  } else if (form == "official") {
    const Store store(store_path);
    const ArchIndex asked = from_decimal(value);
    const auto index = asked >> 62 ? std::nullopt : OfficialIndex(store, space).index(static_cast<std::int64_t>(asked));
    if (!index)
      throw Error("--official " + value + ": no architecture of " + space.name() + " has it in " + store_path);
    choices = space.choices(*index);
  } else {
    choices = space.parse(value);
  }
  std::string digits;
  for (const auto choice : choices) digits += (digits.empty() ? "" : ",") + std::to_string(choice);
  std::string text = "architecture      " + space.to_string(choices) + "\nchoices           " + digits +
                     "\nindex             " + to_decimal(space.index(choices)) + "\n";
  if (!space.kept().empty())
    text += "in the part       " + std::string(SubSpace::of(space).digits(choices).empty() ? "no" : "yes") + "\n";
  std::string tables;
  if (!(space.size() >> 64)) {
    const auto official = OfficialIndex(Store(store_path), space).official(space.index(choices));
    text += "official index    " + (official ? std::to_string(*official) : "none in the store") + "\n";
  }
  for (const auto& name : table_names(store_path, space.name())) {
    const auto table = find_table(name, store_path, space);
    double value = 0;
    predict(table, choices, std::span(&value, 1));
    const auto [target, unit] = std::visit([](const auto& t) { return std::pair(t.target, t.unit); }, table);
    tables += name + std::string(std::max<std::size_t>(name.size() + 1, 18) - name.size(), ' ') +
              (std::isnan(value) ? "not covered" : plain(std::round(value * 1e4) / 1e4) + " " + unit) + " (" + target +
              ", look-up table)\n";
  }
  if (!space.has_costs()) return text + tables;
  const Cost cost = space.cost(choices);
  return text + "geometry          " + space.geometry() + "\nMACs              " + plain(cost.macs) +
         "\nparameters        " + plain(cost.parameters) + "\nactivation bytes  " + plain(cost.activation_bytes) +
         "\n" + tables;
}

}  // namespace oneproxy
