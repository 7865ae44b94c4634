#pragma once
// A question to the loop in words: which quality is meant, and which networks may be the answer.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "oneproxy/engine/front_loop/candidates.h"
#include "oneproxy/engine/search/objective.h"

namespace oneproxy {

inline constexpr std::uint64_t kMostListed = std::uint64_t{1} << 16;  // architectures that are looked at one by one

// "metric:natsbench:cifar10", "min metric:perplexity": without a direction a metric's own, else it is maximised. "" is
// the accuracy model where the space has it. `key` begins errors: no quality is known (`example` is one), it has a
// limit, and as make_objective.
Objective loop_quality(const ObjectiveSources& sources, const std::string& text, const std::string& key,
                       const std::string& example = "metric:NAME");

// Of a quality that is known on the rows of a set, those rows that lie in the part; of one that covers the space, all
// of a small part, else what a search of the part finds. `space` has what `additive` says: the costs of its networks
// are sums over decisions. `key` begins errors: no network has a quality, or the part is too large to be listed and no
// sum.
std::shared_ptr<const LoopCandidates> loop_candidates(const Objective& quality, SubSpace part, bool additive,
                                                      const Measurements* data, std::uint64_t seed,
                                                      const std::string& key);

// Error for a quantity that the loop can not make small (rates: large).
void check_loop_quantity(const Quantity& quantity);

// Limits on one or two measured quantities as the loop takes them, [n][n_measured]: in pairs, or one limit of either
// with all of the other. `names` of the two lists begin errors: no positive number, two numbers of limits.
std::vector<std::vector<double>> loop_limits(const std::vector<double>& first, const std::vector<double>& second,
                                             std::size_t n_measured, const std::array<std::string, 2>& names);

}  // namespace oneproxy
