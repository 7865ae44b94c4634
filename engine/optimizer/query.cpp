#include "oneproxy/engine/optimizer/query.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

int quality_index(std::span<const std::string> qualities, const std::string& name, const std::string& where) {
  const auto found = std::find(qualities.begin(), qualities.end(), name);
  if (found == qualities.end())
    throw Error(unknown_name("quality", name, where, qualities) + "; the optimizer was trained for these only");
  return static_cast<int>(found - qualities.begin());
}

void check_query(const OptimizerQuery& query, int n_qualities, bool with_energy) {
  if (query.quality < 0 || query.quality >= n_qualities)
    throw Error("quality " + std::to_string(query.quality) + " is asked for, the optimizer knows 0 to " +
                std::to_string(n_qualities - 1));
  if (query.limit) {
    if (!std::isfinite(*query.limit))
      throw Error("the limit is " + plain(*query.limit) + "; give a finite number, or preference weights instead");
    return;
  }
  static constexpr const char* kNames[] = {"quality", "latency", "energy"};
  double sum = 0;
  for (std::size_t i = 0; i < query.preference.size(); ++i) {
    const double weight = query.preference[i];
    if (!(weight >= 0) || !std::isfinite(weight))
      throw Error(std::string("the preference weight of ") + kNames[i] + " is " + plain(weight) +
                  "; weights are 0 or above");
    sum += weight;
  }
  if (!(sum > 0))
    throw Error("the preference weights of quality, latency and energy are all 0; set one, or give a limit");
  if (query.preference[2] > 0 && !with_energy)
    throw Error("the preference weight of energy is " + plain(query.preference[2]) +
                ", but the optimizer was trained without energy; set it to 0, or train one with energy");
}

}  // namespace oneproxy
