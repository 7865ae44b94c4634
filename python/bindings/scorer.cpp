// Scores for NumPy: values of predictors by index or by list, and a range reduced to its front and its best.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <memory>
#include <tuple>
#include <variant>

#include "oneproxy/engine/adapt/workflow/adapt.h"
#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/score/model_values.h"
#include "oneproxy/engine/score/reduce_range.h"
#include "oneproxy/engine/search/methods/exhaustive.h"
#include "oneproxy/kernels/base/error.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bindings.h"
#include "python/bindings/known.h"
#include "python/bindings/long_call.h"

namespace oneproxy::python {
namespace {

using Values = nb::ndarray<double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;  // [n_predictors, n], written
using Names = std::vector<std::string>;
using SpaceRef = std::shared_ptr<SearchSpace>;
// A name ("table:...", or the path of a predictor's file), a network, what adapt() returned.
using Given = std::variant<std::string, std::shared_ptr<MlpPredictor>, std::shared_ptr<AdaptReport>>;

// The path of a file with a predictor or a table, as objectives are named.
std::string with_source(const std::string& path) {
  const H5File file(path, H5Mode::read);
  const auto attributes = file.attributes("/");
  return (attribute_text(attributes, "format") == "oneproxy-predictor" ? "predictor:" : "table:") + path;
}

Objective objective_of(const ObjectiveSources& sources, const Given& given, const std::string& key) {
  const SearchSpace& space = sources.space;
  if (const auto* mlp = std::get_if<std::shared_ptr<MlpPredictor>>(&given)) {
    check_predictor(**mlp, space, key);
    return predicted_objective(**mlp, space, (*mlp)->target, (*mlp)->unit);
  }
  if (const auto* report = std::get_if<std::shared_ptr<AdaptReport>>(&given)) {
    if ((*report)->features->space().checksum() != space.checksum())
      throw Error(key + ": was adapted to " + (*report)->features->space().name() + "; the scorer is of " +
                  space.name());
    return predicted_objective(recorded_predictor(**report, key), space, "latency", "ms");
  }
  const auto& name = std::get<std::string>(given);
  const bool is_path = name.find(':') == std::string::npos && std::filesystem::path(name).extension() == ".h5";
  Objective objective = find_objective(sources, is_path ? with_source(name) : name, key);
  if (!objective.model)
    throw Error(key + " = \"" + name +
                "\": is known on measured architectures only; use predictor:, table:, proxy: or model:");
  return objective;
}

class ScorerOfSpace {
 public:
  // Refers to the space. predictors: at least one.
  ScorerOfSpace(SpaceRef space, const std::string& set, const std::string& store, const std::vector<Given>& predictors,
                const std::string& backend, const std::string& precision)
      : space_(std::move(space)), precision_(parse_precision(precision)) {
    if (backend != "auto" && backend != "cpu" && backend != "cuda")
      throw Error("backend = '" + backend + "': should be auto, cpu or cuda");
    backend_ = backend == "cuda" || (backend == "auto" && cuda_device_count() > 0) ? Backend::cuda : Backend::cpu;
    require_backend(backend_);
    const Known known(store, *space_, set);
    const ObjectiveSources sources{*space_, known.data(), known.store(), "", backend_};
    for (std::size_t i = 0; i < predictors.size(); ++i) {
      objectives_.push_back(objective_of(sources, predictors[i], "predictors[" + std::to_string(i) + "]"));
      objectives_.back().name = name_of(predictors[i], i);
      models_.push_back(std::make_unique<ModelValues>(*space_, objectives_.back().model, backend_, precision_));
    }
  }

  ScorerOfSpace(const ScorerOfSpace&) = delete;
  ScorerOfSpace& operator=(const ScorerOfSpace&) = delete;

  // values [n_predictors, count].
  void score(const std::string& begin, const Values& values) const {
    long_call([&] {
      for (std::size_t m = 0; m < models_.size(); ++m) models_[m]->of_range(from_decimal(begin), row(values, m));
    });
  }
  // choices [n, n_decisions], values [n_predictors, n].
  void score_list(const Choices& choices, const Values& values) const {
    long_call([&] {
      for (std::size_t m = 0; m < models_.size(); ++m) models_[m]->of_list(span_of(choices), row(values, m));
    });
  }

  SearchResult reduce(const std::vector<bool>& maximised, const std::vector<std::vector<double>>& limits, int best,
                      const std::string& begin, const std::string& count, bool shuffled, std::uint64_t seed) {
    return long_call([&] {
      SubSpace part(*space_);
      SearchProblem problem{part, nullptr, objectives_};
      for (std::size_t i = 0; i < maximised.size(); ++i) {
        problem.objectives[i].direction = maximised[i] ? Direction::maximise : Direction::minimise;
        keep_predictable(*problem.objectives[i].model, part);
      }
      if (!part.is_whole())
        throw Error("predictors: one has no entry for some choices of " + space_->name() +
                    ", which a range of indices would pass over; use search() instead");
      SearchQuestion question;
      for (const auto& bounds : limits) question.limits.push_back({bounds});
      question.n_best = best;
      question.backend = backend_;
      question.precision = precision_;
      question.seed = seed;
      Evaluator evaluator(problem, question);
      return ExhaustiveSearch({from_decimal(begin), from_decimal(count), shuffled}).search(evaluator);
    });
  }

  using Row = std::pair<std::string, std::vector<double>>;  // an architecture and its values
  std::vector<Row> rows(const std::vector<Solution>& solutions) const {
    std::vector<Row> all;
    for (const auto& one : solutions) all.emplace_back(space_->to_string(one.choices), one.values);
    return all;
  }

  Names names() const {
    Names all;
    for (const auto& one : objectives_) all.push_back(one.name);
    return all;
  }
  Names units() const {
    Names all;
    for (const auto& one : objectives_) all.push_back(one.unit);
    return all;
  }
  Names paths() const {
    Names all;
    for (const auto& one : models_) all.push_back(one->path());
    return all;
  }
  const char* backend() const { return to_string(backend_); }
  const char* precision() const { return to_string(precision_); }

 private:
  // The last part of a name, as of a search's objectives; of two alike the later has its place behind it.
  std::string name_of(const Given& given, std::size_t place) const {
    const auto* text = std::get_if<std::string>(&given);
    std::string name = text ? parse_objective(*text, "predictors").name
                       : std::holds_alternative<std::shared_ptr<AdaptReport>>(given) ? "latency"
                                                                                     : "mlp";
    for (std::size_t i = 0; i < place; ++i)
      if (objectives_[i].name == name) return name + "_" + std::to_string(place);
    return name;
  }

  static std::span<double> row(const Values& values, std::size_t i) {
    return {values.data() + i * values.shape(1), values.shape(1)};
  }

  SpaceRef space_;
  Backend backend_ = Backend::cpu;
  Precision precision_;
  std::vector<Objective> objectives_;
  std::vector<std::unique_ptr<ModelValues>> models_;
};

}  // namespace

void add_scorer(nb::module_& module) {
  nb::class_<ScorerOfSpace>(module, "Scorer")
      .def("score", &ScorerOfSpace::score, nb::arg("begin"), nb::arg("values").noconvert())
      .def("score_list", &ScorerOfSpace::score_list, nb::arg("choices"), nb::arg("values").noconvert())
      .def(
          "reduce",
          [](ScorerOfSpace& scorer, const std::vector<bool>& maximised, const std::vector<std::vector<double>>& limits,
             int best, const std::string& begin, const std::string& count, bool shuffled, std::uint64_t seed) {
            const auto found = scorer.reduce(maximised, limits, best, begin, count, shuffled, seed);
            std::vector<std::vector<ScorerOfSpace::Row>> best_rows;
            for (const auto& own : found.best) best_rows.push_back(scorer.rows(own));
            return std::tuple(scorer.rows(found.front), best_rows, found.certainty);
          },
          nb::arg("maximised"), nb::arg("limits"), nb::arg("best"), nb::arg("begin"), nb::arg("count"),
          nb::arg("shuffled"), nb::arg("seed"))
      .def_prop_ro("names", &ScorerOfSpace::names)
      .def_prop_ro("units", &ScorerOfSpace::units)
      .def_prop_ro("paths", &ScorerOfSpace::paths)
      .def_prop_ro("backend", &ScorerOfSpace::backend)
      .def_prop_ro("precision", &ScorerOfSpace::precision);
  module.def(
      "make_scorer",
      [](SpaceRef space, const std::string& set, const std::string& store, const std::vector<Given>& predictors,
         const std::string& backend, const std::string& precision) {
        return long_call([&] {
          return std::make_shared<ScorerOfSpace>(std::move(space), set, store, predictors, backend, precision);
        });
      },
      nb::arg("space"), nb::arg("set"), nb::arg("store"), nb::arg("predictors"), nb::arg("backend"),
      nb::arg("precision"));
}

}  // namespace oneproxy::python
