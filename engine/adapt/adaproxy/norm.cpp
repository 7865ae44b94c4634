#include "oneproxy/engine/adapt/adaproxy/norm.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

Norm parse_norm(std::string_view text) {
  for (const Norm norm : {Norm::l1, Norm::l2, Norm::linf}) {
    if (text == to_string(norm)) return norm;
  }
  throw Error("unknown norm \"" + std::string(text) + "\"; use \"1\", \"2\" or \"inf\"");
}

const char* to_string(Norm norm) {
  switch (norm) {
    case Norm::l1:
      return "1";
    case Norm::l2:
      return "2";
    case Norm::linf:
      return "inf";
  }
  assertion_failed("norm is one of the three", __FILE__, __LINE__);
}

Norm dual(Norm norm) { return norm == Norm::l1 ? Norm::linf : norm == Norm::linf ? Norm::l1 : Norm::l2; }

double norm_value(Norm norm, std::span<const double> v) {
  double sum = 0, squares = 0, largest = 0;
  for (const double value : v) {
    sum += std::abs(value);
    squares += value * value;
    largest = std::max(largest, std::abs(value));
  }
  return norm == Norm::l1 ? sum : norm == Norm::l2 ? std::sqrt(squares) : largest;
}

}  // namespace oneproxy
