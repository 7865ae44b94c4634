#include "oneproxy/engine/adapt/workflow/adapt.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <memory>
#include <tuple>

#include "experiments/cli/metric_quantity.h"
#include "oneproxy/engine/adapt/workflow/adapted_file.h"
#include "oneproxy/engine/adapt/workflow/plan.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/device/collected_measurements.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/kernels/base/error.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bindings.h"
#include "python/bindings/long_call.h"

namespace oneproxy::python {
namespace {

using Names = std::vector<std::string>;

Out<std::uint8_t, 2> rows(std::vector<std::uint8_t> choices, const SearchSpace& space) {
  const std::size_t decisions = space.n_decisions(), shape[] = {choices.size() / decisions, decisions};
  return to_numpy(std::move(choices), shape);
}

// A plan with what it is a plan of.
struct MadePlan {
  SearchSpace space;
  Plan plan;
};

MadePlan make_plan(const SearchSpace& space, const SourceQuery& query, int k, const std::string& selection,
                   int reference_every, const Choices& measured) {
  return long_call([&] {
    const auto sources = load_sources(std::make_shared<ArchitectureFeatures>(space), query).sources;
    const PlanSettings settings{k, parse_selection(selection), reference_every, query.seed};
    return MadePlan{space, plan(sources, settings, span_of(measured))};
  });
}

std::shared_ptr<AdaptReport> adapt_to(const SearchSpace& space, const Choices& choices, const Vector& latency_ms,
                                      const SourceQuery& query, const std::string& metric, const std::string& unit,
                                      const std::string& direction, const std::string& method, bool divide_out_drift,
                                      double threshold, double confidence, bool calibrate) {
  return long_call([&] {
    AdaptSettings settings{MethodChoice(method), divide_out_drift, threshold, confidence, query.seed};
    settings.calibrate = calibrate;
    settings.method.require_available("method = " + method);
    Quantity quantity = latency_quantity();
    if (!metric.empty()) {
      check_metric_name(metric);
      quantity = metric_quantity(metric, unit, direction, query.set,
                                 query.store.empty() ? shipped_store() : query.store, space.name());
    }
    auto measured = collect_measurements(space, span_of(choices), span_of(latency_ms), quantity);
    const auto sources = load_sources(std::make_shared<ArchitectureFeatures>(space), query).sources;
    return std::make_shared<AdaptReport>(adapt(sources, std::move(measured), settings));
  });
}

std::pair<Out<double, 1>, Out<double, 1>> predictions(const AdaptReport& report, const Choices& choices) {
  auto found = long_call([&] { return predict(report, {choices.data(), choices.data() + choices.size()}); });
  return {to_numpy(std::move(found.values)), to_numpy(std::move(found.deviations))};
}

void check_ending(const std::string& path) {
  if (std::filesystem::path(path).extension() != ".h5")
    throw Error("path = " + path + ": give it the ending .h5, by which a file is told from a name in a store");
}

// As `oneproxy adapt --out` writes it.
void save(const AdaptReport& report, const std::string& path) {
  check_ending(path);
  long_call([&] {
    const std::string device = std::filesystem::path(path).stem().string();
    const auto posterior = recorded_posterior(report);
    const Device measured = measured_device(report, device);
    save_predictor(path, recorded_predictor(report, device), &measured, posterior ? &*posterior : nullptr);
  });
}

std::optional<std::tuple<bool, int, double>> as_tuple(const std::optional<Advice>& advice) {
  if (!advice) return std::nullopt;
  return std::tuple(advice->stop, advice->more, advice->reachable);
}

// The architecture, what its value is, and how many times the median that is.
using Outliers = std::vector<std::tuple<std::string, double, double>>;

Outliers outliers(const AdaptReport& report) {
  const auto& space = report.features->space();
  const std::size_t decisions = space.n_decisions();
  Outliers all;
  for (const auto& one : report.outliers)
    all.emplace_back(
        space.to_string(std::span(report.measured.choices).subspan(one.architecture * decisions, decisions)), one.value,
        one.times_median);
  return all;
}

// What a file of an adapted device says, in the words of AdaptReport.
void add_adapted_file(nb::module_& module) {
  nb::class_<AdaptedFile>(module, "AdaptedFile")
      .def_prop_ro("method", [](const AdaptedFile& file) { return file.record.method; })
      .def_prop_ro(
          "unit",
          [](const AdaptedFile& file) { return std::visit([](const auto& m) { return m.unit; }, file.predictor); })
      .def_prop_ro("sources", [](const AdaptedFile& file) { return file.record.sources; })
      .def_prop_ro("n_known", [](const AdaptedFile& file) { return file.record.n_known; })
      .def_prop_ro("why_not_adapted", [](const AdaptedFile&) { return std::string(); })
      .def_prop_ro("probability", [](const AdaptedFile& file) { return file.record.probability; })
      .def_prop_ro("expected_srcc",
                   [](const AdaptedFile& file) {
                     return std::tuple(file.record.expected_srcc, file.record.expected_low, file.record.expected_high);
                   })
      .def_prop_ro("advice", [](const AdaptedFile& file) { return as_tuple(file.record.advice); })
      .def_prop_ro("drift", [](const AdaptedFile& file) { return file.record.drift; })
      .def_prop_ro("outliers",
                   [](const AdaptedFile& file) {
                     Outliers all;
                     for (const auto& one : file.record.outliers)
                       all.emplace_back(one.arch, one.value, one.times_median);
                     return all;
                   })
      .def_prop_ro("remarks", [](const AdaptedFile& file) { return file.record.remarks; })
      .def(
          "predict",
          [](const AdaptedFile& file, const Choices& choices) {
            std::vector<double> values(choices.shape(0)), deviations(choices.shape(0));
            long_call([&] { file.predict(span_of(choices), values, deviations); });
            return std::pair(to_numpy(std::move(values)), to_numpy(std::move(deviations)));
          },
          nb::arg("choices"))
      .def(
          "save",
          [](const AdaptedFile& file, const std::string& path) {
            check_ending(path);
            long_call([&] {
              save_predictor(path, file.predictor, file.device ? &*file.device : nullptr,
                             file.posterior ? &*file.posterior : nullptr);
            });
          },
          nb::arg("path"));
  // Its space, as it was adapted, and the file; space null: the one that ships by the name in the file.
  module.def(
      "load_adapted",
      [](const std::string& path, const std::shared_ptr<SearchSpace>& given) {
        return long_call([&] {
          const auto space = given ? given : std::make_shared<SearchSpace>(SearchSpace::load(adapted_space(path)));
          return std::pair(space, std::make_shared<AdaptedFile>(load_adapted(path, *space)));
        });
      },
      nb::arg("path"), nb::arg("space").none());
}

Names remarks(const AdaptReport& report) {
  Names all;
  for (const auto& remark : report.remarks) all.push_back(remark.text);
  return all;
}

}  // namespace

void add_adapt(nb::module_& module) {
  nb::class_<SourceQuery>(module, "SourceQuery")
      .def(
          "__init__",
          [](SourceQuery* query, std::string set, std::string store, Names devices, std::string target,
             std::uint64_t seed) {
            new (query) SourceQuery{std::move(set), std::move(store), std::move(devices), std::move(target), seed};
          },
          nb::arg("set"), nb::arg("store"), nb::arg("devices"), nb::arg("target"), nb::arg("seed"));
  nb::class_<MadePlan>(module, "Plan")
      .def_prop_ro(
          "choices", [](const MadePlan& made) { return rows(made.plan.choices, made.space); }, nb::rv_policy::move)
      .def_prop_ro(
          "order",
          [](const MadePlan& made) {
            std::vector<std::int64_t> order;
            for (const auto& one : made.plan.measurements) order.push_back(one.architecture);
            return to_numpy(std::move(order));
          },
          nb::rv_policy::move)
      .def_prop_ro("sources", [](const MadePlan& made) { return made.plan.sources; })
      .def(
          "save",
          [](const MadePlan& made, const std::string& path, const std::string& column) {
            if (column != latency_quantity().name) check_metric_name(column);
            long_call([&] { write_plan(made.plan, made.space, path, column); });
          },
          nb::arg("path"), nb::arg("column"));
  module.def("plan", &make_plan, nb::arg("space"), nb::arg("query"), nb::arg("k"), nb::arg("selection"),
             nb::arg("reference_every"), nb::arg("measured"));

  nb::class_<AdaptReport>(module, "Adapted")
      .def_ro("method", &AdaptReport::method)
      .def_ro("prior", &AdaptReport::prior)
      .def_ro("sources", &AdaptReport::sources)
      .def_ro("n_known", &AdaptReport::n_known)
      .def_ro("why_not_adapted", &AdaptReport::why_not_adapted)
      .def_ro("threshold", &AdaptReport::threshold)
      .def_ro("probability", &AdaptReport::probability)
      .def_prop_ro(
          "choices", [](const AdaptReport& report) { return rows(report.measured.choices, report.features->space()); },
          nb::rv_policy::move)
      .def_prop_ro(
          "latency_ms", [](const AdaptReport& report) { return to_numpy(report.measured.latency_ms); },
          nb::rv_policy::move)
      .def_prop_ro("expected_srcc",
                   [](const AdaptReport& report) {
                     return std::tuple(report.expected.value, report.expected.low, report.expected.high);
                   })
      .def_prop_ro("advice", [](const AdaptReport& report) { return as_tuple(report.advice); })
      .def_prop_ro("unit", [](const AdaptReport& report) { return report.quantity().unit; })
      .def_prop_ro("drift",
                   [](const AdaptReport& report) -> std::optional<std::pair<double, double>> {
                     if (!report.drift) return std::nullopt;
                     return std::pair(report.drift->min_factor, report.drift->max_factor);
                   })
      .def_prop_ro("outliers", &outliers)
      .def_prop_ro("remarks", &remarks)
      .def("predict", &predictions, nb::arg("choices"))
      .def("save", &save, nb::arg("path"));
  module.def("adapt", &adapt_to, nb::arg("space"), nb::arg("choices"), nb::arg("latency_ms"), nb::arg("query"),
             nb::arg("metric"), nb::arg("unit"), nb::arg("direction"), nb::arg("method"), nb::arg("divide_out_drift"),
             nb::arg("threshold"), nb::arg("confidence"), nb::arg("calibrate"));
  add_adapted_file(module);
}

}  // namespace oneproxy::python
