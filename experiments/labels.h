#pragma once
// What the arrays of a result say of a search space and of its architectures.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/base/labelled_arrays.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// The space of a result's architectures: attributes, and the axis `decision` of choices [..., decision] in `group`.
void label_space(LabelledArrays& arrays, const SearchSpace& space, const std::string& group = "/");

// The strings of architectures, as the labels of an axis. choices [n, n_decisions]
std::vector<std::string> architecture_strings(const SearchSpace& space, std::span<const std::uint8_t> choices);

}  // namespace oneproxy
