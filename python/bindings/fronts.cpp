#include <nanobind/stl/vector.h>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/front/pareto.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bindings.h"
#include "python/bindings/long_call.h"

namespace oneproxy::python {
namespace {

// The kernels minimise the first and the third objective and maximise the second.
constexpr bool kKernelMaximises[] = {false, true, false};

// Column `objective` of points [n, m] as the kernels want it. maximised: what the caller wants.
std::vector<double> column(const Matrix& points, std::size_t objective, bool maximised) {
  const std::size_t n = points.shape(0), m = points.shape(1);
  const double sign = maximised == kKernelMaximises[objective] ? 1 : -1;
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = sign * points.data()[i * m + objective];
  return values;
}

std::vector<std::vector<double>> columns_of(const Matrix& points, const std::vector<bool>& maximised) {
  std::vector<std::vector<double>> columns;
  for (std::size_t i = 0; i < maximised.size(); ++i) columns.push_back(column(points, i, maximised[i]));
  return columns;
}

// points [n, 2 or 3], maximised and reference of as many (python/oneproxy/fronts.py sees to that).
Out<std::int64_t, 1> front_of(const Matrix& points, const std::vector<bool>& maximised) {
  return to_numpy(without_gil([&] {
    const auto values = columns_of(points, maximised);
    return values.size() == 2 ? pareto_front(values[0], values[1], Backend::cpu)
                              : pareto_front(values[0], values[1], values[2]);
  }));
}

double volume_of(const Matrix& points, const Vector& reference, const std::vector<bool>& maximised) {
  return without_gil([&] {
    const auto values = columns_of(points, maximised);
    std::vector<double> corner;
    for (std::size_t i = 0; i < maximised.size(); ++i)
      corner.push_back(maximised[i] == kKernelMaximises[i] ? reference.data()[i] : -reference.data()[i]);
    return values.size() == 2 ? hypervolume(values[0], values[1], corner[0], corner[1])
                              : hypervolume(values[0], values[1], values[2], corner[0], corner[1], corner[2]);
  });
}

}  // namespace

void add_fronts(nb::module_& module) {
  module.def("pareto_front", &front_of, nb::arg("points"), nb::arg("maximised"));
  module.def("hypervolume", &volume_of, nb::arg("points"), nb::arg("reference"), nb::arg("maximised"));
}

}  // namespace oneproxy::python
