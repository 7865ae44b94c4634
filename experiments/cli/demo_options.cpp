#include "experiments/cli/demo_options.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/demo_phone.h"

namespace oneproxy {

void add_demo_commands(CLI::App& app, std::string& output, const std::string& program, CommandRunner run) {
  auto demo = std::make_shared<DemoOptions>();
  demo->program = program;
  auto* demo_command = app.add_subcommand(
      "demo", "from a simulated phone to networks for it: shows and runs the commands that you would type, in seconds");
  demo_command->add_option("--out", demo->out, "folder for all files; never overwritten")->capture_default_str();
  demo_command->add_option("--seed", demo->seed, "of the noise of the measurements")->capture_default_str();
  demo_command->callback([demo, run = std::move(run)] { run_demo(*demo, run); });

  auto phone = std::make_shared<DemoPhoneOptions>();
  auto* phone_command = app.add_subcommand(
      "demo-phone", "a simulated phone measures the networks of a CSV; also for `next --measure-with`");
  phone_command->add_option("asked", phone->asked, "CSV with a column arch, as plan, next and export write it")
      ->required();
  phone_command->add_option("measured", phone->measured, "CSV to write: arch, latency_ms, repeat")->required();
  phone_command->add_option("--space", phone->space, "search space: one that ships, or a file (*.toml)")
      ->capture_default_str();
  phone_command->add_option("--geometry", phone->geometry, "data set whose shapes count (default: the space's first)");
  phone_command->add_option("--repeats", phone->repeats, "measurements of each line")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  phone_command->add_option("--noise", phone->noise, "relative standard deviation of a measurement")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  phone_command->add_option("--seed", phone->seed, "of the noise")->capture_default_str();
  phone_command->callback([phone, &output] { output = measure_on_demo_phone(*phone); });
}

}  // namespace oneproxy
