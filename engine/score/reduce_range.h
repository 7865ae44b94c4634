#pragma once
// A long run of a scorer, in pieces: progress with rate and time left, a checkpoint now and then, a stop that loses
// nothing. A run that was killed goes on where its last checkpoint stands, and one that several processes share ends
// everywhere with the same reduction: both bit-identical to that of one undisturbed process.
#include <string>

#include "oneproxy/engine/share/sharing.h"
#include "oneproxy/kernels/base/precision.h"
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy {

// Scores the run, or the part of it that falls to this process, and returns the reduction: of the whole run, but of its
// own part where it is a shard. Ranks deal pieces among themselves, to whoever is free. `identity`: of models, run and
// settings. A checkpoint stays: whoever has the result safe removes it. `what` begins the progress line.
// Errors: a state of another identity or a broken one (with the remedy), a folder that can not be written, a shard to
// merge that is not finished. An interrupt saves the state first.
Reduction reduce_range(const Scorer& scorer, const IndexRange& run, const ReductionSettings& settings,
                       const std::string& identity, const Sharing& sharing, const std::string& what);

Precision parse_precision(const std::string& name);  // "fp64", ...; Error names the precisions there are

// SHA-256 over what decides the scores: code, numbers of the models, precision.
std::string identity_of(const DigitCode& code, std::span<const ScoreFunction> models, Precision precision);

}  // namespace oneproxy
