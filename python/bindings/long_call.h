#pragma once
// How the module calls what takes time: without Python's lock, so that other threads go on.
#include <nanobind/nanobind.h>

#include <mutex>

#include "oneproxy/engine/base/interrupt.h"

namespace oneproxy::python {

// Held by whoever is in the engine: HDF5 is not made for several threads, and each call uses all cores anyway. A fork
// by Python waits for it, so that no child is born with it locked; the engine's own forks come from who holds it.
std::mutex& engine_mutex();

// Numbers in, numbers out: kernels, which any number of threads may call.
template <class Work>
auto without_gil(Work&& work) {
  const nanobind::gil_scoped_release released;
  return work();
}

// The engine: one call at a time, which Ctrl-C ends (KeyboardInterrupt). The lock goes before Python's comes back.
template <class Work>
auto long_call(Work&& work) {
  const nanobind::gil_scoped_release released;
  const std::lock_guard lock(engine_mutex());
  const InterruptWatch watch;
  return work();
}

}  // namespace oneproxy::python
