#include "experiments/cli/next_options.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/form_options.h"
#include "experiments/cli/next_command.h"

namespace oneproxy {

void add_next_command(CLI::App& app, std::string& output) {
  auto options = std::make_shared<NextOptions>();
  auto* command = app.add_subcommand(
      "next", "which networks to measure now, so that the front on the device is known soonest; the front so far");
  command->add_option("--space", options->space, "search space: one that ships, or a file (*.toml)")->required();
  command->add_option("--quality", options->quality,
                      "what is good of a network, for example metric:natsbench:cifar10, predictor:NAME, \"min "
                      "metric:NAME\" (default: model:accuracy, where the space has it)");
  command
      ->add_option("--limits", options->limits,
                   "on what is measured, for example 25,40 or 25ms,0.04s: the best network within each (default: the "
                   "whole front)")
      ->delimiter(',');
  command->add_option("--measurements", options->measurements,
                      "CSV files with architectures and latencies (of a --metric its column), read as one; "
                      "docs/measurements.md says what is recognised; without any: the start");
  command->add_option("--out", options->out, "CSV to fill in; overwritten only with --force")->capture_default_str();
  command->add_flag("--force", options->force, "replace --out where it is there");
  command->add_option("--front", options->front,
                      "CSV for the front so far, to be read by programs; each call writes it anew");
  command->add_option("--metric", options->metric,
                      "what is measured instead of latency, for example energy: a column of the file");
  command->add_option("--unit", options->unit,
                      "of the values in the file: of latencies ms, s, us or ns (default: as the file says, else ms); "
                      "of a --metric for example mJ");
  command->add_option("--direction", options->direction, "of a --metric: min or max, which way is better");
  add_form_options(*command, options->form);
  command->add_option(
      "--also", options->also,
      "a second quantity that is measured with the first, for example energy: a column of the same file");
  command->add_option("--also-unit", options->also_unit, "its unit, for example mJ");
  command->add_option("--also-direction", options->also_direction, "min or max, which way it is better");
  command->add_option("--also-limits", options->also_limits, "on the second quantity, in pairs with --limits")
      ->delimiter(',');
  command->add_option("--also-sources", options->also_sources, "source devices of the second quantity, as --sources")
      ->delimiter(',');
  command->add_option("--batch", options->batch, "networks of a round")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command
      ->add_option("--floor", options->floor, "networks whose quality is below this quantile of all count for nothing")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 0.99));
  command->add_option("--stop-gain", options->stop_gain, "expected remaining gain, as a share, at which to stop")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--repeats", options->repeats, "measurements of each network of the answer; 1: none again")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  command->add_option("--fix", options->fix, "DECISION=CHOICE|CHOICE, as often as wanted: a part of the space")
      ->allow_extra_args(false);
  auto* measure = command->add_option("--measure-with", options->measure_with,
                                      "a command that measures, run by the shell as COMMAND ASKED.csv MEASURED.csv "
                                      "until all is done: it reads the networks of the first file and writes the "
                                      "second, the same with values; the last of --measurements keeps what it "
                                      "measured, and the same call goes on from there");
  command
      ->add_option("--budget", options->budget,
                   "measurements in all, room kept to measure the answer again; 0: until it is done")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000000));
  command->add_option("--timeout", options->timeout, "seconds for one call of the command; 0: none")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e9))
      ->needs(measure);
  command->add_option("--geometry", options->geometry, "data set whose shapes count (default: the space's first)");
  command
      ->add_option("--sources", options->sources,
                   "source devices, or metrics as metric:NAME; \"all\" devices of the set, or \"none\"")
      ->delimiter(',');
  command->add_option("--set", options->set, "set of the sources' measurements and of metrics (default: the space's)");
  command->add_option("--store", options->store, "store of both (default: the one that ships)");
  command->add_option("--seed", options->seed, "of all random draws")->capture_default_str();
  command->callback([options, &output] { output = next_measurements(*options); });
}

}  // namespace oneproxy
