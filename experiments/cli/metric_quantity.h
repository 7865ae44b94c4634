#pragma once
// What the options --metric NAME, --unit UNIT and --direction min|max say together.
#include <string>

#include "oneproxy/engine/device/quantity.h"

namespace oneproxy {

// A unit or a direction that is not given ("") is that of the metric of this name in the store, in `set` or in another
// set of the space. Errors: neither given nor in the store; a unit or a direction other than the one in `set`, beside
// which the values would stand.
Quantity metric_quantity(const std::string& name, const std::string& unit, const std::string& direction,
                         const std::string& set, const std::string& store, const std::string& space);

// Error for a name that no metric can have: it would not stand in a store, in names of objectives ("metric:NAME") or in
// a plan beside its other columns.
void check_metric_name(const std::string& name);
// Likewise of another part of such a name; `option` begins the error.
void check_plain_name(const std::string& name, const std::string& option);

}  // namespace oneproxy
