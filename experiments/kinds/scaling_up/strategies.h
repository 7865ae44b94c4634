#pragma once
// The ways to find the best architectures of many devices, with what each takes: measurements, and processor seconds
// (of all threads together, so that what else the machine does counts little).
//   each_device      a predictor of its own from many measurements, exact search on it
//   one_proxy        the proxy's front, taken over: a bisection along it measures what it needs to find, for each
//                    limit, the slowest member that keeps the limit (under monotonicity it is the best)
//   one_proxy_front  the same front, all of it measured on each device (as the paper's experiments do), the best
//                    within each limit
//   adaproxy         the proxy's predictor adapted with some measurements, exact search on it
//   adaproxy_front   the front of that predictor, bisected by measurements as the proxy's is
//   few_shot         a predictor from the sources and a few measurements, exact search on it
//   one_pass         the same predictor, the optimizer's one answer
//   proposals_N      the same, the best of N proposals that the predictor lets through
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/kinds/lookup_trial.h"
#include "experiments/kinds/scaling_up/contenders.h"
#include "experiments/kinds/scaling_up/fleet.h"
#include "oneproxy/engine/fleet/fleet_search.h"

namespace oneproxy::scaling_up {

struct Strategy {
  std::string name;
  std::int64_t once = 0;    // measurements, whatever the number of devices: of the proxy, of the sources
  double seconds_once = 0;  // processor seconds, likewise: fits, a front, a training
};

// What a strategy said about some devices.
struct StrategyOutcome {
  std::vector<FleetAnswer> answers;        // [n_devices, n_limits]; the latency as it predicted or measured it, in ms
  std::vector<std::int64_t> measurements;  // [n_devices], failed ones too
  double seconds = 0;                      // of processors
};

class Strategies {
 public:
  // Learns from the sources, trains the optimizer where one is asked for. Refers to the world.
  explicit Strategies(const World& world);

  const std::vector<Strategy>& all() const { return all_; }
  const std::string& proxy() const { return proxy_->devices.front().name; }
  const Optima& optima() const { return *fold_.optima; }
  const FleetSearch& search() const { return search_; }
  // One outcome a strategy.
  std::vector<StrategyOutcome> answer(std::span<const FleetDevice> devices) const;

 private:
  struct Fitted {
    std::vector<Predictor> predictors;       // [n_devices]
    std::vector<std::int64_t> measurements;  // [n_devices]
    double seconds = 0;
  };
  template <class Fit>
  Fitted fit_all(std::span<const FleetDevice> devices, std::span<const std::int64_t> order, int k,
                 const Fit& fit) const;
  StrategyOutcome exactly(const Fitted& fitted, std::span<const double> limits) const;
  StrategyOutcome by_policy(const Fitted& fitted, std::span<const double> limits, int proposals) const;
  // The best within limits that lie denser where a predictor is fast; ascending latency.
  using CandidateFront = std::vector<FleetAnswer>;
  std::vector<CandidateFront> fronts_of(std::span<const Predictor> predictors) const;
  void along_front(const FleetDevice& device, const CandidateFront& front, bool all_of_it,
                   std::span<FleetAnswer> answers, std::int64_t& measurements) const;
  StrategyOutcome along_proxy(std::span<const FleetDevice> devices, bool all_of_it) const;
  StrategyOutcome along_own(const Fitted& fitted, std::span<const FleetDevice> devices) const;

  const World& world_;
  FleetSearch search_;
  Fold fold_;
  std::unique_ptr<Sources> proxy_;
  std::optional<LookupTrial> few_shot_, adaproxy_;
  std::vector<std::int64_t> order_each_, order_few_shot_, order_adaproxy_;  // rows
  std::vector<FleetAnswer> front_;                                          // ascending latency on the proxy
  std::shared_ptr<const Policy> policy_;                                    // null: no optimizer is asked for
  std::vector<Strategy> all_;
};

}  // namespace oneproxy::scaling_up
