#pragma once
// One function for each part of the module: it adds what the part has.
#include <nanobind/nanobind.h>

namespace oneproxy::python {

void add_ranks(nanobind::module_& module);
void add_fronts(nanobind::module_& module);

}  // namespace oneproxy::python
