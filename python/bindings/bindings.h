#pragma once
// One function for each part of the module: it adds what the part has.
#include <nanobind/nanobind.h>

namespace oneproxy::python {

// A fork by Python waits for the engine (long_call.h).
void add_fork_handlers();

void add_ranks(nanobind::module_& module);
void add_fronts(nanobind::module_& module);
void add_space(nanobind::module_& module);
void add_store(nanobind::module_& module);
void add_mlp(nanobind::module_& module);
void add_progress(nanobind::module_& module);
void add_search(nanobind::module_& module);
void add_search_method(nanobind::module_& module);
void add_selection(nanobind::module_& module);
void add_adapt(nanobind::module_& module);
void add_run(nanobind::module_& module);
void add_front_loop(nanobind::module_& module);  // after add_adapt, whose SourceQuery it takes
void add_scorer(nanobind::module_& module);      // after add_adapt and add_mlp, whose classes it takes

}  // namespace oneproxy::python
