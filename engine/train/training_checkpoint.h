#pragma once
// The whole state of a training between two batches, in a file that is either the older or the newer one whenever the
// program is killed. Going on from it gives the result of an uninterrupted training, to the last bit.
#include <string>
#include <vector>

#include "oneproxy/engine/train/network.h"

namespace oneproxy {

struct TrainingCheckpoint {
  std::string identity;               // SHA-256 of settings and data
  std::int64_t epoch = 0, batch = 0;  // the next one; the draws follow from these
  double loss_sum = 0;                // of the epoch's batches so far
  NetworkState state;
  std::vector<double> best_parameters;  // empty before the first epoch's end
  double best_loss = 0;
  std::int64_t best_epoch = 0;
  std::vector<double> train_loss, validation_loss;  // [epochs so far]
};

void save_checkpoint(const std::string& path, const TrainingCheckpoint& checkpoint);

// Errors: a file that is no checkpoint, a checkpoint of another identity or another number of parameters.
TrainingCheckpoint load_checkpoint(const std::string& path, const std::string& identity, std::int64_t n_parameters);

}  // namespace oneproxy
