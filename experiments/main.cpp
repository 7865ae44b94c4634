// The command-line program: parses, calls, prints. Results go to standard output, everything else to
// standard error. Exit status: 0 done, 1 an error (one line), 2 a usage error, 130 interrupted.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "engine/base/interrupt.h"
#include "engine/base/log.h"
#include "engine/base/names.h"
#include "engine/base/provenance.h"
#include "engine/base/resources.h"
#include "experiments/adapt_command.h"
#include "experiments/commands.h"
#include "experiments/runner.h"
#include "kernels/backend.h"
#include "kernels/parallel.h"

namespace oneproxy {
namespace {

std::string version_text() {
  return "oneproxy " + version() + " (" + commit() +
         "), CUDA code: " + (cuda_compiled() ? "compiled" : "not compiled") + ", device: " + cuda_device_name();
}

int run_program(int argc, char** argv) {
  CLI::App app{
      "Hardware-aware neural architecture search with one proxy device: latency monotonicity, AdaProxy, "
      "Pareto-optimal architectures for a new device."};
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text());
  app.failure_message(CLI::FailureMessage::simple);
  bool quiet = false;
  int threads = 0;
  app.add_flag("-q,--quiet", quiet, "only warnings and errors on the terminal");
  app.add_option("--threads", threads, "threads of the CPU back end (default: all, or ONEPROXY_THREADS)")
      ->check(CLI::Range(1, 1024));
  std::string output;

  RunOptions run;
  for (int i = 0; i < argc; ++i) run.command += (i ? " " : "") + std::string(argv[i]);
  auto add_config = [&](CLI::App* command) {
    command->add_option("config", run.config, "configuration (*.toml); `oneproxy list` shows those that ship")
        ->required();
    command->add_option("--set", run.overrides, "override a key: key=value, a TOML value, or a bare word or path")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
  };
  auto* run_command = app.add_subcommand("run", "run an experiment; prints its result folder as the last line");
  add_config(run_command);
  run_command->add_option("--out", run.out, "folder of results: DIR/<kind>/<name>-<hash>/")->capture_default_str();
  run_command->add_flag("--force", run.force, "run again although the result is there");
  run_command->callback([&] { output = run_experiment(run) + "\n"; });

  auto* check_command = app.add_subcommand("check", "check a configuration and its data without running it");
  add_config(check_command);
  check_command->callback([&] { output = check_experiment(run) + "\n"; });

  std::string kind;
  auto* list_command = app.add_subcommand("list", "kinds of experiment and configurations; the keys of one kind");
  list_command->add_option("kind", kind, "a kind, to see the keys of its configuration");
  list_command->callback([&] { output = kind.empty() ? list_everything() : describe_kind(kind); });

  std::string store;
  auto* info_command = app.add_subcommand("info", "what is in a store (the one that ships by default)");
  info_command->add_option("store", store, "store (*.h5)");
  info_command->callback([&] { output = describe_store(store.empty() ? shipped_store() : store); });

  ImportOptions import;
  auto* import_command = app.add_subcommand("import", "add measurements of your own device to a store");
  import_command->add_option("file", import.file, "CSV with columns arch,latency_ms[,repeat]")->required();
  import_command->add_option("--space", import.space, "search space of the architectures")->required();
  import_command->add_option("--device", import.device, "name of the device")->required();
  import_command->add_option("--store", import.store, "store to add to; begins as a copy of the one that ships")
      ->capture_default_str();
  import_command->add_option("--set", import.set, "set of your measurements")->capture_default_str();
  import_command->add_option("--batch", import.batch, "batch size of the measurements (0: unknown)")
      ->check(CLI::NonNegativeNumber);
  import_command->add_option("--precision", import.precision, "for example fp32, int8")->capture_default_str();
  import_command->add_option("--source", import.source, "where the measurements come from (default: the file's name)");
  import_command->add_option("--licence", import.licence, "licence of the measurements (default: private)");
  import_command->callback([&] { output = import_device(import); });

  PlanOptions plan;
  auto* plan_command =
      app.add_subcommand("plan", "which architectures to measure on a new device, as a CSV to fill in");
  plan_command->add_option("--space", plan.space, "search space")->required();
  plan_command->add_option("--k", plan.k, "how many")->capture_default_str()->check(CLI::Range(1, 5000));
  plan_command->add_option("--selection", plan.selection, "random, kmeans, d_optimal or a_optimal")
      ->capture_default_str();
  plan_command->add_option("--measured", plan.measured, "CSV of architectures that are measured already");
  plan_command->add_option("--out", plan.out, "CSV to write; never overwritten")->capture_default_str();
  AdaptOptions adapt;
  auto* adapt_command = app.add_subcommand("adapt", "latency predictor from a few measurements, and how sure it is");
  adapt_command->add_option("--space", adapt.space, "search space")->required();
  adapt_command->add_option("--measurements", adapt.measurements, "CSV with columns arch,latency_ms[,repeat]")
      ->required();
  adapt_command->add_option("--device", adapt.device, "name of the device, if it is in the store: no source then");
  adapt_command->add_option("--unit", adapt.unit, "of the latencies in the file: ms, s or us")
      ->capture_default_str()
      ->check(CLI::IsMember({"ms", "s", "us"}));
  adapt_command->add_option("--prior", adapt.prior, "learnt (from the sources), stated or flat")
      ->capture_default_str()
      ->check(CLI::IsMember({"learnt", "stated", "flat"}));
  adapt_command->add_flag("--split-sources", adapt.split_sources, "mean of the sources apart from their deviations");
  adapt_command->add_option("--threshold", adapt.threshold, "SRCC that is good enough")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  adapt_command->add_option("--confidence", adapt.confidence, "probability of it at which to stop")
      ->capture_default_str()
      ->check(CLI::Range(0.5, 0.99));
  adapt_command->add_option("--out", adapt.out, "HDF5 file for the predictor");
  auto add_sources = [&](CLI::App* command, auto& options) {
    command->add_option("--geometry", options.geometry, "data set whose shapes count (default: the space's first)");
    command->add_option("--sources", options.sources, "source devices; \"all\" of the set, or \"none\"");
    command->add_option("--set", options.set, "set of the sources' measurements")->capture_default_str();
    command->add_option("--store", options.store, "store of the sources (default: the one that ships)");
    command->add_option("--seed", options.seed, "of all random draws")->capture_default_str();
  };
  add_sources(plan_command, plan);
  add_sources(adapt_command, adapt);
  plan_command->callback([&] { output = plan_measurements(plan); });
  adapt_command->callback([&] { output = adapt_to_measurements(adapt); });

  std::string result, to;
  bool csv = false;
  auto* export_command = app.add_subcommand("export", "write fronts, predictions and matrices of a result as CSV");
  export_command->add_option("result", result, "result folder")->required();
  export_command->add_flag("--csv", csv, "as CSV (the only form there is)");
  export_command->add_option("--to", to, "folder for the files (default: RESULT/csv)");
  export_command->callback([&] { output = export_csv(result, to); });

  std::string space, geometry, arch, index, official;
  auto* arch_command = app.add_subcommand("arch", "one architecture in all its forms, with its cost");
  arch_command->add_option("--space", space, "search space")->required();
  arch_command->add_option("--geometry", geometry, "data set whose shapes count (default: the space's first)");
  arch_command->add_option("--store", store, "store with the official index (default: the one that ships)");
  auto* forms = arch_command->add_option_group("form", "exactly one of");
  auto* by_arch = forms->add_option("arch", arch, "the space's own string, or choices as numbers");
  auto* by_index = forms->add_option("--index", index, "index: mixed radix, first decision most significant");
  forms->add_option("--official", official, "the published numbering of the space");
  forms->require_option(1);
  arch_command->callback([&] {
    const std::string form = *by_arch ? "arch" : *by_index ? "index" : "official";
    output = describe_architecture(space, geometry, form,
                                   *by_arch    ? arch
                                   : *by_index ? index
                                               : official,
                                   store.empty() ? shipped_store() : store);
  });

  // The options before the command take effect before the command runs.
  app.parse_complete_callback([&] {
    set_quiet(quiet);
    if (threads > 0) set_thread_count(threads);
  });
  // Named before the parser gives up with "a subcommand is required".
  if (argc > 1 && argv[1][0] != '-') {
    std::vector<std::string> commands;
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
      commands.push_back(command->get_name());
    if (std::find(commands.begin(), commands.end(), argv[1]) == commands.end()) {
      std::fprintf(stderr, "oneproxy: error: %s; see oneproxy --help\n",
                   unknown_name("command", argv[1], "", commands).c_str());
      return 2;
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::cout << output << std::flush;
  if (!std::cout) throw Error("standard output can not be written; is the disk full or the reader gone?");
  return 0;
}

}  // namespace
}  // namespace oneproxy

int main(int argc, char** argv) {
  oneproxy::install_interrupt_handler();
  try {
    return oneproxy::run_program(argc, argv);
  } catch (const oneproxy::Interrupted& error) {
    std::fprintf(stderr, "oneproxy: %s\n", error.what());
    return 130;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "oneproxy: error: %s\n", error.what());
    return 1;
  }
}
