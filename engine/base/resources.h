#pragma once
// Files that ship with oneproxy, found from any working directory.
#include <string>

namespace oneproxy {

// The folder that holds configs/ and experiments/data/: ONEPROXY_HOME, else the parent of the program's
// folder, else the source tree of this build. Error where none of them has configs/spaces.
std::string home_folder();

std::string shipped_store();                       // experiments/data/public_latency.h5
std::string space_file(const std::string& space);  // configs/spaces/<space>.toml; Error names the spaces that ship

}  // namespace oneproxy
