#pragma once
// The [[operation]] tables of a search space's file (docs/spaces.md). A table declares one operation, or, where an
// attribute is a list, the product of its attributes: `name = "e{expansion}_k{kernel}"` with `expansion = [3, 6]` and
// `kernel = [3, 5]` declares e3_k3, e3_k5, e6_k3, e6_k5. The first placeholder of the name varies slowest.
#include <cstddef>
#include <vector>

#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/space/cost.h"

namespace oneproxy {

// In the order of the choices. Errors name file and line: two of one name, a list that the name does not show, an
// unknown placeholder, more than kMaxChoices.
std::vector<Operation> read_operations(Config& file);

// The operations that the layers of a stage may choose, as positions in the list: those whose attributes are among the
// stage's `kernel`, `expansion`, `groups` and `repeats`; all, where it has none of these keys. Error where fewer than
// two are left, or where no operation has a listed value.
std::vector<std::size_t> read_choices_of_stage(Config& stage, const std::vector<Operation>& operations);

}  // namespace oneproxy
