#pragma once
// The twins of score_table. Sizes are checked before. They return the first architecture with a choice outside its
// radix, whose score is then not defined, or -1.
#include <cstdint>
#include <span>

#include "oneproxy/kernels/additive/table.h"

namespace oneproxy::detail {

std::int64_t score_table_cpu(const AdditiveTable<double>& table, std::span<const std::uint8_t> radices,
                             std::span<const std::uint8_t> choices, std::span<double> scores);
std::int64_t score_table_cuda(const AdditiveTable<double>& table, std::span<const std::uint8_t> radices,
                              std::span<const std::uint8_t> choices, std::span<double> scores);

}  // namespace oneproxy::detail
