#pragma once
// A long run of a scorer, in pieces: progress with rate and time left, a checkpoint now and then, a stop that loses
// nothing. A run that was killed goes on where its last checkpoint stands, to the bit-identical result.
#include <string>

#include "oneproxy/kernels/base/precision.h"
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy {

struct CheckpointSettings {
  std::string path;      // "": none
  std::string identity;  // of models, run and settings; a checkpoint of another identity is refused
  double seconds = 30;   // between two checkpoints
};

// Scores the run and returns the reduction. The checkpoint stays: whoever has the result safe removes it. `what` begins
// the progress line.
// Errors: a checkpoint of another identity or a broken one (with the remedy), a folder that can not be written.
// An interrupt saves the checkpoint first.
Reduction reduce_range(const Scorer& scorer, const IndexRange& run, const ReductionSettings& settings,
                       const CheckpointSettings& checkpoint, const std::string& what);

Precision parse_precision(const std::string& name);  // "fp64", ...; Error names the precisions there are

// SHA-256 over what decides the scores: code, numbers of the models, precision.
std::string identity_of(const DigitCode& code, std::span<const ScoreFunction> models, Precision precision);

}  // namespace oneproxy
