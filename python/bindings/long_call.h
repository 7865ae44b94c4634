#pragma once
// How the module calls what takes time: without Python's lock, so that other threads go on. And how such work calls
// Python again, for what users write there. A fork by Python waits until nobody is inside, so that no child is born
// with something locked; the engine's own forks come from who has the turn.
#include <nanobind/nanobind.h>

#include "oneproxy/engine/base/interrupt.h"

namespace oneproxy::python {

// The turn in the engine, which one thread has at a time: HDF5 is not made for several threads, and each call uses all
// cores anyway. Who has it may take it again, as a function of a user's does that the engine calls.
class EngineTurn {
 public:
  EngineTurn() { take(); }
  ~EngineTurn() { give(); }
  EngineTurn(const EngineTurn&) = delete;
  EngineTurn& operator=(const EngineTurn&) = delete;
  static void take();
  static void give();
};

// In the kernels: any number of threads.
class InKernels {
 public:
  InKernels();
  ~InKernels();
  InKernels(const InKernels&) = delete;
  InKernels& operator=(const InKernels&) = delete;

 private:
  bool counted_;
};

// Numbers in, numbers out.
template <class Work>
auto without_gil(Work&& work) {
  const nanobind::gil_scoped_release released;
  const InKernels inside;
  return work();
}

// The engine: one call at a time, which Ctrl-C ends (KeyboardInterrupt). The turn goes before Python's lock comes back.
template <class Work>
auto long_call(Work&& work) {
  const nanobind::gil_scoped_release released;
  const EngineTurn turn;
  const InterruptWatch watch;
  return work();
}

// From the engine, in any of its threads, into Python: with its lock. A worker of the one who has the turn is that
// one's guest there, and shares the turn with other guests.
class IntoPython {
 public:
  IntoPython();
  ~IntoPython();
  IntoPython(const IntoPython&) = delete;
  IntoPython& operator=(const IntoPython&) = delete;

 private:
  nanobind::gil_scoped_acquire held_;
  bool was_guest_;
};

}  // namespace oneproxy::python
