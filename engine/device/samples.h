#pragma once
// Architectures with a value each: what a predictor is fitted on, chosen by or stopped by. What the samples are for is
// part of their type, so that what chooses a setting is never fitted on, and test latencies, which have no such type,
// fit nowhere.
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace oneproxy {

struct Samples {
  std::vector<std::uint8_t> choices;  // [n, n_decisions] row-major
  std::vector<double> values;         // [n] latencies in ms unless said otherwise; NaN: the measurement failed

  std::int64_t n() const { return static_cast<std::int64_t>(values.size()); }
  void add(std::span<const std::uint8_t> architecture, double value) {
    choices.insert(choices.end(), architecture.begin(), architecture.end());
    values.push_back(value);
  }
  void add(const Samples& more) {
    choices.insert(choices.end(), more.choices.begin(), more.choices.end());
    values.insert(values.end(), more.values.begin(), more.values.end());
  }
};

template <class Use>
struct SamplesFor : Samples {
  SamplesFor() = default;
  SamplesFor(std::vector<std::uint8_t> all_choices, std::vector<double> all_values)
      : Samples{std::move(all_choices), std::move(all_values)} {}
};

using SourceSamples = SamplesFor<struct OfASourceDevice>;      // known before the target is measured
using TargetSamples = SamplesFor<struct MeasuredOnTheTarget>;  // what an adaptation is given of the target
using TrainingSamples = SamplesFor<struct FitsWeights>;        // weights are fitted on them
using ValidationSamples = SamplesFor<struct ChoosesASetting>;  // choose among fitted predictors
using TestSamples = SamplesFor<struct IsJudgedOn>;             // the result is compared with them
using StoppingSamples = SamplesFor<struct StopsTheTraining>;   // end a training early

}  // namespace oneproxy
