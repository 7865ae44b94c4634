#pragma once
// A cost of a space (MACs, parameters, activation traffic) as a sum over its decisions: an objective of a search, a
// feature that a trained predictor folds into its weights. Where the resolution changes every block, there is one table
// a resolution.
#include <string>

#include "oneproxy/engine/predictor/additive_predictor.h"

namespace oneproxy {

// `name`: "model:macs", ... Error: an unknown name, with those there are.
AdditivePredictor cost_table(const SearchSpace& space, const std::string& name);

}  // namespace oneproxy
