#pragma once
// The set of measurements that is meant where nobody names one.
#include <string>

#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// Of a list of networks the one that came with it, else the public measurements of HELP.
inline std::string default_set(const SearchSpace& space) { return space.is_listed() ? kListSet : "help"; }

}  // namespace oneproxy
