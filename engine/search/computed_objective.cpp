#include "oneproxy/engine/search/computed_objective.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "oneproxy/engine/base/interrupt.h"

namespace oneproxy {
namespace {

class Computed {
 public:
  Computed(std::size_t width, ComputeValues compute) : width_(width), compute_(std::move(compute)) {}

  void evaluate(std::span<const std::uint8_t> choices, std::span<double> values) {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint8_t> fresh;
    std::unordered_set<std::string> asked;  // the keys of these
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto one = choices.subspan(i * width_, width_);
      if (known_.contains(key(one)) || !asked.insert(key(one)).second) continue;
      fresh.insert(fresh.end(), one.begin(), one.end());
      if (asked.size() == kComputedBatch) {
        compute(fresh);
        fresh.clear();
        asked.clear();
      }
    }
    if (!fresh.empty()) compute(fresh);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = known_.at(key(choices.subspan(i * width_, width_)));
  }

 private:
  static std::string key(std::span<const std::uint8_t> one) { return {one.begin(), one.end()}; }

  void compute(std::span<const std::uint8_t> fresh) {
    check_interrupt();
    std::vector<double> values(fresh.size() / width_);
    compute_(fresh, values);
    for (std::size_t i = 0; i < values.size(); ++i) known_.emplace(key(fresh.subspan(i * width_, width_)), values[i]);
  }

  std::size_t width_;
  ComputeValues compute_;
  std::mutex mutex_;
  std::unordered_map<std::string, double> known_;
};

}  // namespace

Objective computed_objective(Quantity quantity, std::size_t n_decisions, ComputeValues compute) {
  auto computed = std::make_shared<Computed>(n_decisions, std::move(compute));
  Objective objective;
  static_cast<Quantity&>(objective) = std::move(quantity);
  objective.evaluate = [computed](std::span<const std::uint8_t> choices, std::span<double> values) {
    computed->evaluate(choices, values);
  };
  objective.is_computed = true;
  return objective;
}

}  // namespace oneproxy
