// Search methods that are written in Python: what such a method sees of its problem, and how it gets into the registry.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <variant>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/search/method.h"
#include "oneproxy/kernels/base/error.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bindings.h"
#include "python/bindings/registry.h"

namespace oneproxy::python {
namespace {

using Names = std::vector<std::string>;

// The problem of one search, for as long as the search runs.
class SearchTask {
 public:
  explicit SearchTask(Evaluator& evaluator)
      : evaluator_(&evaluator), space_(std::make_shared<SearchSpace>(evaluator.problem().part.space())) {}

  void end() {
    const std::lock_guard lock(mutex_);
    evaluator_ = nullptr;
  }

  std::shared_ptr<SearchSpace> space() const { return space_; }

  // Work on the evaluator, from whichever thread of Python: one at a time.
  template <class Work>
  auto with(Work&& work) {
    return without_gil([&] {
      const std::lock_guard lock(mutex_);
      if (!evaluator_) throw Error("problem: the search that it belongs to has ended; it can not be asked any more");
      return work(*evaluator_);
    });
  }

 private:
  Evaluator* evaluator_;
  std::shared_ptr<SearchSpace> space_;
  std::mutex mutex_;
};

std::size_t width_of(const Evaluator& evaluator) { return evaluator.problem().part.space().n_decisions(); }

Out<std::uint8_t, 2> rows(std::vector<std::uint8_t> choices, std::size_t width) {
  const std::size_t shape[] = {choices.size() / width, width};
  return to_numpy(std::move(choices), shape);
}

// Until the budget is spent; without one without end.
std::int64_t left(const Evaluator& evaluator) {
  if (evaluator.has_budget() && evaluator.spent() >= 1) return 0;
  return evaluator.evaluations_left(1);
}

// Values [n, n_objectives] of the first architectures that the budget allows, and how many these are: what was
// evaluated before costs nothing, and neither does what is not known.
std::pair<Out<double, 2>, std::int64_t> evaluate(SearchTask& task, const Choices& choices) {
  const std::size_t n = choices.shape(0), width = choices.shape(1);
  std::size_t n_objectives = 0;
  std::int64_t allowed = 0;
  auto values = task.with([&](Evaluator& evaluator) {
    check_interrupt();
    const auto& problem = evaluator.problem();
    n_objectives = problem.objectives.size();
    std::set<std::vector<std::uint32_t>> fresh;
    const auto most = left(evaluator);
    for (std::size_t i = 0; i < n; ++i, ++allowed) {
      const auto one = span_of(choices).subspan(i * width, width);
      auto digits = problem.part.digits(one);
      if (digits.empty())
        throw Error("archs[" + std::to_string(i) + "]: " + problem.part.space().to_string(one) + " is not in " +
                    problem.part.describe() + ", which is searched; problem.random() draws from it");
      if (evaluator.seen(digits) || fresh.contains(digits)) continue;
      if (std::ssize(fresh) == most) break;
      fresh.insert(std::move(digits));
    }
    const auto columns = evaluator.evaluate(span_of(choices).first(static_cast<std::size_t>(allowed) * width));
    std::vector<double> all;
    for (std::int64_t i = 0; i < allowed; ++i)
      for (const auto& column : columns) all.push_back(column[i]);
    return all;
  });
  const std::size_t shape[] = {static_cast<std::size_t>(allowed), n_objectives};
  return {to_numpy(std::move(values), shape), allowed};
}

// Values [n, n_objectives - 1] of the objectives beside the goal, which are looked up and not counted.
Out<double, 2> costs(SearchTask& task, const Choices& choices) {
  const std::size_t n = choices.shape(0);
  std::size_t n_costs = 0;
  auto values = task.with([&](Evaluator& evaluator) {
    const auto& objectives = evaluator.problem().objectives;
    n_costs = objectives.size() - 1;
    std::vector<double> column(n), all(n * n_costs);
    for (std::size_t c = 0; c < n_costs; ++c) {
      objectives[c + 1].evaluate(span_of(choices), column);
      for (std::size_t i = 0; i < n; ++i) all[i * n_costs + c] = column[i];
    }
    return all;
  });
  const std::size_t shape[] = {n, n_costs};
  return to_numpy(std::move(values), shape);
}

Out<std::uint8_t, 2> random(SearchTask& task, std::int64_t n, std::uint64_t seed) {
  std::size_t width = 0;
  auto choices = task.with([&](Evaluator& evaluator) {
    width = width_of(evaluator);
    return random_architectures(evaluator.problem(), n, seed);
  });
  return rows(std::move(choices), width);
}

// The choices of each decision that some architecture of the part has.
std::vector<std::vector<int>> allowed(SearchTask& task) {
  return task.with([&](Evaluator& evaluator) {
    std::vector<std::vector<int>> all;
    for (std::size_t d = 0; d < width_of(evaluator); ++d) {
      const auto own = evaluator.problem().part.choices_of_decision(static_cast<int>(d));
      all.emplace_back(own.begin(), own.end());
    }
    return all;
  });
}

// A keyword argument of the method with its default: a key of its configuration.
using Value = std::variant<bool, std::int64_t, double, std::string>;
using Setting = std::pair<std::string, Value>;

std::vector<Setting> read_settings(const std::vector<Setting>& settings, const std::string& method, Config& config) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  std::vector<Setting> read;
  for (const auto& [key, value] : settings) {
    const std::string meaning = method + ": " + key;
    if (const auto* flag = std::get_if<bool>(&value))
      read.emplace_back(key, config.flag(key, *flag, meaning));
    else if (const auto* whole = std::get_if<std::int64_t>(&value))
      read.emplace_back(key, config.integer(key, *whole, -kMost, kMost, meaning));
    else if (const auto* number = std::get_if<double>(&value))
      read.emplace_back(key, config.number(key, *number, -1e300, 1e300, meaning));
    else
      read.emplace_back(key, config.text(key, std::get<std::string>(value), meaning));
  }
  return read;
}

class PythonSearch : public SearchMethod {
 public:
  PythonSearch(std::string name, std::vector<Setting> settings)
      : name_(std::move(name)), settings_(std::move(settings)) {}

  SearchResult search(Evaluator& evaluator) const override {
    {
      const IntoPython in;
      const auto task = std::make_shared<SearchTask>(evaluator);
      try {
        nb::dict settings;
        for (const auto& [key, value] : settings_)
          std::visit([&](const auto& own) { settings[key.c_str()] = own; }, value);
        call_registry("run_search_method", name_, task, settings);
      } catch (...) {
        task->end();
        throw;
      }
      task->end();
    }
    check_interrupt();
    return evaluator.found("best found: by " + name_ + ", a search method in Python");
  }

 private:
  std::string name_;
  std::vector<Setting> settings_;
};

void register_method(const std::string& name, const std::string& description, const std::string& version,
                     const std::vector<Setting>& settings) {
  long_call([&] {
    register_search_method({.name = name,
                            .description = description,
                            .takes_seconds = true,
                            .takes_evaluations = true,
                            .read =
                                [name, settings](Config& config) {
                                  return std::make_unique<PythonSearch>(name, read_settings(settings, name, config));
                                },
                            .one_at_a_time = true,
                            .version = version});
  });
}

}  // namespace

void add_search_method(nb::module_& module) {
  const auto of_objectives = [](auto part) {
    return [part](SearchTask& task) {
      return task.with([&](Evaluator& evaluator) {
        Names all;
        for (const auto& one : evaluator.problem().objectives) all.push_back(part(one));
        return all;
      });
    };
  };
  nb::class_<SearchTask>(module, "SearchTask")
      .def_prop_ro("space", &SearchTask::space)
      .def_prop_ro("objectives", of_objectives([](const Objective& one) { return one.name; }))
      .def_prop_ro("units", of_objectives([](const Objective& one) { return one.unit; }))
      .def_prop_ro("directions",
                   of_objectives([](const Objective& one) { return std::string(one.maximised() ? "max" : "min"); }))
      .def_prop_ro("limits",
                   [](SearchTask& task) {
                     return task.with([](Evaluator& evaluator) {
                       std::vector<std::vector<double>> all;
                       for (const auto& one : evaluator.limits()) all.push_back(one.bounds);
                       return all;
                     });
                   })
      .def_prop_ro(
          "seed",
          [](SearchTask& task) { return task.with([](Evaluator& evaluator) { return evaluator.question().seed; }); })
      .def_prop_ro("evaluations",
                   [](SearchTask& task) {
                     return task.with([](Evaluator& evaluator) { return evaluator.question().budget.evaluations; });
                   })
      .def_prop_ro("seconds",
                   [](SearchTask& task) {
                     return task.with([](Evaluator& evaluator) { return evaluator.question().budget.seconds; });
                   })
      .def_prop_ro(
          "n_evaluated",
          [](SearchTask& task) { return task.with([](Evaluator& evaluator) { return evaluator.n_evaluated(); }); })
      .def_prop_ro("left", [](SearchTask& task) { return task.with([](Evaluator& own) { return left(own); }); })
      .def_prop_ro("allowed", &allowed)
      .def("rows",
           [](SearchTask& task) {
             std::size_t width = 0;
             auto choices = task.with([&](Evaluator& evaluator) {
               width = width_of(evaluator);
               return evaluator.problem().covers_space() ? std::vector<std::uint8_t>{}
                                                         : choices_of_rows(evaluator.problem());
             });
             return rows(std::move(choices), width);
           })
      .def("evaluate", &evaluate, nb::arg("choices"))
      .def("costs", &costs, nb::arg("choices"))
      .def("random", &random, nb::arg("n"), nb::arg("seed"));
  module.def("register_search_method", &register_method, nb::arg("name"), nb::arg("description"), nb::arg("version"),
             nb::arg("settings"));
}

}  // namespace oneproxy::python
