#include "python/bindings/long_call.h"

#include "python/bindings/bindings.h"

namespace oneproxy::python {

std::mutex& engine_mutex() {
  static std::mutex mutex;
  return mutex;
}

void add_fork_handlers() {
  namespace nb = nanobind;
  const auto unlock = nb::cpp_function([] { engine_mutex().unlock(); });
  nb::module_::import_("os").attr("register_at_fork")(
      nb::arg("before") = nb::cpp_function([] { without_gil([] { engine_mutex().lock(); }); }),
      nb::arg("after_in_parent") = unlock, nb::arg("after_in_child") = unlock);
}

}  // namespace oneproxy::python
