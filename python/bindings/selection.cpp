// Selections (what to measure next) that are written in Python.
#include "oneproxy/engine/adapt/design/selection.h"

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>

#include "oneproxy/engine/base/interrupt.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bindings.h"
#include "python/bindings/registry.h"

namespace oneproxy::python {
namespace {

template <class T>
Out<T, 2> copied(std::span<const T> values, std::size_t width) {
  const std::size_t shape[] = {width == 0 ? 0 : values.size() / width, width};
  return to_numpy(std::vector<T>(values.begin(), values.end()), shape);
}

std::vector<std::int64_t> select(const std::string& name, const SelectionPool& pool) {
  check_interrupt();
  const IntoPython in;
  const auto width = static_cast<std::size_t>(pool.space.n_decisions());
  const std::size_t columns = pool.features.size() / static_cast<std::size_t>(pool.n());
  nb::dict fields;
  fields["choices"] = copied(pool.choices, width);
  fields["features"] = copied(pool.features, columns);
  fields["measured"] = copied(pool.measured, width);
  fields["measured_features"] = copied(pool.measured_features, columns);
  fields["reference"] = copied(pool.reference, columns);
  fields["noise"] = pool.noise;
  fields["k"] = pool.k;
  fields["seed"] = pool.seed;
  const auto chosen = call_registry("run_selection", name, std::make_shared<SearchSpace>(pool.space), fields);
  return nb::cast<std::vector<std::int64_t>>(chosen);
}

}  // namespace

void add_selection(nb::module_& module) {
  module.def(
      "register_selection",
      [](const std::string& name, const std::string& version) {
        long_call([&] {
          register_selection(
              name, [name](const SelectionPool& pool) { return select(name, pool); }, version);
        });
      },
      nb::arg("name"), nb::arg("version"));
  module.def("selection_names", &selection_names);
}

}  // namespace oneproxy::python
