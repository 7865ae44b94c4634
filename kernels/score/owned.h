#pragma once
// Owners of what a code and a model view, so that a scorer outlives its caller's memory. Private to kernels/.
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "oneproxy/kernels/base/digits.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy::detail {

struct OwnedCode {
  explicit OwnedCode(const DigitCode& code);
  std::vector<std::uint32_t> radices, offsets;  // offsets [n_digits]: first value of each digit in `rows`
  int parts, n_rows;
  std::vector<std::int32_t> rows;
  ArchIndex size;
  DigitCode view() const { return {radices, parts, rows, n_rows}; }
};

struct OwnedModel {
  explicit OwnedModel(const ScoreFunction& of);
  OwnedModel(const OwnedModel&) = delete;  // `model` views `numbers`
  OwnedModel& operator=(const OwnedModel&) = delete;

  std::deque<std::vector<double>> numbers;
  ScoreFunction model;
};

}  // namespace oneproxy::detail
