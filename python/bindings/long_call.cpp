#include "python/bindings/long_call.h"

#include <mutex>

#include "python/bindings/bindings.h"

namespace oneproxy::python {
namespace {

std::mutex of_callers, of_guests;
thread_local int turns = 0;       // that this thread has taken and not given
thread_local bool guest = false;  // it is a worker of the one who has the turn

}  // namespace

void EngineTurn::take() {
  if (turns == 0) (guest ? of_guests : of_callers).lock();
  ++turns;
}

void EngineTurn::give() {
  if (--turns == 0) (guest ? of_guests : of_callers).unlock();
}

IntoPython::IntoPython() : was_guest_(guest) { guest = guest || turns == 0; }
IntoPython::~IntoPython() { guest = was_guest_; }

void add_fork_handlers() {
  namespace nb = nanobind;
  const auto give = nb::cpp_function([] { EngineTurn::give(); });
  nb::module_::import_("os").attr("register_at_fork")(
      nb::arg("before") = nb::cpp_function([] { without_gil([] { EngineTurn::take(); }); }),
      nb::arg("after_in_parent") = give, nb::arg("after_in_child") = give);
}

}  // namespace oneproxy::python
