#pragma once
// How the module calls what takes time: without Python's lock, so that other threads go on. A fork by Python waits
// until nobody is inside, so that no child is born with something locked; the engine's own forks come from who holds
// it.
#include <nanobind/nanobind.h>

#include "oneproxy/engine/base/interrupt.h"

namespace oneproxy::python {

// In the engine: one thread at a time, for HDF5 is not made for several and each call uses all cores anyway. What it
// calls back in Python may call it again.
class InEngine {
 public:
  InEngine();
  ~InEngine();
  InEngine(const InEngine&) = delete;
  InEngine& operator=(const InEngine&) = delete;
};

// In the kernels: any number of threads.
class InKernels {
 public:
  InKernels();
  ~InKernels();
  InKernels(const InKernels&) = delete;
  InKernels& operator=(const InKernels&) = delete;
};

// Numbers in, numbers out.
template <class Work>
auto without_gil(Work&& work) {
  const nanobind::gil_scoped_release released;
  const InKernels inside;
  return work();
}

// The engine, which Ctrl-C ends (KeyboardInterrupt). The lock goes before Python's comes back.
template <class Work>
auto long_call(Work&& work) {
  const nanobind::gil_scoped_release released;
  const InEngine inside;
  const InterruptWatch watch;
  return work();
}

}  // namespace oneproxy::python
