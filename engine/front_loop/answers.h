#pragma once
// What the measurements say so far: the front, the best within limits, what a person should look at.
#include <span>
#include <vector>

#include "oneproxy/engine/front_loop/front_loop.h"
#include "oneproxy/engine/front_loop/record.h"

namespace oneproxy {

// In the quantities' units and the quality's direction. The network is known.
MeasuredNetwork measured_network(const FrontLoopProblem& problem, const RecordedNetwork& network);

// Undominated among the known, ascending in the first quantity.
std::vector<const RecordedNetwork*> measured_front(const MeasurementRecord& record);

// limits [n, n_measured] minimised, infinite: none.
std::vector<LimitAnswer> answers_within(const FrontLoopProblem& problem, const FrontLoopSettings& settings,
                                        const MeasurementRecord& record, std::span<const double> limits);

// adapted [n_measured]
std::vector<Remark> remarks_on(const FrontLoopProblem& problem, const MeasurementRecord& record,
                               std::span<const AdaptedBayes> adapted);

}  // namespace oneproxy
