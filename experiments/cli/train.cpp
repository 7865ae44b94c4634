// `oneproxy train`: the experiment train_predictor, and its predictor put where it is asked for.
#include <cstdint>
#include <filesystem>

#include "experiments/cli/commands.h"
#include "experiments/cli/new_file.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/space/space_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;

constexpr std::uint64_t kMaxPredictor = std::uint64_t{1} << 30;  // bytes; far more than one has

std::string train_predictor(TrainOptions options) {
  auto& run = options.run;
  if (run.config.empty() == options.space.empty())
    throw Error("train: give either a configuration or --space SPACE, whose train_predictor.toml is taken then");
  require_new_file(options.out, run.force);
  if (names_space_file(options.space)) {  // no configuration ships for it: all but the space is as by default
    const SearchSpace space = SearchSpace::load(options.space);
    const std::vector<std::string> keys = {"kind=train_predictor", "space='" + options.space + "'",
                                           "name=" + space.name() + "_train_predictor"};
    run.overrides.insert(run.overrides.begin(), keys.begin(), keys.end());
  } else if (run.config.empty()) {
    space_file(options.space);  // Error offers the spaces there are
    run.config = (fs::path(home_folder()) / "configs" / options.space / "train_predictor.toml").string();
    if (!file_exists(run.config))
      throw Error("train: no configuration ships for " + options.space + " (" + run.config + "); name one of yours");
  }
  // First, so that --set has the last word.
  if (!options.target.empty()) run.overrides.insert(run.overrides.begin(), "target=\"" + options.target + "\"");
  const auto kind = Config::load(run.config, run.overrides).text("kind", std::nullopt, "kind of experiment");
  if (kind != "train_predictor")
    throw Error(run.config + ": is of kind " + kind + "; train wants one of kind train_predictor");
  const std::string result = run_experiment(run);
  if (options.out.empty()) return result + "\n";
  write_file_atomically(options.out, read_file((fs::path(result) / "predictor.h5").string(), kMaxPredictor));
  return result + "\n" + options.out + "\n";
}

}  // namespace oneproxy
