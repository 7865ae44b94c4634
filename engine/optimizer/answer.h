#pragma once
// What the optimizer says to a query: its one pass, or the best of several proposals, each checked by the predictors.
#include <cstdint>
#include <vector>

#include "oneproxy/engine/optimizer/policy.h"
#include "oneproxy/engine/search/objective.h"

namespace oneproxy {

struct OptimizerAnswer {
  std::vector<std::uint8_t> choices;  // empty: no proposal keeps the limit
  double quality = 0;                 // by the objective
  double latency = 0, energy = 0;     // by the device's predictors, in standard units; energy: 0 without
  int n_proposals = 0;                // that were looked at
};

// A device with what is made once for all queries about it.
struct AskedDevice {
  AskedDevice(const PolicySteps& steps, OptimizerDevice of) : device(std::move(of)), costs(steps, device) {}
  OptimizerDevice device;  // with its predictors
  DeviceCosts costs;
};

// proposals = 1: the policy's one pass, whatever the predictors say of it. More: of so many distinct ones the best that
// keeps the limit, or the best by the preference (optima.h) with the quality's spread. Errors: those of
// Policy::propose.
OptimizerAnswer ask(const Policy& policy, const AskedDevice& asked, const OptimizerQuery& query,
                    const Objective& quality, double spread, int proposals, std::uint64_t seed);

// A predictor in standard units of the device: (value - mean) / deviation. Tables only: a network has no such form
// (Error), ask for the table of its values.
Predictor in_standard_units(const Predictor& predictor, double mean, double deviation);

}  // namespace oneproxy
