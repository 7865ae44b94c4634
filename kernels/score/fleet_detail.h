#pragma once
// Between the public functions of fleets and their twins; arguments are checked before. Private to kernels/.
#include "oneproxy/kernels/base/isa.h"
#include "oneproxy/kernels/score/fleet.h"
#include "oneproxy/kernels/score/fleet_answers.h"
#include "oneproxy/kernels/score/fleet_order.h"

namespace oneproxy::detail {

void score_fleet_cpu(const DigitCode& code, std::span<const Mlp> models, const IndexRange& run, std::span<float> scores,
                     Precision precision);
void score_fleet_cuda(const DigitCode& code, std::span<const Mlp> models, const IndexRange& run,
                      std::span<float> scores, Precision precision);
// The same; returns the seconds of the kernels alone, of the slowest device. 0 where models went one after another.
double score_fleet_cuda_timed(const DigitCode& code, std::span<const Mlp> models, const IndexRange& run,
                              std::span<float> scores, Precision precision);

// The pieces of a run -> answers.
void reduce_fleet_cpu(const DigitCode& code, std::span<const Mlp> models, QualityPieces& pieces, FleetAnswers& answers,
                      Precision precision, Isa isa);
void reduce_fleet_cpu(const DigitCode& code, const TableFleet& fleet, QualityPieces& pieces, FleetAnswers& answers,
                      Isa isa);
void reduce_fleet_cuda(const DigitCode& code, std::span<const Mlp> models, QualityPieces& pieces, FleetAnswers& answers,
                       Precision precision);
void reduce_fleet_cuda(const DigitCode& code, const TableFleet& fleet, QualityPieces& pieces, FleetAnswers& answers);

}  // namespace oneproxy::detail
