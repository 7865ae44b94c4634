#include "experiments/cli/merge_command.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/commands.h"
#include "experiments/runner.h"
#include "experiments/shards.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

struct MergeOptions {
  std::vector<std::string> files;
  std::string out;  // "": where the shards were to write
  bool force = false;
};

std::string merge_shards(const MergeOptions& options, const std::string& command) {
  Shards shards = read_shards(options.files);
  if (shards.run.command == "score") return merge_scores(std::move(shards), options.out, options.force);
  if (shards.run.command != "run")
    throw Error(options.files.front() + ": is of a command '" + shards.run.command + "' that this version has not");
  RunOptions run = run_options_of(shards.run.options);
  if (!options.out.empty()) run.out = options.out;
  run.force = options.force;
  run.command = command;
  run.merged = std::move(shards);
  return run_experiment(run) + "\n";
}

}  // namespace

void add_merge_command(CLI::App& app, const std::string& command, std::string& output) {
  auto* merge = app.add_subcommand("merge", "the result of a run from the files of all its shards (--shard i/n)");
  const auto options = std::make_shared<MergeOptions>();
  merge->add_option("files", options->files, "files of all shards: results/search/NAME.shard-*-of-8.h5")->required();
  merge->add_option("--out", options->out,
                    "folder of results, of `score` the file to write (default: as the shards were told)");
  merge->add_flag("--force", options->force, "replace a result that is there");
  merge->callback([options, &command, &output] { output = merge_shards(*options, command); });
}

}  // namespace oneproxy
