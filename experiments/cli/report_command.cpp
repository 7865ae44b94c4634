#include "experiments/cli/report_command.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/python_command.h"

namespace oneproxy {
namespace {

struct ReportOptions {
  std::vector<std::string> results;
  std::string html;
  bool force = false;
};

}  // namespace

void add_report_command(CLI::App& app) {
  auto options = std::make_shared<ReportOptions>();
  auto* command =
      app.add_subcommand("report", "one page of a result to show to others, in plain words; prints its file");
  command->add_option("result", options->results, "result folder; several: one page of all of them, with --html")
      ->required();
  command->add_option("--html", options->html, "file of the page (default: RESULT/report.html)");
  command->add_flag("--force", options->force, "replace what is there, even where it is no page of the same result");
  command->callback([options] {
    std::vector<std::string> arguments = options->results;
    if (!options->html.empty()) arguments.insert(arguments.begin(), {"--html", options->html});
    if (options->force) arguments.insert(arguments.begin(), "--force");
    become_python("oneproxy_results.report.command", arguments, "plotly, h5py, numpy, scipy and matplotlib");
  });
}

}  // namespace oneproxy
