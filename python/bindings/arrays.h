#pragma once
// Arrays between NumPy and C++. What comes in was checked by python/oneproxy/_arrays.py, which names the argument in
// its errors; it is read where it lies. What goes out owns its memory.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace oneproxy::python {

namespace nb = nanobind;

template <class T, int n_dimensions>
using In = nb::ndarray<const T, nb::ndim<n_dimensions>, nb::c_contig, nb::device::cpu>;
using Vector = In<double, 1>;         // [n]
using Matrix = In<double, 2>;         // [n, m] row-major
using Choices = In<std::uint8_t, 2>;  // [n, n_decisions]

// All elements, in row-major order.
template <class Array>
auto span_of(const Array& array) {
  return std::span(array.data(), array.size());
}

template <class T, std::size_t n_dimensions>
using Out = nb::ndarray<nb::numpy, T, nb::ndim<n_dimensions>, nb::c_contig>;

// The values as an array of that shape, without a copy.
template <class T, std::size_t n_dimensions>
Out<T, n_dimensions> to_numpy(std::vector<T> values, const std::size_t (&shape)[n_dimensions]) {
  auto* const kept = new std::vector<T>(std::move(values));
  const nb::capsule owner(kept, [](void* all) noexcept { delete static_cast<std::vector<T>*>(all); });
  return Out<T, n_dimensions>(kept->data(), n_dimensions, shape, owner);
}

template <class T>
Out<T, 1> to_numpy(std::vector<T> values) {
  const std::size_t shape[] = {values.size()};
  return to_numpy(std::move(values), shape);
}

}  // namespace oneproxy::python
