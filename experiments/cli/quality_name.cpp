#include "experiments/cli/quality_name.h"

#include <algorithm>

#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/space/accuracy_model.h"

namespace oneproxy {

std::string quality_in(const std::string& store_path, const SearchSpace& space) {
  const std::string base = space.measured_set();  // of a search, if it is not told another one
  const std::string none = proposed_quality(space);
  if (!file_exists(store_path)) return none;  // a store is not needed without sources
  const Store store(store_path);
  auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!has(store.spaces(), space.name()) || !has(store.sets(space.name()), base)) return none;
  std::string quality = none;
  for (const auto& set : store.sets(space.name()))
    for (const auto& metric : store.metrics(space.name(), set)) {
      if (store.metric(space.name(), set, metric).text("direction").starts_with("minimi")) continue;
      const std::string name = "metric:" + (set == base ? "" : set + ":") + metric;
      if (metric == space.geometry()) return name;
      if (quality == none) quality = name;
    }
  return quality;
}

}  // namespace oneproxy
