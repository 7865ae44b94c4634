// `oneproxy search`: an experiment of kind search whose keys come from the command line alone.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "experiments/cli/commands.h"
#include "experiments/runner.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

std::string search_space(SearchOptions options) {
  const auto quoted = [](const std::string& text) {
    if (text.find('\'') != std::string::npos)
      throw Error("'" + text + "': a quote has no place in the name of a predictor, a device or a decision");
    return "'" + text + "'";
  };
  const auto list = [&](const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts) all += (all.empty() ? "" : ",") + quoted(text);
    return all;
  };
  std::vector<std::string> keys = {
      "kind=search", "name=" + std::filesystem::path(options.space).stem().string() + "_" + options.method,
      "space=" + quoted(options.space), "method=" + quoted(options.method)};
  if (!options.latency.empty()) keys.push_back("latency=" + quoted(options.latency));
  if (!options.quality.empty()) keys.push_back("quality=" + quoted(options.quality));
  if (!options.objectives.empty()) keys.push_back("objectives=[" + list(options.objectives) + "]");
  if (!options.limits.empty()) {  // of a limit with a unit, a text
    std::string limits;
    std::size_t begin = 0;
    while (begin <= options.limits.size()) {
      const auto end = std::min(options.limits.find(',', begin), options.limits.size());
      const std::string limit = options.limits.substr(begin, end - begin);
      limits += (begin ? "," : "") + (std::isnan(number_of(limit)) ? quoted(limit) : limit);
      begin = end + 1;
    }
    keys.push_back("limits_ms=[" + limits + "]");
  }
  if (!options.seconds.empty()) keys.push_back("seconds=" + options.seconds);
  if (!options.confidence.empty()) keys.push_back("confidence=" + options.confidence);
  if (!options.store.empty()) keys.push_back("store=" + quoted(options.store));
  if (!options.evaluations.empty()) keys.push_back("evaluations=" + options.evaluations);
  if (!options.optimizer.empty()) keys.push_back("optimizer=" + quoted(options.optimizer));
  if (options.best > 1) keys.push_back("best=" + std::to_string(options.best));
  if (!options.fix.empty()) keys.push_back("fix=[" + list(options.fix) + "]");
  options.run.overrides.insert(options.run.overrides.begin(), keys.begin(), keys.end());
  return run_experiment(options.run);
}

}  // namespace oneproxy
