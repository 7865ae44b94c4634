// The options of `oneproxy import`: one command for all that a user may bring, each with a file of its own.
#include "experiments/cli/import_command.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/commands.h"
#include "experiments/cli/form_options.h"
#include "experiments/cli/import_list.h"
#include "experiments/cli/import_table.h"
#include "oneproxy/engine/predictor/torch_predictor.h"

namespace oneproxy {
namespace {

struct Options {
  ImportOptions measured;
  PredictorImport predictor;
  TableImport table;
  ListImport list;
};

}  // namespace

void add_import_command(CLI::App& app, std::string& output) {
  const auto options = std::make_shared<Options>();  // as long as the command
  ImportOptions& import = options->measured;
  PredictorImport& predictor = options->predictor;
  TableImport& table = options->table;
  ListImport& list = options->list;
  auto* command = app.add_subcommand(
      "import",
      "add measurements of your own device, a metric, a look-up table, a list of networks or a trained predictor "
      "to a store");
  auto* csv_file =
      command->add_option("file", import.file,
                          "CSV with architectures and latencies (--device NAME), with a column for each device or a "
                          "column of their names (without --device), or with a metric (--metric NAME); "
                          "docs/measurements.md says what is recognised");
  auto* import_space =
      command->add_option("--space", import.space, "search space of the architectures: a name or a file (*.toml)");
  auto* device = command->add_option("--device", import.device, "name of the device");
  auto* metric = command
                     ->add_option("--metric", import.metric,
                                  "instead of a device: name of a metric (energy, memory, accuracy, throughput)")
                     ->excludes(device);
  auto* unit = command->add_option("--unit", import.unit,
                                   "unit of the values: of latencies ms, s, us or ns (default: as the file says, else "
                                   "ms); of a metric for example mJ, images/s, %, fraction; of a predictor or a "
                                   "table likewise");
  command->add_option("--store", import.store, "store to add to; begins as a copy of the one that ships")
      ->capture_default_str();
  command->add_option("--source", import.source, "where it comes from (default: the file's name)");
  command->add_option("--licence", import.licence, "its licence (default: private; of a predictor: unknown)");
  auto* set =
      command->add_option("--set", import.set, "set of your measurements (of a list: list)")->capture_default_str();
  std::vector<CLI::Option*> of_measurements = {
      csv_file,
      device,
      metric,
      command->add_option("--direction", import.direction, "of a metric: min or max, which way is better")
          ->needs(metric),
      set,
      command->add_option("--batch", import.batch, "batch size of the measurements (0: unknown)")
          ->check(CLI::NonNegativeNumber),
      command->add_option("--precision", import.precision, "for example fp32, int8")->capture_default_str()};
  auto* pth = command->add_option("--predictor", predictor.file,
                                  "instead of measurements: a stack of linear layers and ReLU, as a state_dict (*.pth) "
                                  "or as ONNX (*.onnx)");
  auto* table_files = command->add_option(
      "--table", table.files,
      "instead: a look-up table, as a CSV with columns decision,choice,value[,resolution] or as YAML files of measured "
      "layers (one a resolution, or their folder)");
  auto* name = command->add_option("--name", predictor.name,
                                   "of a predictor or a table in the store (default of a predictor: the file's)");
  auto* target = command->add_option("--target", predictor.target,
                                     "what it predicts, for example \"ImageNet top-1\", \"latency on my phone\"");
  auto* table_out = command->add_option("--out", table.out, "of a table: a file (*.h5) instead of a store");
  auto* force = command->add_flag("--force", table.force, "replace --out where it is there");
  auto* list_file = command->add_option("--list", list.list,
                                        "instead: a CSV with a row a network, its name and what was measured of it");
  std::vector<CLI::Option*> of_list = {
      command
          ->add_option("--space-file", list.space_file,
                       "of a list: the file of a space of its own to write (*.toml); else --space is a listed one")
          ->excludes(import_space),
      command->add_option("--names", list.names, "column of the names (default: name, model_name, model, ...)"),
      command->add_option("--metrics", list.metrics,
                          "columns of other values, with direction and unit: \"mAP*:max:fraction\""),
      command->add_option("--features", list.features,
                          "columns of words or numbers that tell networks apart, beside what their names say")};
  for (auto* option : of_list) option->needs(list_file);
  command->add_option("--devices", list.devices,
                      "of a list: columns of latencies; '*' stands for anything, and is the device's name. Of a file "
                      "of many devices: those to take (default: all)");
  add_form_options(*command, import.form);
  std::vector<CLI::Option*> of_predictor = {
      command->add_option("--layout", predictor.layout, "its inputs: onehot (the space's own code) or ofa")
          ->check(CLI::IsMember(kTorchLayouts))
          ->capture_default_str()};
  for (auto* option : of_predictor) option->needs(pth);
  for (auto* option : of_measurements) option->excludes(pth)->excludes(table_files);
  for (auto* option : {csv_file, device, metric}) option->excludes(list_file);
  table_files->excludes(pth)->excludes(list_file);
  list_file->excludes(pth);
  table_out->needs(table_files);
  force->needs(table_out);
  command->callback([=, owner = options, &output, &import, &predictor, &table, &list] {
    if (!*import_space && list.space_file.empty()) throw CLI::RequiredError("--space");
    if (*list_file) {
      list.space = import.space;
      list.store = import.store;
      list.source = import.source;
      if (!import.licence.empty()) list.licence = import.licence;
      if (*set) list.set = import.set;
      if (*unit) list.unit = import.unit;
      list.precision = import.precision;
      list.batch = import.batch;
      output = import_list(list);
      return;
    }
    if (*table_files) {
      if (!*name && !*table_out) throw CLI::RequiredError("--name (or --out) of the table");
      table.space = import.space;
      table.store = import.store;
      table.name = predictor.name;
      table.source = import.source;
      if (!import.licence.empty()) table.licence = import.licence;
      if (*target) table.target = predictor.target;
      if (*unit) table.unit = import.unit;
      output = import_table(table);
      return;
    }
    for (auto* option : {name, target})
      if (*option && !*pth) throw CLI::RequiresError(option->get_name(), "--predictor or --table");
    if (!*pth) {
      if (!*csv_file) throw CLI::RequiredError("file (or --predictor)");
      if (!list.devices.empty() && (*device || *metric))
        throw CLI::ExcludesError("--devices", *device ? "--device" : "--metric");
      import.devices = list.devices;
      output = *metric ? import_metric(import) : import_device(import);
      return;
    }
    predictor.space = import.space;
    predictor.store = import.store;
    predictor.source = import.source;
    if (!import.unit.empty()) predictor.unit = import.unit;
    if (!import.licence.empty()) predictor.licence = import.licence;
    output = import_predictor(predictor);
  });
}

}  // namespace oneproxy
