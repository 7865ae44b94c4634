#pragma once
// A look-up table of a space from measured latencies of its layers: each layer of a file is matched by its shapes with
// where it stands in the space, for any space whose blocks are inverted residuals (mbconv).
#include <string>
#include <vector>

#include "oneproxy/engine/data/layer_latency_file.h"
#include "oneproxy/engine/predictor/additive_predictor.h"

namespace oneproxy {

struct LayerLatencies {
  int resolution = 0;  // pixels a side of the network's input; 0 where the space does not decide it
  LayerLatencyFile file;
};

struct LayerTable {
  AdditivePredictor table;  // its target, unit and record are left to the caller
  // Sentences about what of the files has no place in the space.
  std::vector<std::string> remarks;
};

// The weight of a choice is the sum of the latencies of its layers, NaN where the file has no entry for one of them; a
// choice without a layer (kind none, or a skip between equal shapes) has 0. The bias is the sum of the layers that are
// the same for all. Where the resolution is a decision there is one table for each file, and none (bias NaN) for other
// resolutions: nothing is interpolated.
// Errors: a space without shapes or without mbconv; several files, or of a resolution that the space does not have; a
// file whose `expand` is neither relative throughout nor in channels throughout; a layer that is the same for all
// without an entry.
LayerTable table_of_layers(const SearchSpace& space, const std::vector<LayerLatencies>& files);

}  // namespace oneproxy
