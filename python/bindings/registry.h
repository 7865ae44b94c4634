#pragma once
// What users write in Python stays there (python/oneproxy/_registry.py), by its name: the engine's registries outlive
// the interpreter, and must hold nothing of it.
#include <nanobind/nanobind.h>

#include <string>
#include <utility>

#include "python/bindings/long_call.h"

namespace oneproxy::python {

// Calls oneproxy._registry.FUNCTION(arguments...); Python's lock is held.
template <class... Arguments>
nanobind::object call_registry(const char* function, Arguments&&... arguments) {
  return nanobind::module_::import_("oneproxy._registry").attr(function)(std::forward<Arguments>(arguments)...);
}

}  // namespace oneproxy::python
