#include <nanobind/stl/string.h>

#include <memory>
#include <utility>

#include "oneproxy/engine/base/progress_listener.h"
#include "python/bindings/bindings.h"
#include "python/bindings/long_call.h"

namespace oneproxy::python {
namespace {

namespace nb = nanobind;

// Of the thread that calls; the work that it calls for is told in other threads too.
thread_local std::unique_ptr<ListenToProgress> listening;

}  // namespace

void add_progress(nb::module_& module) {
  module.def(
      "listen_to_progress",
      [](nb::object listener) {
        listening.reset();
        if (listener.is_none()) return;
        const auto held = std::shared_ptr<nb::object>(new nb::object(std::move(listener)), [](nb::object* own) {
          const nb::gil_scoped_acquire gil;
          delete own;
        });
        listening = std::make_unique<ListenToProgress>(
            [held](const std::string& what, std::int64_t done, std::int64_t total, const std::string& unit) {
              const IntoPython in;
              (*held)(what, done, total, unit);
            });
      },
      nb::arg("listener").none(),
      "listener(what, done, total, unit) hears of the long work that this thread calls for; None ends it.");
}

}  // namespace oneproxy::python
