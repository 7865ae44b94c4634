#include "experiments/cli/fleet_options.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/fleet_command.h"
#include "experiments/cli/form_options.h"

namespace oneproxy {

void add_fleet_command(CLI::App& app, const std::string& call, std::string& output) {
  auto options = std::make_shared<FleetOptions>();
  auto* command = app.add_subcommand(
      "fleet", "measurements of many devices in one file: proxies, samples and networks for each, in one report");
  command
      ->add_option("measurements", options->measurements,
                   "CSV files with a column of latencies for each device, or with a column of devices' names; "
                   "docs/measurements.md says what is recognised")
      ->required();
  command->add_option("--space", options->space, "search space: one that ships, or a file (*.toml)")->required();
  command->add_option("--devices", options->devices, "devices of the files (default: all)")->delimiter(',');
  command->add_option("--unit", options->unit,
                      "of the latencies: ms, s, us or ns (default: as the files say, else ms)");
  add_form_options(*command, options->form);
  command->add_option("--quality", options->quality,
                      "what is good of a network, for example metric:natsbench:cifar10 (default: that of the space)");
  command
      ->add_option("--limits", options->limits,
                   "latency limits in ms, for example 20,30 (default: what a quarter and half of the networks keep)")
      ->delimiter(',');
  command->add_option("--threshold", options->threshold, "SRCC that is good enough, of a proxy and of a predictor")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--confidence", options->confidence, "probability of it, and that limits hold")
      ->capture_default_str()
      ->check(CLI::Range(0.5, 0.99));
  command->add_option("--out", options->out, "CSV to write, a line for each device and limit; never overwritten");
  command->add_option("--results", options->results,
                      "folder of results: DIR/fleet/<file>-<hash>/, of which `oneproxy report` makes a page");
  command->add_option("--geometry", options->geometry, "data set whose shapes count (default: the space's first)");
  command->add_option("--sources", options->sources, "known devices: \"all\" of the set, or \"none\"")->delimiter(',');
  command->add_option("--set", options->set, "set of their measurements (default: the space's)");
  command->add_option("--store", options->store, "store of them (default: the one that ships)");
  command->add_option("--seed", options->seed, "of all random draws")->capture_default_str();
  command->callback([options, &call, &output] {
    options->command = call;
    output = describe_fleet(*options);
  });
}

}  // namespace oneproxy
