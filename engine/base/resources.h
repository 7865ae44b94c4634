#pragma once
// Files that ship with oneproxy, found from any working directory.
#include <string>

namespace oneproxy {

// The folder that holds configs/ and experiments/data/: that of set_home_folder, else ONEPROXY_HOME, else beside this
// code (PREFIX/share/oneproxy of PREFIX/lib or PREFIX/bin, or the folder above build/), else where the build was to be
// installed, else the build's source tree. Error where none of them has configs/spaces.
std::string home_folder();

// For a program that knows where the files are, for example by oneproxy_DATA_DIR of find_package(oneproxy): a static
// library does not know where it was installed. Error where the folder has no configs/spaces.
void set_home_folder(const std::string& folder);

// The folder of the shared library or program that holds this code, "" where the system does not say.
std::string code_folder();

std::string shipped_store();  // experiments/data/public_latency.h5
// Whether the path leads to the store that ships, which no command changes: who adds to it adds to a copy.
bool is_shipped_store(const std::string& path);
// For remedies: the store to add to, my_store.h5 in the stead of the one that ships.
std::string store_to_add_to(const std::string& path);
std::string space_file(const std::string& space);  // configs/spaces/<space>.toml; Error names the spaces that ship

}  // namespace oneproxy
