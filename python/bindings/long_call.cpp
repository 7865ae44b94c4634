#include "python/bindings/long_call.h"

#include <atomic>
#include <mutex>

#include "python/bindings/bindings.h"

namespace oneproxy::python {
namespace {

std::mutex of_callers, of_guests;
thread_local int turns = 0;       // that this thread has taken and not given
thread_local bool guest = false;  // it is a worker of the one who has the turn
std::mutex door;                  // of the kernels: shut while somebody forks
std::atomic<int> in_kernels{0};   // threads inside that do not have the turn

void before_fork() {
  const nanobind::gil_scoped_release released;
  EngineTurn::take();
  door.lock();
  while (const int inside = in_kernels) in_kernels.wait(inside);
}

void after_fork() {
  door.unlock();
  EngineTurn::give();
}

}  // namespace

void EngineTurn::take() {
  if (turns == 0) (guest ? of_guests : of_callers).lock();
  ++turns;
}

void EngineTurn::give() {
  if (--turns == 0) (guest ? of_guests : of_callers).unlock();
}

// Who has the turn, and its guests, pass: a fork waits for the turn.
InKernels::InKernels() : counted_(turns == 0 && !guest) {
  if (!counted_) return;
  const std::lock_guard open(door);
  ++in_kernels;
}

InKernels::~InKernels() {
  if (counted_ && --in_kernels == 0) in_kernels.notify_all();
}

IntoPython::IntoPython() : was_guest_(guest) { guest = guest || turns == 0; }
IntoPython::~IntoPython() { guest = was_guest_; }

void add_fork_handlers() {
  namespace nb = nanobind;
  nb::module_::import_("os").attr("register_at_fork")(nb::arg("before") = nb::cpp_function(&before_fork),
                                                      nb::arg("after_in_parent") = nb::cpp_function(&after_fork),
                                                      nb::arg("after_in_child") = nb::cpp_function(&after_fork));
}

}  // namespace oneproxy::python
