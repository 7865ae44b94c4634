#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/predictor/mlp_predictor.h"
#include "oneproxy/engine/predictor/onnx_predictor.h"
#include "oneproxy/engine/predictor/torch_predictor.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bindings.h"
#include "python/bindings/long_call.h"

namespace oneproxy::python {
namespace {

using AnyTensor = nb::ndarray<const double, nb::c_contig, nb::device::cpu>;
using NamedTensors = std::vector<std::pair<std::string, AnyTensor>>;
using Made = std::shared_ptr<MlpPredictor>;

// What a user says of a network beside its weights.
struct About {
  std::string layout, target, unit, source, licence;
  bool log_target;
  double offset, scale;

  Made record(MlpPredictor predictor) const {
    predictor.target = target;
    predictor.unit = unit;
    predictor.log_target = log_target;
    predictor.output_offset = offset;
    predictor.output_scale = scale;
    predictor.record["source"] = source;
    predictor.record["licence"] = licence;
    return std::make_shared<MlpPredictor>(std::move(predictor));
  }
};

// `where` begins messages: the argument that they came from.
Made from_tensors(const SearchSpace& space, const NamedTensors& named, const About& about, const std::string& where) {
  std::vector<TorchTensor> tensors;
  for (const auto& [name, values] : named) {
    TorchTensor tensor{name, {}, {values.data(), values.data() + values.size()}};
    for (std::size_t axis = 0; axis < values.ndim(); ++axis)
      tensor.shape.push_back(static_cast<std::int64_t>(values.shape(axis)));
    tensors.push_back(std::move(tensor));
  }
  return without_gil([&] { return about.record(predictor_from_torch(tensors, space, about.layout, where)); });
}

Made from_file(const SearchSpace& space, const std::string& path, const About& about) {
  return long_call([&] { return about.record(predictor_from_file(path, space, about.layout)); });
}

Out<double, 1> predictions(const MlpPredictor& mlp, const Choices& choices) {
  constexpr std::int64_t kAtOnce = 1 << 10;  // architectures between two looks for an interrupt
  const auto n = static_cast<std::int64_t>(choices.shape(0)), width = static_cast<std::int64_t>(choices.shape(1));
  std::vector<double> values(n);
  long_call([&] {
    parallel_for((n + kAtOnce - 1) / kAtOnce, [&](std::int64_t p) {
      check_interrupt();
      const std::int64_t first = p * kAtOnce, count = std::min(kAtOnce, n - first);
      mlp.predict(span_of(choices).subspan(first * width, count * width), std::span(values).subspan(first, count));
    });
  });
  return to_numpy(std::move(values));
}

std::vector<int> widths(const MlpPredictor& mlp) {
  std::vector<int> all{mlp.first_width};
  for (const auto& layer : mlp.layers) all.push_back(layer.outputs);
  return all;
}

}  // namespace

void add_mlp(nb::module_& module) {
  nb::class_<About>(module, "AboutMlp")
      .def(
          "__init__",
          [](About* about, std::string layout, std::string target, std::string unit, std::string source,
             std::string licence, bool log_target, double offset, double scale) {
            if (std::find(kTorchLayouts.begin(), kTorchLayouts.end(), layout) == kTorchLayouts.end())
              throw Error("layout = '" + layout + "': should be onehot or ofa");
            new (about) About{std::move(layout),  std::move(target), std::move(unit), std::move(source),
                              std::move(licence), log_target,        offset,          scale};
          },
          nb::arg("layout"), nb::arg("target"), nb::arg("unit"), nb::arg("source"), nb::arg("licence"),
          nb::arg("log_target"), nb::arg("offset"), nb::arg("scale"));
  nb::class_<MlpPredictor>(module, "Mlp")
      .def_ro("space", &MlpPredictor::space)
      .def_ro("target", &MlpPredictor::target)
      .def_ro("unit", &MlpPredictor::unit)
      .def_prop_ro("widths", &widths)
      .def("predict", &predictions, nb::arg("choices"))
      .def(
          "save",
          [](const MlpPredictor& mlp, const std::string& path) { long_call([&] { save_predictor(path, mlp); }); },
          nb::arg("path"));
  module.def("mlp_from_tensors", &from_tensors, nb::arg("space"), nb::arg("tensors"), nb::arg("about"),
             nb::arg("where"));
  module.def("mlp_from_file", &from_file, nb::arg("space"), nb::arg("path"), nb::arg("about"));
  module.def(
      "load_mlp",
      [](const std::string& path) {
        return long_call([&] { return std::make_shared<MlpPredictor>(load_predictor(path)); });
      },
      nb::arg("path"));
  module.def(
      "check_mlp",
      [](const MlpPredictor& mlp, const SearchSpace& space, const std::string& where) {
        check_predictor(mlp, space, where);
      },
      nb::arg("mlp"), nb::arg("space"), nb::arg("where"));
}

}  // namespace oneproxy::python
