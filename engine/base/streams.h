#pragma once
// Which stream of the seeded generator serves which purpose, so that no two draws are ever shared and a
// new consumer changes no older result.
#include "oneproxy/kernels/base/random.h"

namespace oneproxy {

enum class Draws : std::uint32_t {
  measurement_order = 1,
  architecture_subset = 2,
  bootstrap = 3,
  evolution = 4,
  random_search = 5,
  local_search = 6,
  annealing = 10,
  random_architectures = 11,
  prune_contexts = 15,  // architectures in which the choices of a decision are compared
  predictor_split = 20,
  predictor_weights = 21,
  predictor_batches = 22,
  feature_reference = 30,  // architectures over which features are centred
  source_samples = 31,     // measurements of the source devices
  design_pool = 32,        // candidates and reference of a design
  prior_samples = 33,      // of the sources, when a prior is learnt from them
  posterior_draws = 34,    // behind the probability of an SRCC
  k_means = 35,
  made_up_goals = 36,      // of searches that calibrate limits on the sources
  later_measurement = 37,  // of what a search answered
  remaining_gain = 38,     // what all candidates may be, once measured
  drawn_predictors = 39,   // of which the front loop searches the fronts
  coordinate_descent = 40,
  sobol_shift = 41,
  fp_nas = 42,
  gumbel = 43,  // noise of the differentiable search
  restarts_from_starts = 44,
  plausible_devices = 50,   // of the generator
  plausible_energies = 51,  // of the generator, of which no device is known
  optimizer_queries = 52,   // limits and preferences that the neural optimizer learns from
  fleet_scales = 53,        // mean and spread of a generated device, those of a real one
  measurement_noise = 54,   // of a generated device
  policy_weights = 60,
  policy_batches = 61,  // training examples and their labels
  policy_split = 62,    // devices to validate on
  policy_samples = 63,  // proposals of a trained policy
};

// `number` counts independent repetitions of one purpose: trials, resamples, islands.
inline Philox random_stream(std::uint64_t seed, Draws purpose, std::uint32_t number) {
  return {seed, (static_cast<std::uint64_t>(purpose) << 32) | number};
}

}  // namespace oneproxy
