#include "experiments/cli/shared_run.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/share/mpi_module.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

std::unique_ptr<Processes>& connected() {
  static std::unique_ptr<Processes> own;
  return own;
}

}  // namespace

Processes* processes() {
  if (!connected() && launched_by_mpi()) {
    connected() = connect_processes();
    if (connected()->rank() > 0) set_silent();  // rank 0 says the same
  }
  return connected().get();
}

std::string said_once(const std::string& output) { return connected() && connected()->rank() > 0 ? "" : output; }

void refuse_copies(CLI::App& app) {
  if (!launched_by_mpi()) return;
  for (auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (command->get_name() != "run" && command->get_name() != "search")
      command->preparse_callback([name = command->get_name()](std::size_t) {
        throw Error("mpirun has started several copies of oneproxy " + name +
                    ", which does not share its work; run and search do, score has --shard i/n");
      });
}

std::string rank_prefix() {
  if (!connected()) return "";
  if (connected()->rank() > 0) std::this_thread::sleep_for(std::chrono::seconds(1));
  return name_of(*connected()) + ": ";
}

void end_other_ranks(int status) {
  if (connected()) connected()->abort(status);
}

}  // namespace oneproxy
