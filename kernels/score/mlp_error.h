#pragma once
// How far a fast score can be from the fp64 one. Private to kernels/.
#include "oneproxy/kernels/base/backend.h"
#include "oneproxy/kernels/base/digits.h"
#include "oneproxy/kernels/base/precision.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy::detail {

// A proven bound on |score in `precision` on `backend` - score_by_definition| over the whole space; 0 for fp64;
// infinite where fp32 could overflow or widths are beyond its reach. One analysis for both back ends, which differ in
// how they round (mlp_error.cpp, Arithmetic).
//
// Forward analysis (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1), unit by unit. Exact
// activations lie in intervals that follow from the extreme rows of each digit. A computed sum carries, beside the
// errors of its inputs times |weight| and the rounding of the weights themselves (known, not bounded), one rounding of
// each product and one of each partial sum, at most unit roundoff times the largest value that the exact partial sum
// can take plus the error so far. Both scores are bounded against the exact one and the bounds added. What makes it
// loose is that the intervals of units are combined as if all could take their extremes at once.
double mlp_error_bound(const Mlp& model, const DigitCode& code, Precision precision, Backend backend);

// A bound of nearly twice the size, for half the work: where thousands of models are scored at few places each.
double quick_mlp_error_bound(const Mlp& model, const DigitCode& code, Precision precision, Backend backend);

}  // namespace oneproxy::detail
