#pragma once
// The three norms that AdaProxy may penalise its correction with.
#include <span>
#include <string_view>

namespace oneproxy {

enum class Norm { l1, l2, linf };

Norm parse_norm(std::string_view text);  // "1", "2", "inf"; Error otherwise
const char* to_string(Norm norm);

// The norm q with 1/p + 1/q = 1.
Norm dual(Norm norm);

// ||v||_p; 0 for an empty v.
double norm_value(Norm norm, std::span<const double> v);

}  // namespace oneproxy
