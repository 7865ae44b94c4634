#pragma once
// Configurations that ship, found by their short names.
#include <string>
#include <vector>

namespace oneproxy {

// Paths of the configurations of experiments below configs/, in order.
std::vector<std::string> shipped_configs();

// The file that a user means: `given` itself where it is "", a file, or ends with .toml; otherwise configs/<given>.toml
// that ships, for example of "nasbench201/monotonicity". Error: neither, with the nearest names.
std::string config_file(const std::string& given);

}  // namespace oneproxy
