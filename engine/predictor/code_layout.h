#pragma once
// The layout of a one-hot code, one row a (decision, choice), by which predictors and tables belong to a space.
#include <cstdint>
#include <span>
#include <string>

#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// Error where a predictor's space or radices are not those of `space`; `where` names the predictor.
void check_layout(const std::string& predictor_space, std::span<const std::uint8_t> radices, const SearchSpace& space,
                  const std::string& where);

}  // namespace oneproxy
