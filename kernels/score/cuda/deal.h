#pragma once
// One reduction by all devices of a machine: pieces go to whoever is free. No CUDA in here: a device is a function.
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "oneproxy/kernels/front/reduction.h"

namespace oneproxy::detail {

class DevicesAtWork {
 public:
  // Adds positions begin .. end-1 to `part` on device i; called from one thread for each device. OutOfDeviceMemory: the
  // device can not, also with the smallest chunks.
  using Reduce = std::function<void(std::size_t i, std::uint64_t begin, std::uint64_t end, Reduction& part)>;

  explicit DevicesAtWork(std::size_t n) : out_(n) {}

  // Adds all positions 0 .. count-1; of a short run, less than a least piece for each, only the first devices. The
  // result has the bits of one device's, whoever took what. A device without memory takes no part any more, in later
  // calls neither; the others do its piece. Errors, which leave `reduction` as it was: no device has memory; anything
  // else that a device throws, after the pieces of the others that are under way.
  void reduce(std::uint64_t count, std::uint64_t least_piece, Reduction& reduction, const Reduce& reduce);

  // What devices said that take no part any more.
  std::vector<std::string> out_of_memory() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> out_;  // by device; empty: it takes part
};

}  // namespace oneproxy::detail
