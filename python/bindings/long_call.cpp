#include "python/bindings/long_call.h"

#include <atomic>
#include <mutex>

#include "python/bindings/bindings.h"

namespace oneproxy::python {
namespace {

std::mutex engine;                // held by who is in the engine, and by who forks
std::mutex door;                  // of the kernels: shut while somebody forks
std::atomic<int> in_kernels{0};   // threads inside
thread_local int own_engine = 0;  // calls of this thread that are inside; a fork may come from below them
thread_local int own_kernels = 0;

void before_fork() {
  const nanobind::gil_scoped_release released;
  if (own_engine == 0) engine.lock();
  door.lock();
  while (const int inside = in_kernels) in_kernels.wait(inside);
}

void after_fork() {
  door.unlock();
  if (own_engine == 0) engine.unlock();
}

}  // namespace

InEngine::InEngine() {
  if (own_engine == 0) engine.lock();
  ++own_engine;
}

InEngine::~InEngine() {
  if (--own_engine == 0) engine.unlock();
}

InKernels::InKernels() {
  if (own_engine + own_kernels++ > 0) return;
  const std::lock_guard open(door);
  ++in_kernels;
}

InKernels::~InKernels() {
  if (own_engine + --own_kernels > 0) return;
  if (--in_kernels == 0) in_kernels.notify_all();
}

void add_fork_handlers() {
  namespace nb = nanobind;
  nb::module_::import_("os").attr("register_at_fork")(nb::arg("before") = nb::cpp_function(&before_fork),
                                                      nb::arg("after_in_parent") = nb::cpp_function(&after_fork),
                                                      nb::arg("after_in_child") = nb::cpp_function(&after_fork));
}

}  // namespace oneproxy::python
