// oneproxy._engine: the engine as Python sees it. The package around it (python/oneproxy/) checks arguments and has the
// docstrings; nothing here decides anything.
#include <nanobind/stl/string.h>

#include <exception>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/provenance.h"
#include "oneproxy/engine/base/resources.h"
#include "python/bindings/bindings.h"

namespace oneproxy::python {
namespace {

namespace nb = nanobind;

// `error`: the class oneproxy.Error.
void translate(const std::exception_ptr& thrown, void* error) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Interrupted&) {
    // In the main thread Python's own handler decides what Ctrl-C means; elsewhere, or where it lets pass, it ends
    // this.
    if (PyErr_CheckSignals() == 0) PyErr_SetNone(PyExc_KeyboardInterrupt);
  } catch (const Error& refused) {
    PyErr_SetString(static_cast<PyObject*>(error), refused.what());
  }
}

}  // namespace
}  // namespace oneproxy::python

NB_MODULE(_engine, module) {
  namespace python = oneproxy::python;
  namespace nb = nanobind;
  module.doc() = "The engine. Use the package oneproxy, which checks arguments and explains itself.";
  nb::object error = nb::module_::import_("oneproxy._errors").attr("Error");
  nb::register_exception_translator(python::translate, error.release().ptr());  // for as long as the module
  oneproxy::set_quiet(true);                                                    // warnings stay
  module.def("version", &oneproxy::version);
  module.def("set_home_folder", &oneproxy::set_home_folder, nb::arg("folder"));
  module.def("home_folder", &oneproxy::home_folder);
  python::add_fork_handlers();
  python::add_ranks(module);
  python::add_fronts(module);
  python::add_space(module);
  python::add_store(module);
  python::add_progress(module);
  python::add_search(module);
  python::add_search_method(module);
  python::add_selection(module);
  python::add_adapt(module);
  python::add_front_loop(module);
  python::add_mlp(module);
  python::add_scorer(module);
  python::add_run(module);
}
