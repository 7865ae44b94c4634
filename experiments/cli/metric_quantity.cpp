#include "experiments/cli/metric_quantity.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

struct Known {
  std::string set;
  Quantity quantity;
};

// The metric of this name in the store: in `set`, else in the first set that has it.
std::optional<Known> in_store(const std::string& name, const std::string& wanted, const std::string& path,
                              const std::string& space) {
  if (!file_exists(path)) return std::nullopt;
  const Store store(path);
  const auto spaces = store.spaces();
  if (std::find(spaces.begin(), spaces.end(), space) == spaces.end()) return std::nullopt;
  std::optional<Known> found;
  for (const auto& set : store.sets(space)) {
    const auto metrics = store.metrics(space, set);
    if (std::find(metrics.begin(), metrics.end(), name) == metrics.end()) continue;
    const Column column = store.metric(space, set, name);
    const std::string direction = column.text("direction");
    if (direction.empty() || (found && set != wanted)) continue;
    found = Known{set, {name, name, column.text("unit"), parse_direction(direction, path + ": direction of " + name)}};
  }
  return found;
}

}  // namespace

void check_plain_name(const std::string& name, const std::string& option) {
  if (name.empty() || name.find_first_of("/:\"', ") != std::string::npos || name[0] == '.')
    throw Error(option + " '" + name + "': such a name has no blanks, quotes, commas, '/' or ':'");
}

void check_metric_name(const std::string& name) {
  for (const char* column : {"arch", "latency_ms", "value", "repeat", "order", "index", "decisions", "macs"})
    if (name == column)
      throw Error("--metric " + name + ": is a column of plans and measurements already; call the metric otherwise" +
                  (name == "latency_ms" ? ", or leave --metric out for latencies" : ""));
  check_plain_name(name, "--metric");
}

Quantity metric_quantity(const std::string& name, const std::string& unit, const std::string& direction,
                         const std::string& set, const std::string& store, const std::string& space) {
  const auto known = in_store(name, set, store, space);
  if (unit.empty() && (!known || known->quantity.unit.empty()))
    throw Error("--metric " + name + ": its unit is not known; give --unit, for example mJ, images/s, %, fraction");
  if (direction.empty() && !known)
    throw Error("--metric " + name + ": nothing says which way it is better; give --direction min or max");
  Quantity quantity{name, name, unit.empty() ? known->quantity.unit : unit,
                    direction.empty() ? known->quantity.direction : parse_direction(direction, "--direction")};
  if (known && known->set == set) {
    const std::string place = ", but in set " + set + " of " + store + " ";
    if (quantity.direction != known->quantity.direction)
      throw Error("--metric " + name + " --direction " + direction + place + "it is " +
                  to_string(known->quantity.direction) + "; leave --direction out, or give the metric another name");
    if (quantity.unit != known->quantity.unit)
      throw Error("--metric " + name + " --unit " + unit + place + "it is in " + known->quantity.unit +
                  "; convert the values, or give the metric another name");
  }
  return quantity;
}

}  // namespace oneproxy
