#include "tests/fuzz/read_store.h"

#include <algorithm>

#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/device/measurements.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/space/official_index.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/h5_script.h"

namespace oneproxy::fuzz {
namespace {

const SearchSpace& cells() {
  static const SearchSpace space = SearchSpace::load("nasbench201");
  return space;
}
const SearchSpace& layers() {
  static const SearchSpace space = SearchSpace::load("fbnet");
  return space;
}

// Rows and columns as they stand, for a space that need not be known.
void read_set(const Store& store, const std::string& space, const std::string& set) {
  std::int64_t n = 0;
  accepted([&] { store.set_attributes(space, set); });
  const bool has_rows = accepted([&] {
    const SetRows rows = store.rows(space, set);
    n = rows.n;
    require(rows.choices.size() == static_cast<std::size_t>(rows.n * rows.n_decisions), "rows have their choices");
    require(rows.official_index.empty() || rows.official_index.size() == static_cast<std::size_t>(rows.n),
            "an official index has the rows of its set");
  });
  const auto check = [&](const Column& column) {
    if (has_rows)
      require(column.values.size() == static_cast<std::size_t>(n), "a column has the rows of its set: " + column.name);
  };
  accepted([&] {
    for (const auto& device : store.devices(space, set)) accepted([&] { check(store.latency(space, set, device)); });
    for (const auto& metric : store.metrics(space, set)) accepted([&] { check(store.metric(space, set, metric)); });
  });
}

// The same as measurements of a space that ships, joined by architecture.
void read_measurements(const Store& store, const SearchSpace& space, const std::string& set) {
  accepted([&] {
    const Measurements measured(store, space, set);
    for (const auto& device : measured.devices()) accepted([&] { measured.device(device); });
    for (const auto& other : store.sets(space.name())) {
      for (const auto& device : store.devices(space.name(), other))
        accepted([&] { measured.device(other + ":" + device); });
      for (const auto& metric : store.metrics(space.name(), other))
        accepted([&] { measured.metric("metric:" + other + ":" + metric); });
    }
  });
}

void predict_once(const Predictor& model, const SearchSpace& space) {
  const auto choices = space.choices(space.size() - 1);
  double value = 0;
  predict(model, choices, std::span(&value, 1));
}

void read_models(const std::string& path, const SearchSpace& space) {
  accepted([&] {
    for (const auto& name : predictor_names(path, space.name()))
      accepted([&] { predict_once(find_predictor(name, path, space), space); });
    for (const auto& name : table_names(path, space.name()))
      accepted([&] { predict_once(find_table(name, path, space), space); });
  });
}

// Into a set that may be anything: what was refused above must not become valid data here.
void add_to(const std::string& path, const SearchSpace& space, const std::string& set) {
  DeviceMeasurements measured{"added", space.n_decisions(), space.choices(0), {1.5}, {{"source", std::string("fuzz")}}};
  accepted([&] {
    add_device(path, path, space.name(), set, measured);
    const Store store(path);
    const auto rows = store.rows(space.name(), set);
    require(rows.n_decisions == space.n_decisions(), "a set has the decisions of its space after an import");
    for (const auto& device : store.devices(space.name(), set)) store.latency(space.name(), set, device);
  });
}

}  // namespace

void read_store(const std::string& path) {
  std::vector<std::pair<std::string, std::string>> sets;
  const bool opened = accepted([&] {
    const Store store(path);
    for (const auto& space : store.spaces()) {
      store.checksum(space);
      for (const auto& set : store.sets(space)) sets.emplace_back(space, set);
    }
    for (const auto& [space, set] : sets) read_set(store, space, set);
    for (const SearchSpace* space : {&cells(), &layers()}) {
      for (const auto& [name, set] : sets)
        if (name == space->name()) read_measurements(store, *space, set);
      accepted([&] { OfficialIndex(store, *space); });
    }
  });
  require(open_h5_handles() == 0, "a store is closed after it was read");
  if (!opened) return;
  for (const SearchSpace* space : {&cells(), &layers()}) {
    read_models(path, *space);
    for (const auto& [name, set] : sets)
      if (name == space->name()) add_to(path, *space, set);
  }
  require(open_h5_handles() == 0, "a store is closed after it was changed");
}

}  // namespace oneproxy::fuzz
