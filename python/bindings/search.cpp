#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "oneproxy/engine/search/confidence.h"
#include "oneproxy/engine/search/method.h"
#include "oneproxy/kernels/base/error.h"
#include "python/bindings/bindings.h"
#include "python/bindings/known.h"
#include "python/bindings/long_call.h"

namespace oneproxy::python {
namespace {

namespace nb = nanobind;
using Names = std::vector<std::string>;

struct Asked {
  std::vector<Objective> objectives;
  std::vector<std::vector<double>> limits;  // [objectives][0, 1 or as many as another has]
};

// "max metric:natsbench:cifar10", "min device:pixel3 <= 5, 8", ..., the goal first.
Asked ask(const ObjectiveSources& sources, const Names& texts) {
  if (texts.size() < 2 || texts.size() > kMaxObjectives)
    throw Error("objectives: has " + std::to_string(texts.size()) + "; a search has two or three, the goal first");
  Asked asked;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string key = "objectives[" + std::to_string(i) + "]";
    auto parsed = parse_objective(texts[i], key);
    asked.objectives.push_back(make_objective(sources, parsed.what, key, parsed.direction));
    asked.objectives.back().name = parsed.name;
    asked.limits.push_back(std::move(parsed.limits));
    for (std::size_t j = 0; j < i; ++j)
      if (asked.objectives[j].name == parsed.name)
        throw Error(key + ": two objectives are called " + parsed.name + "; results could not tell them apart");
  }
  calibrate_for_space(asked.objectives);
  return asked;
}

// One question for each of the limits; one without a bound where there are none.
std::vector<Limits> limits_of(const Asked& asked) {
  std::size_t n = 1;
  for (const auto& own : asked.limits) n = std::max(n, own.size());
  for (const auto& own : asked.limits)
    if (own.size() > 1 && own.size() != n)
      throw Error("objectives: one has " + std::to_string(own.size()) + " limits, another " + std::to_string(n) +
                  "; give each one, or as many as the other");
  std::vector<Limits> all(n);
  for (std::size_t l = 0; l < n; ++l)
    for (const auto& own : asked.limits)
      all[l].bounds.push_back(own.empty() ? std::nan("") : own[own.size() == 1 ? 0 : l]);
  return all;
}

// Architecture and its values.
using SolutionTuple = std::pair<std::string, std::vector<double>>;

struct Found {
  Names names, units;
  std::vector<std::vector<double>> limits;
  std::vector<SolutionTuple> front;
  std::vector<std::vector<SolutionTuple>> best;
  std::string certainty;
  std::int64_t n_evaluated = 0;
};

Found search(const SearchSpace& space, const std::string& set, const std::string& store, const Names& objectives,
             const Names& fix, const std::string& method, std::int64_t evaluations, double seconds, double confidence,
             int n_best, std::uint64_t seed) {
  return long_call([&] {
    const SearchMethodKind& kind = search_method(method);
    if ((evaluations > 0 && !kind.takes_evaluations) || (seconds > 0 && !kind.takes_seconds))
      throw Error("method = " + method + " keeps to no such budget, it ends by itself; leave it out, or use another");
    Config config = Config::defaults();
    const auto searcher = kind.read(config);
    const Known known(store, space, set);
    Asked asked = ask({space, known.data(), known.store(), "", Backend::cpu}, objectives);
    SubSpace part = SubSpace::of(space);
    for (const auto& text : fix) part.fix(text);
    for (const auto& objective : asked.objectives)
      if (objective.model) keep_predictable(*objective.model, part);
    SearchQuestion question;
    question.limits = limits_of(asked);
    question.n_best = n_best;
    question.seed = seed;
    question.budget = {evaluations, seconds};
    if (confidence > 0) {  // several searches make one: together they keep to the budget
      const int searches = searches_with_confidence(question);
      if (evaluations > 0) question.budget.evaluations = std::max<std::int64_t>(1, evaluations / searches);
      question.budget.seconds /= searches;
    }
    const SearchProblem problem{part, known.data(), std::move(asked.objectives)};
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
      .def_ro("n_evaluated", &Found::n_evaluated);
  module.def("search", &search, nb::arg("space"), nb::arg("set"), nb::arg("store"), nb::arg("objectives"),
             nb::arg("fix"), nb::arg("method"), nb::arg("evaluations"), nb::arg("seconds"), nb::arg("confidence"),
             nb::arg("n_best"), nb::arg("seed"));
}

}  // namespace oneproxy::python
