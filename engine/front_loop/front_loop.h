#pragma once
// Measurement in the loop: the Pareto front of a target device (a quality against what is measured there) after the
// fewest measurements. Instead of a predictor that is good everywhere (adapt/workflow), the networks are measured that
// are expected to raise the front most, and every answer is a measured one.
//
//   start    the best network and a greedy subset of the front of the sources' mean; where the sources do not agree,
//            a design over the whole space (adapt/design)
//   rounds   adapt to all that was measured, measure the networks of the largest expected gain; within a batch each is
//            believed to come out at its mean before the next is chosen (Ginsbourger, Le Riche, Carraro, "Kriging is
//            well-suited to parallelize optimization", 2010)
//   confirm  the front, again: single measurements that came out low are picked out by any search ("winner's curse")
//   done
//
// A step follows from the measurements alone: the same ones give the same step, on any machine. Method and figures:
// docs/front_loop.md.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/method.h"
#include "oneproxy/engine/adapt/sources.h"
#include "oneproxy/engine/device/quantity.h"
#include "oneproxy/engine/front_loop/candidates.h"
#include "oneproxy/engine/search/objective.h"

namespace oneproxy {

// What is measured on the device, with what its values on other devices say of it.
struct MeasuredObjective {
  Quantity quantity;  // latency_ms, energy_mj; a rate is handled as the time of an item
  // Values of the quantity on source devices; may be none. Of the same features as all others.
  Sources sources;
  std::shared_ptr<const AdaptationMethod> method;  // one with a model()
};

// With `bayes` and what it learns from the sources. Takes seconds: share it between loops.
MeasuredObjective measured_objective(Quantity quantity, Sources sources, std::uint64_t seed);

struct FrontLoopProblem {
  std::shared_ptr<const ArchitectureFeatures> features;
  std::vector<MeasuredObjective> measured;  // [1 or 2]; minimised (rates: maximised)
  // Maximised or minimised, known for every candidate. Where it has a posterior, its uncertainty counts in the expected
  // gain as that of a measured objective does, and stays: nobody measures it.
  Objective quality;
  std::shared_ptr<const LoopCandidates> candidates;
};

struct FrontLoopSettings {
  int batch = 5;
  // Networks whose quality is below this quantile of the candidates' count for nothing: the floor of the hypervolume.
  double floor = 0.25;
  // On the measured quantities, [n][n_measured] in their units, NaN: none. Empty: the whole front.
  std::vector<std::vector<double>> limits;
  double stop_gain = 0.01;  // expected remaining gain, as a share, at which to stop
  int repeats = 3;          // measurements of each network of the answer; 1: none is measured again
  // Measurements in all, failed ones too, 0: no end. Room is kept to measure the answer again.
  std::int64_t budget = 0;
  std::uint64_t seed = 1;
};

enum class LoopPhase { start, rounds, confirm, done };
const char* to_string(LoopPhase phase);

// A network that was measured.
struct MeasuredNetwork {
  std::vector<std::uint8_t> choices;
  std::vector<double> values;  // [n_measured] medians, in the quantities' units
  int repeats = 0;             // measurements that succeeded
  double quality = 0;
  double quality_deviation = 0;  // of a predicted quality; 0: known
};

// The answer to one of the limits.
struct LimitAnswer {
  std::vector<double> limit;  // [n_measured], as given
  bool found = false;
  MeasuredNetwork network;  // the best that keeps it; where none does, the one that comes nearest
};

struct LoopStep {
  LoopPhase phase = LoopPhase::start;
  std::string start;  // which start, and why: "front of the 26 source devices' mean (they agree: SRCC 0.96)"
  // Networks to measure now, [n, n_decisions], most wanted first; none when done.
  std::vector<std::uint8_t> measure;
  std::vector<double> gains;  // [n] expected, as a share of what there is; NaN in phases start and confirm

  std::vector<MeasuredNetwork> front;  // undominated among the measured, ascending in the first quantity
  std::vector<LimitAnswer> answers;    // [n_limits]
  std::int64_t n_measured = 0;         // networks with a value
  std::int64_t n_measurements = 0;     // values, repeats included
  // Of the front: up to `reference` [n_measured + 1], of which the last is the floor. With limits: mean gain in quality
  // over the worst candidate at the limits, in ranges from the floor to the best. NaN before the first round.
  double attained = 0;
  std::vector<double> reference;
  // How much of `attained` is expected to be still to gain, as a share; NaN before the first round. And what the last
  // two batches gained.
  double expected_gain = 0, recent_gain = 0;
  std::string why_stop;  // "" where it goes on
  std::vector<Remark> remarks;
};

class FrontLoop {
 public:
  // Errors: a quality that no candidate has, a limit of the wrong length, no candidates.
  FrontLoop(FrontLoopProblem problem, FrontLoopSettings settings);
  ~FrontLoop();
  FrontLoop(FrontLoop&&) noexcept;
  FrontLoop& operator=(FrontLoop&&) noexcept;

  const FrontLoopProblem& problem() const;
  const FrontLoopSettings& settings() const;

  // One measurement of one network, in order of time. values [n_measured] in the quantities' units; NaN: it failed.
  // Several of one network are repeats; a network need not have been proposed. Error: a value outside
  // device/value_range.h, choices outside the space.
  void tell(std::span<const std::uint8_t> choices, std::span<const double> values);

  // What to measure next, and what is known so far. Of networks that were proposed and not told nothing is remembered.
  LoopStep step() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace oneproxy
