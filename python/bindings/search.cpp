#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>

#include "oneproxy/engine/search/asked_objectives.h"
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

// "max metric:natsbench:cifar10", "min device:pixel3 <= 5, 8", ..., the goal first.
std::vector<AskedObjective> ask(const Names& texts) {
  if (texts.size() < 2 || texts.size() > kMaxObjectives)
    throw Error("objectives: has " + std::to_string(texts.size()) + "; a search has two or three, the goal first");
  std::vector<AskedObjective> asked;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string key = "objectives[" + std::to_string(i) + "]";
    auto parsed = parse_objective(texts[i], key);
    asked.push_back({parsed.what, parsed.name, parsed.direction, std::move(parsed.limits), key, key, "", parsed.limit_unit});
  }
  check_objectives(asked);
  return asked;
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

Found search(const SearchSpace& space, const std::string& set, const std::string& store, const Names& texts,
             const Names& fix, const std::string& method, std::int64_t evaluations, double seconds, double confidence,
             int n_best, std::uint64_t seed) {
  return long_call([&] {
    const SearchMethodKind& kind = search_method(method);
    require_budget(kind, {evaluations, seconds}, "", "");
    Config config = Config::defaults();
    const auto searcher = kind.read(config);
    const Known known(store, space, set);
    const auto asked = ask(texts);
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
             nb::arg("fix"), nb::arg("method"), nb::arg("evaluations"), nb::arg("seconds"), nb::arg("confidence"),
             nb::arg("n_best"), nb::arg("seed"));
}

}  // namespace oneproxy::python
