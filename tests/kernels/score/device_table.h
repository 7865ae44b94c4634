#pragma once
// A table as the emulated device sees it.
// clang-format off
#include "tests/kernels/score/device_cases.h"
#include "oneproxy/kernels/score/cuda/reduce_kernels.cuh"
// clang-format on

#include <vector>

namespace oneproxy::detail {

struct DeviceTable {
  DeviceTable(const OwnedDigits& digits, const AdditiveTable<double>& table)
      : groups(group_digits(digits.radices, split_digits(digits.radices), 1, 1)) {
    const bool selects = table.bias.size() > 1;
    args = {table.weights.data(),
            table.bias.data(),
            table.weights.size() / table.bias.size(),
            selects,
            groups.data(),
            static_cast<int>(groups.size()),
            leaf_digits(digits.radices, split_digits(digits.radices), selects)};
  }
  std::vector<PlaceGroup> groups;
  TableArgs args;
};

}  // namespace oneproxy::detail
