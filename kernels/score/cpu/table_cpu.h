#pragma once
// Sums of table entries on the CPU. Private to kernels/.
#include <vector>

#include "oneproxy/kernels/score/cpu/inner_digits.h"
#include "oneproxy/kernels/score/owned.h"

namespace oneproxy::detail {

class TableCpu {
 public:
  TableCpu(const AdditiveTable<double>& table, const OwnedCode& code);
  // As MlpCpu: thread-safe, and the same bits as the definition.
  void score_range(ArchIndex begin, std::int64_t count, double* scores) const;
  void score_digits(const std::uint32_t* digits, std::int64_t n, double* scores) const;

 private:
  const double* weights(const std::uint32_t* digits) const;  // of the table that the digits select
  double prefix(const std::uint32_t* digits, int n) const;   // bias and the first n digits

  std::vector<std::uint32_t> radices_, offsets_;
  std::vector<double> weights_, bias_;
  std::size_t table_length_;
  InnerDigits inner_;
};

}  // namespace oneproxy::detail
