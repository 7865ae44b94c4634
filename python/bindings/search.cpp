#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <variant>

#include "oneproxy/engine/base/progress_listener.h"
#include "oneproxy/engine/search/asked_objectives.h"
#include "oneproxy/engine/search/confidence.h"
#include "oneproxy/engine/search/method.h"
#include "oneproxy/kernels/base/error.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bindings.h"
#include "python/bindings/known.h"
#include "python/bindings/long_call.h"

namespace oneproxy::python {
namespace {

using Names = std::vector<std::string>;

// A function of Python as values: choices [n, n_decisions] in, [n] out, checked by oneproxy.search.
ComputeValues values_of(const nb::object& function, std::size_t n_decisions) {
  const auto held = std::shared_ptr<nb::object>(new nb::object(function), [](nb::object* own) {
    const nb::gil_scoped_acquire gil;
    delete own;
  });
  return [held, n_decisions](std::span<const std::uint8_t> choices, std::span<double> values) {
    const IntoPython in;
    const std::size_t shape[] = {values.size(), n_decisions};
    const auto found = nb::cast<Vector>((*held)(to_numpy(std::vector(choices.begin(), choices.end()), shape)));
    std::copy_n(found.data(), values.size(), values.data());
  };
}

// What a person computes: name, unit, whether it is maximised, limits, function.
using ComputedTuple = std::tuple<std::string, std::string, bool, std::vector<double>, nb::object>;
using ObjectiveArgument = std::variant<std::string, ComputedTuple>;

// "max metric:natsbench:cifar10", "min device:pixel3 <= 5, 8", or functions, the goal first.
std::vector<AskedObjective> ask(const SearchSpace& space, const std::vector<ObjectiveArgument>& objectives) {
  if (objectives.size() < 2 || objectives.size() > kMaxObjectives)
    throw Error("objectives: has " + std::to_string(objectives.size()) + "; a search has two or three, the goal first");
  std::vector<AskedObjective> asked;
  for (std::size_t i = 0; i < objectives.size(); ++i) {
    const std::string key = "objectives[" + std::to_string(i) + "]";
    AskedObjective one;
    one.key = one.place = key;
    if (const auto* text = std::get_if<std::string>(&objectives[i])) {
      auto parsed = parse_objective(*text, key);
      one.what = parsed.what, one.name = parsed.name, one.direction = parsed.direction, one.limits = parsed.limits;
      one.limit_unit = parsed.limit_unit;
    } else {
      const auto& [name, unit, maximised, limits, function] = std::get<ComputedTuple>(objectives[i]);
      one.name = name, one.unit = unit, one.limits = limits;
      one.direction = maximised ? Direction::maximise : Direction::minimise;
      one.compute = values_of(function, space.n_decisions());
    }
    asked.push_back(std::move(one));
  }
  check_objectives(asked);
  return asked;
}

// The method with its settings, "population=50"; all others are as they ship.
std::unique_ptr<SearchMethod> read_method(const SearchMethodKind& kind, const Names& settings) {
  try {
    Config config = Config::load("", settings);
    auto method = kind.read(config);
    config.finish();
    return method;
  } catch (const Error& error) {
    throw Error(settings.empty() ? error.what() : std::string("settings of ") + kind.name + ": " + error.what());
  }
}

// Architecture and its values.
using SolutionTuple = std::pair<std::string, std::vector<double>>;

struct Found {
  Names names, units;
  std::vector<std::vector<double>> limits;
  std::vector<SolutionTuple> front;
  std::vector<std::vector<SolutionTuple>> best;
  std::string certainty, warning;
  std::int64_t n_evaluated = 0;
};

// Tells the listener of this thread how many architectures were evaluated.
std::function<void(std::int64_t, std::int64_t)> evaluations_told(const std::string& method) {
  const auto listener = ListenToProgress::current();
  if (!listener) return {};
  return [listener, method](std::int64_t done, std::int64_t total) { listener(method, done, total, "evaluations"); };
}

Found search(const SearchSpace& space, const std::string& set, const std::string& store,
             const std::vector<ObjectiveArgument>& arguments, const Names& fix, const std::string& method,
             const Names& settings, std::int64_t evaluations, double seconds, double confidence, int n_best,
             std::uint64_t seed) {
  const auto asked = ask(space, arguments);
  return long_call([&] {
    const SearchMethodKind& kind = search_method(method);
    require_budget(kind, {evaluations, seconds}, "", "");
    const auto searcher = read_method(kind, settings);
    const Known known(store, space, set);
    SubSpace part = SubSpace::of(space);
    for (const auto& text : fix) part.fix(text);
    auto objectives = make_objectives({space, known.data(), known.store(), "", Backend::cpu}, asked);
    for (const auto& objective : objectives)
      if (objective.model) keep_predictable(*objective.model, part);
    const SearchProblem problem{part, known.data(), std::move(objectives)};
    SearchQuestion question;
    question.limits = limits_of(asked);
    if (question.limits.empty()) question.limits.push_back({std::vector<double>(asked.size(), std::nan(""))});
    question.n_best = n_best;
    question.seed = seed;
    question.budget = {evaluations, seconds};
    if (confidence > 0) share_budget(question);
    require_possible(problem, question.limits, asked);
    std::optional<ListenToProgress> silence;  // of what methods say themselves, where evaluations say it
    if (evaluations > 0 || problem.is_computed() || kind.one_at_a_time) {
      question.on_progress = evaluations_told(method);
      if (question.on_progress) silence.emplace([](auto&&...) {});
    }
    Evaluator evaluator(problem, question);
    const SearchResult result = search_with_confidence(*searcher, evaluator, confidence);
    Found found;
    for (const auto& objective : problem.objectives) {
      found.names.push_back(objective.name);
      found.units.push_back(objective.unit);
    }
    for (const auto& limits : question.limits) found.limits.push_back(limits.bounds);
    const auto solutions = [&](const std::vector<Solution>& own) {
      std::vector<SolutionTuple> all;
      for (const auto& one : own) all.emplace_back(space.to_string(one.choices), one.values);
      return all;
    };
    found.front = solutions(result.front);
    for (const auto& own : result.best) found.best.push_back(solutions(own));
    found.certainty = result.certainty;
    found.warning = stand_in_warning(problem.goal(), asked.front().what);
    found.n_evaluated = evaluator.n_evaluated();
    return found;
  });
}

}  // namespace

void add_search(nb::module_& module) {
  nb::class_<Found>(module, "Found")
      .def_ro("names", &Found::names)
      .def_ro("units", &Found::units)
      .def_ro("limits", &Found::limits)
      .def_ro("front", &Found::front)
      .def_ro("best", &Found::best)
      .def_ro("certainty", &Found::certainty)
      .def_ro("warning", &Found::warning)
      .def_ro("n_evaluated", &Found::n_evaluated);
  module.def("search", &search, nb::arg("space"), nb::arg("set"), nb::arg("store"), nb::arg("objectives"),
             nb::arg("fix"), nb::arg("method"), nb::arg("settings"), nb::arg("evaluations"), nb::arg("seconds"),
             nb::arg("confidence"), nb::arg("n_best"), nb::arg("seed"));
}

}  // namespace oneproxy::python
