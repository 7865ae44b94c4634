#include "oneproxy/engine/data/store.h"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <tuple>

#include "experiments/cli/metric_quantity.h"
#include "experiments/cli/own_measurements.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/device/collected_measurements.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bindings.h"
#include "python/bindings/long_call.h"

namespace oneproxy::python {
namespace {

using Names = std::vector<std::string>;

Out<std::uint8_t, 2> choices_of(SetRows rows) {
  const std::size_t shape[] = {static_cast<std::size_t>(rows.n), static_cast<std::size_t>(rows.n_decisions)};
  return to_numpy(std::move(rows.choices), shape);
}

// choices [n, n_decisions] and latencies [devices, n].
std::pair<Out<std::uint8_t, 2>, Out<double, 2>> latency(const Store& store, const std::string& space,
                                                        const std::string& set, const Names& devices) {
  SetRows rows;
  std::vector<double> values;
  long_call([&] {
    rows = store.rows(space, set);
    for (const auto& device : devices) {
      const Column column = store.latency(space, set, device);
      values.insert(values.end(), column.values.begin(), column.values.end());
    }
  });
  const std::size_t shape[] = {devices.size(), static_cast<std::size_t>(rows.n)};
  return {choices_of(std::move(rows)), to_numpy(std::move(values), shape)};
}

// choices [n, n_decisions], values [n], unit and direction.
std::tuple<Out<std::uint8_t, 2>, Out<double, 1>, std::string, std::string> metric(const Store& store,
                                                                                  const std::string& space,
                                                                                  const std::string& set,
                                                                                  const std::string& name) {
  SetRows rows;
  Column column;
  long_call([&] {
    rows = store.rows(space, set);
    column = store.metric(space, set, name);
  });
  const std::string unit = column.text("unit"), direction = column.text("direction");
  return {choices_of(std::move(rows)), to_numpy(std::move(column.values)), unit, direction};
}

// A store that is not there begins as a copy of the one that ships.
void add_device(const std::string& store, const SearchSpace& space, const std::string& set, const std::string& device,
                const Choices& choices, const Vector& latency_ms, const std::string& source, const std::string& licence,
                const std::string& precision, std::int64_t batch) {
  long_call([&] {
    add_own_device({store, set, source, licence, precision, batch}, space, device,
                   collect_measurements(space, span_of(choices), span_of(latency_ms)));
  });
}

void add_metric(const std::string& store, const SearchSpace& space, const std::string& set, const std::string& name,
                const Choices& choices, const Vector& values, const std::string& unit, const std::string& direction,
                const std::string& source, const std::string& licence) {
  long_call([&] {
    check_metric_name(name);
    const auto known = file_exists(store) ? store : shipped_store();
    const Quantity quantity = metric_quantity(name, unit, direction, set, known, space.name());
    add_own_metric({store, set, source, licence}, space,
                   collect_metric(space, span_of(choices), span_of(values), quantity));
  });
}

}  // namespace

void add_store(nb::module_& module) {
  nb::class_<Store>(module, "Store")
      .def_prop_ro("path", &Store::path)
      .def("spaces", [](const Store& store) { return long_call([&] { return store.spaces(); }); })
      .def(
          "sets",
          [](const Store& store, const std::string& space) { return long_call([&] { return store.sets(space); }); },
          nb::arg("space"))
      .def(
          "devices",
          [](const Store& store, const std::string& space, const std::string& set) {
            return long_call([&] { return store.devices(space, set); });
          },
          nb::arg("space"), nb::arg("set"))
      .def(
          "metrics",
          [](const Store& store, const std::string& space, const std::string& set) {
            return long_call([&] { return store.metrics(space, set); });
          },
          nb::arg("space"), nb::arg("set"))
      .def("latency", &latency, nb::arg("space"), nb::arg("set"), nb::arg("devices"))
      .def("metric", &metric, nb::arg("space"), nb::arg("set"), nb::arg("name"));
  module.def("add_device", &add_device, nb::arg("store"), nb::arg("space"), nb::arg("set"), nb::arg("device"),
             nb::arg("choices"), nb::arg("latency_ms"), nb::arg("source"), nb::arg("licence"), nb::arg("precision"),
             nb::arg("batch"));
  module.def("add_metric", &add_metric, nb::arg("store"), nb::arg("space"), nb::arg("set"), nb::arg("name"),
             nb::arg("choices"), nb::arg("values"), nb::arg("unit"), nb::arg("direction"), nb::arg("source"),
             nb::arg("licence"));
  module.def(
      "open_store",
      [](const std::string& path) {
        return long_call([&] { return std::make_shared<Store>(path.empty() ? shipped_store() : path); });
      },
      nb::arg("path"));
}

}  // namespace oneproxy::python
