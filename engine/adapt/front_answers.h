#pragma once
// What searches over a whole space answer, where goal and latency add up over decisions (given the resolution, if that
// is one): for each limit the architecture that maximises goal - lambda latency, at the smallest lambda that keeps it.
// These are the corners of the front; an exact search answers the same or what is close beside one.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/predictor/additive_predictor.h"

namespace oneproxy {

// Of two tables of one space, all entries known; the goal may have one table where the latency has several. Choices
// [n, n_decisions], at most one architecture a limit, in order of the limits; those that nothing keeps have none.
std::vector<std::uint8_t> front_answers(const AdditivePredictor& goal, const AdditivePredictor& latency,
                                        std::span<const double> limits);

}  // namespace oneproxy
