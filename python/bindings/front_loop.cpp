#include "oneproxy/engine/front_loop/front_loop.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <unordered_map>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/engine/front_loop/loop_question.h"
#include "oneproxy/kernels/base/error.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bindings.h"
#include "python/bindings/known.h"
#include "python/bindings/long_call.h"

namespace oneproxy::python {
namespace {

using Names = std::vector<std::string>;
using Features = std::shared_ptr<const ArchitectureFeatures>;

// The loop with the features that its problem refers to.
struct Loop {
  Features features;
  FrontLoop loop;
};

// What is measured, with the sources that say something of it.
struct MeasuredQuantity {
  Quantity quantity;
  SourceQuery query;
};
using MeasuredQuantities = std::vector<MeasuredQuantity>;

FrontLoopProblem problem_of(const Features& features, const MeasuredQuantities& quantities, Objective quality,
                            std::shared_ptr<const LoopCandidates> candidates) {
  std::vector<MeasuredObjective> measured;
  for (const auto& [quantity, query] : quantities) {
    check_loop_quantity(quantity);
    measured.push_back(measured_objective(quantity, load_sources(features, query).sources, query.seed));
  }
  return {features, std::move(measured), std::move(quality), std::move(candidates)};
}

// The quality by its name.
std::shared_ptr<Loop> loop_by_name(const SearchSpace& space, const MeasuredQuantities& measured,
                                   const std::string& quality, const Names& fix, const FrontLoopSettings& settings) {
  return long_call([&] {
    const auto features = std::make_shared<const ArchitectureFeatures>(space);
    const SourceQuery& query = measured.front().query;
    const Known known(query.store, features->space(), query.set);
    auto objective =
        loop_quality({features->space(), known.data(), known.store(), "", Backend::cpu}, quality, "quality");
    SubSpace part = SubSpace::of(features->space());
    for (const auto& text : fix) part.fix(text);
    auto candidates = loop_candidates(objective, std::move(part), features->physics().additive(), known.data(),
                                      query.seed, "quality");
    return std::make_shared<Loop>(
        features, FrontLoop(problem_of(features, measured, std::move(objective), std::move(candidates)), settings));
  });
}

// The quality by its values [n] for choices [n, n_decisions].
std::shared_ptr<Loop> loop_by_values(const SearchSpace& space, const MeasuredQuantities& measured,
                                     const Choices& choices, const Vector& quality, bool maximised,
                                     const FrontLoopSettings& settings) {
  return long_call([&] {
    const auto features = std::make_shared<const ArchitectureFeatures>(space);
    const std::size_t width = space.n_decisions();
    auto values = std::make_shared<std::unordered_map<std::string, double>>();
    for (std::size_t i = 0; i < quality.size(); ++i) {
      const auto one = span_of(choices).subspan(i * width, width);
      if (!values->emplace(std::string(one.begin(), one.end()), quality.data()[i]).second)
        throw Error("quality: architecture " + std::to_string(i) + " is there twice; give each one once");
    }
    Objective objective;
    static_cast<Quantity&>(objective) = {"quality", "quality", "",
                                         maximised ? Direction::maximise : Direction::minimise};
    objective.evaluate = [values, width](std::span<const std::uint8_t> asked, std::span<double> out) {
      for (std::size_t i = 0; i < out.size(); ++i) {
        const auto one = asked.subspan(i * width, width);
        const auto found = values->find(std::string(one.begin(), one.end()));
        out[i] = found == values->end() ? std::nan("") : found->second;
      }
    };
    auto candidates = listed_candidates(features->space(), {choices.data(), choices.data() + choices.size()}, objective,
                                        "the networks of quality");
    return std::make_shared<Loop>(
        features, FrontLoop(problem_of(features, measured, std::move(objective), std::move(candidates)), settings));
  });
}

// values [n, n_measured]. All of them, or none where one is refused.
void tell(Loop& own, const Choices& choices, const Matrix& values) {
  long_call([&] {
    const auto& measured = own.loop.problem().measured;
    const std::size_t width = choices.shape(1), columns = values.shape(1);
    if (columns != measured.size())
      throw Error("values: has " + std::to_string(columns) + " values a network; " + std::to_string(measured.size()) +
                  " are measured");
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double value = values.data()[i];
      const auto& quantity = measured[i % columns].quantity;
      if (!std::isnan(value))
        check_measured(value, quantity, quantity.name + "[" + std::to_string(i / columns) + "] = " + plain(value));
    }
    for (std::size_t i = 0; i < values.shape(0); ++i)
      own.loop.tell(span_of(choices).subspan(i * width, width), span_of(values).subspan(i * columns, columns));
  });
}

// Architecture as its string, values [n_measured], quality, repeats, deviation of the quality.
using NetworkTuple = std::tuple<std::string, std::vector<double>, double, int, double>;

NetworkTuple network(const Loop& own, const MeasuredNetwork& one) {
  return {own.features->space().to_string(one.choices), one.values, one.quality, one.repeats, one.quality_deviation};
}

nb::dict step(const Loop& own) {
  const LoopStep found = long_call([&] { return own.loop.step(); });
  const auto& space = own.features->space();
  const std::size_t width = space.n_decisions();
  Names measure;
  for (std::size_t i = 0; i < found.measure.size(); i += width)
    measure.push_back(space.to_string(std::span(found.measure).subspan(i, width)));
  std::vector<NetworkTuple> front;
  for (const auto& one : found.front) front.push_back(network(own, one));
  std::vector<std::tuple<std::vector<double>, bool, std::optional<NetworkTuple>>> answers;
  for (const auto& answer : found.answers)
    answers.emplace_back(answer.limit, answer.found,
                         answer.network.values.empty() ? std::nullopt : std::optional(network(own, answer.network)));
  Names remarks;
  for (const auto& remark : found.remarks) remarks.push_back(remark.text);
  nb::dict all;
  all["phase"] = std::string(to_string(found.phase));
  all["start"] = found.start;
  all["measure"] = measure;
  all["gains"] = found.gains;
  all["front"] = front;
  all["answers"] = answers;
  all["n_measured"] = found.n_measured;
  all["n_measurements"] = found.n_measurements;
  all["attained"] = found.attained;
  all["expected_gain"] = found.expected_gain;
  all["recent_gain"] = found.recent_gain;
  all["why_stop"] = found.why_stop;
  all["remarks"] = remarks;
  return all;
}

}  // namespace

void add_front_loop(nb::module_& module) {
  nb::class_<FrontLoopSettings>(module, "FrontLoopSettings")
      .def(
          "__init__",
          [](FrontLoopSettings* settings, int batch, double floor, const std::vector<double>& first_limits,
             const std::vector<double>& second_limits, const std::vector<std::string>& names, double stop_gain,
             int repeats, std::int64_t budget, std::uint64_t seed) {
            new (settings)
                FrontLoopSettings{.batch = batch,
                                  .floor = floor,
                                  .limits = loop_limits(first_limits, second_limits, names.size(),
                                                        {"limits of " + names.front(), "limits of " + names.back()}),
                                  .stop_gain = stop_gain,
                                  .repeats = repeats,
                                  .budget = budget,
                                  .seed = seed};
          },
          nb::arg("batch"), nb::arg("floor"), nb::arg("first_limits"), nb::arg("second_limits"), nb::arg("names"),
          nb::arg("stop_gain"), nb::arg("repeats"), nb::arg("budget"), nb::arg("seed"));
  nb::class_<MeasuredQuantity>(module, "MeasuredQuantity")
      .def(
          "__init__",
          [](MeasuredQuantity* own, const std::string& name, const std::string& unit, bool maximised,
             const SourceQuery& query) {
            const auto direction = maximised ? Direction::maximise : Direction::minimise;
            new (own)
                MeasuredQuantity{name.empty() ? latency_quantity() : Quantity{name, name, unit, direction}, query};
          },
          nb::arg("name"), nb::arg("unit"), nb::arg("maximised"), nb::arg("query"));
  nb::class_<Loop>(module, "FrontLoop")
      .def_prop_ro("candidates", [](const Loop& own) { return own.loop.problem().candidates->describe(); })
      .def_prop_ro("stand_in",
                   [](const Loop& own) {
                     const auto& quality = own.loop.problem().quality;
                     return quality.is_stand_in ? quality.label : "";
                   })
      .def("tell", &tell, nb::arg("choices"), nb::arg("values"))
      .def("step", &step);
  module.def("loop_by_name", &loop_by_name, nb::arg("space"), nb::arg("measured"), nb::arg("quality"), nb::arg("fix"),
             nb::arg("settings"));
  module.def("loop_by_values", &loop_by_values, nb::arg("space"), nb::arg("measured"), nb::arg("choices"),
             nb::arg("quality"), nb::arg("maximised"), nb::arg("settings"));
}

}  // namespace oneproxy::python
