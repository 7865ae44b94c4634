#pragma once
// The name of a quality that a command may propose where the user names none.
#include <string>

#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// The first metric of the store that a search may maximise, that of the geometry before others; else a stand-in for
// accuracy: the accuracy model, or the MACs, where the space has any (proposed_quality).
std::string quality_in(const std::string& store_path, const SearchSpace& space);

}  // namespace oneproxy
