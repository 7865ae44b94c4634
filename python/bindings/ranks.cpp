#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <tuple>

#include "oneproxy/kernels/rank/rank.h"
#include "python/bindings/arrays.h"
#include "python/bindings/bindings.h"
#include "python/bindings/long_call.h"

namespace oneproxy::python {
namespace {

using Correlate = Correlation (*)(std::span<const double>, std::span<const double>, Backend);

// The value, and why it is NaN ("" where it is not).
template <Correlate correlate>
std::pair<double, std::string> correlation(const Vector& x, const Vector& y) {
  const Correlation found = without_gil([&] { return correlate(span_of(x), span_of(y), Backend::cpu); });
  return {found.value, to_string(found.reason)};
}

Out<double, 1> ranks_of(const Vector& x) {
  std::vector<double> ranks(x.size());
  without_gil([&] { average_ranks(span_of(x), ranks, Backend::cpu); });
  return to_numpy(std::move(ranks));
}

// The matrix, and a row and a column of an undefined value with the reason (-1, -1, "" where there is none).
std::tuple<Out<double, 2>, std::int64_t, std::int64_t, std::string> matrix_of(const Matrix& rows) {
  const std::size_t d = rows.shape(0), n = rows.shape(1);
  std::vector<std::span<const double>> columns;
  for (std::size_t i = 0; i < d; ++i) columns.emplace_back(rows.data() + i * n, n);
  CorrelationMatrix matrix = without_gil([&] { return spearman_matrix(columns, Backend::cpu); });
  const std::size_t shape[] = {d, d};
  for (std::size_t i = 0; i < matrix.reason.size(); ++i)
    if (matrix.reason[i] != Undefined::no)
      return {to_numpy(std::move(matrix.value), shape), i / d, i % d, to_string(matrix.reason[i])};
  return {to_numpy(std::move(matrix.value), shape), -1, -1, ""};
}

}  // namespace

void add_ranks(nb::module_& module) {
  module.def("spearman", &correlation<spearman>, nb::arg("x"), nb::arg("y"));
  module.def("kendall", &correlation<kendall_tau_b>, nb::arg("x"), nb::arg("y"));
  module.def("average_ranks", &ranks_of, nb::arg("x"));
  module.def("spearman_matrix", &matrix_of, nb::arg("rows"));
}

}  // namespace oneproxy::python
