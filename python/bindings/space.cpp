#include "oneproxy/engine/space/space.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>

#include "oneproxy/engine/search/problem.h"
#include "oneproxy/engine/space/subspace.h"
#include "oneproxy/kernels/base/error.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bindings.h"
#include "python/bindings/long_call.h"

namespace oneproxy::python {
namespace {

using Names = std::vector<std::string>;

Out<std::uint8_t, 2> as_choices(const SearchSpace& space, std::vector<std::uint8_t> choices) {
  const std::size_t decisions = space.n_decisions(), shape[] = {choices.size() / decisions, decisions};
  return to_numpy(std::move(choices), shape);
}

std::string place(std::size_t i) { return "archs[" + std::to_string(i) + "]: "; }

Out<std::uint8_t, 2> parse(const SearchSpace& space, const Names& strings) {
  return as_choices(space, without_gil([&] {
                      std::vector<std::uint8_t> all;
                      for (std::size_t i = 0; i < strings.size(); ++i) {
                        try {
                          const auto one = space.parse(strings[i]);
                          all.insert(all.end(), one.begin(), one.end());
                        } catch (const Error& error) {
                          throw Error(place(i) + error.what());
                        }
                      }
                      return all;
                    }));
}

std::span<const std::uint8_t> row(const Choices& choices, std::size_t i) {
  return span_of(choices).subspan(i * choices.shape(1), choices.shape(1));
}

// Error for a row that is no architecture.
void check(const SearchSpace& space, const Choices& choices) {
  without_gil([&] {
    if (choices.shape(1) != static_cast<std::size_t>(space.n_decisions()))
      throw Error("archs: has " + std::to_string(choices.shape(1)) + " choices a row; " + space.name() + " has " +
                  std::to_string(space.n_decisions()) + " decisions");
    for (std::size_t i = 0; i < choices.shape(0); ++i)
      if (const auto fault = space.fault(row(choices, i)); !fault.empty()) throw Error(place(i) + fault);
  });
}

Names strings(const SearchSpace& space, const Choices& choices) {
  Names all;
  for (std::size_t i = 0; i < choices.shape(0); ++i) all.push_back(space.to_string(row(choices, i)));
  return all;
}

Names indices(const SearchSpace& space, const Choices& choices) {
  Names all;
  for (std::size_t i = 0; i < choices.shape(0); ++i) all.push_back(to_decimal(space.index(row(choices, i))));
  return all;
}

std::vector<std::uint8_t> choices_at(const SearchSpace& space, const std::string& index) {
  const ArchIndex number = from_decimal(index);
  if (number >= space.size())
    throw Error("index = " + index + ": " + space.name() + " has the indices 0 to " + to_decimal(space.size() - 1));
  return space.choices(number);
}

// One-hot code [n, n_rows]; inactive blocks have no row.
Out<float, 2> encode(const SearchSpace& space, const Choices& choices) {
  const DigitCode code = space.code();
  const std::size_t n = choices.shape(0), width = code.n_rows, shape[] = {n, width};
  std::vector<float> values(n * width);
  without_gil([&] {
    for (std::size_t i = 0; i < n; ++i) {
      std::size_t first = 0;  // of the digit's values
      const auto digits = space.digits_of(row(choices, i));
      for (std::size_t d = 0; d < digits.size(); first += code.radices[d++])
        for (const auto r : code.rows.subspan((first + digits[d]) * code.parts, code.parts))
          if (r >= 0) values[i * width + r] = 1;
    }
  });
  return to_numpy(std::move(values), shape);
}

std::map<std::string, Out<double, 1>> costs(const SearchSpace& space, const Choices& choices) {
  std::map<std::string, std::vector<double>> all;
  without_gil([&] {
    for (const auto& measure : cost_measures()) all[measure.name].reserve(choices.shape(0));
    for (std::size_t i = 0; i < choices.shape(0); ++i) {
      const Cost cost = space.cost(row(choices, i));
      for (const auto& measure : cost_measures()) all[measure.name].push_back(cost.*measure.part);
    }
  });
  std::map<std::string, Out<double, 1>> out;
  for (auto& [name, values] : all) out.emplace(name.substr(name.find(':') + 1), to_numpy(std::move(values)));
  return out;
}

// Drawn evenly from the part of the space that its file describes.
Out<std::uint8_t, 2> random(const SearchSpace& space, std::int64_t n, std::uint64_t seed) {
  return as_choices(space, without_gil([&] {
                      const SubSpace part = SubSpace::of(space);
                      return random_architectures({part, nullptr, {}}, n, seed);
                    }));
}

// Name and names of the choices of each decision.
std::vector<std::pair<std::string, Names>> decisions(const SearchSpace& space) {
  std::vector<std::pair<std::string, Names>> all;
  for (const auto& decision : space.decisions()) {
    Names names;
    for (const auto& choice : decision.choices) names.push_back(choice.operation.name);
    all.emplace_back(decision.name, std::move(names));
  }
  return all;
}

}  // namespace

void add_space(nb::module_& module) {
  nb::class_<SearchSpace>(module, "Space")
      .def_prop_ro("name", &SearchSpace::name)
      .def_prop_ro("reference", &SearchSpace::reference)
      .def_prop_ro("geometry", &SearchSpace::geometry)
      .def_prop_ro("geometries", &SearchSpace::geometries)
      .def_prop_ro("measured_set", &SearchSpace::measured_set)
      .def_prop_ro("size", [](const SearchSpace& space) { return to_decimal(space.size()); })
      .def_prop_ro("decisions", &decisions)
      .def("parse", &parse, nb::arg("strings"))
      .def("check", &check, nb::arg("choices"))
      .def("strings", &strings, nb::arg("choices"))
      .def("indices", &indices, nb::arg("choices"))
      .def(
          "choices_at",
          [](const SearchSpace& space, const std::string& index) { return to_numpy(choices_at(space, index)); },
          nb::arg("index"))
      .def("encode", &encode, nb::arg("choices"))
      .def("costs", &costs, nb::arg("choices"))
      .def("random", &random, nb::arg("n"), nb::arg("seed"));
  module.def(
      "load_space",
      [](const std::string& name_or_file, const std::string& geometry) {
        return long_call([&] { return std::make_shared<SearchSpace>(SearchSpace::load(name_or_file, geometry)); });
      },
      nb::arg("name_or_file"), nb::arg("geometry"));
}

}  // namespace oneproxy::python
