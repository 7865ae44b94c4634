#pragma once
// All that the program reads of a store, and a device added to it.
#include <string>

namespace oneproxy::fuzz {

void read_store(const std::string& path);

}  // namespace oneproxy::fuzz
