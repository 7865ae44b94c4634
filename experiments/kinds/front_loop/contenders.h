#pragma once
// The ways to look for a target's front. Each asks the device for one network after another, and what it asked for, in
// order, is its trace.
#include <cstdint>
#include <vector>

#include "experiments/kinds/front_loop/truth.h"
#include "oneproxy/engine/adapt/method.h"
#include "oneproxy/engine/front_loop/front_loop.h"

namespace oneproxy::front_loop {

// The loop until it has measured `longest` networks or finds none that is worth it. limits: ms; none: the whole front.
struct LoopRun {
  Trace trace;
  std::vector<std::uint8_t> choices;  // [n, n_decisions]
  std::int64_t stopped_at = 0;        // measurements after which the settings' stop_gain ended it; all where it did not
  double expected_gain = kNan;        // that it said where it stopped
};
LoopRun run_loop(const Task& task, const Truth& truth, const MeasuredObjective& measured,
                 const std::vector<double>& limits, std::int64_t longest, int trial);

// A predictor with what was measured for it, whatever the quality.
struct Predicted {
  std::vector<std::uint8_t> measured;  // [n, n_decisions], in order
  Predictor latency;
};
// As `oneproxy plan --k` and `adapt`: k samples of a design, one adaptation.
// A loop with limits until it ends, on a device that scatters, whose answers are measured `repeats` times.
Scattered run_scattered(const Task& task, const Truth& truth, const MeasuredObjective& measured,
                        const std::vector<double>& limits, int repeats, int trial);

Predicted adapt_to_plan(const Task& task, const Target& target, const TargetDevice& device,
                        const AdaptationMethod& method, int k, int trial);
Predicted adapt_a_proxy(const Task& task, const Target& target, const ProxyPredictor& proxy, int trial);

// The samples, then the members of the predicted front that are not among them, in the order in which they add the most
// hypervolume, until as many as the
// largest count are measured beside the samples, or the front ends.
Outcome measure_front_of(const Task& task, const Target& target, const Truth& truth, const Predicted& predicted);

Trace measure_random(const Task& task, const Truth& truth, std::int64_t longest, int trial);

}  // namespace oneproxy::front_loop
