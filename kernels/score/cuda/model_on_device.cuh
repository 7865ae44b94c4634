#pragma once
// A model on a device, whatever its kind: enqueues the scores of a chunk. The device and the code outlive it.
#include <memory>
#include <string>
#include <vector>

#include "oneproxy/kernels/score/cuda/device.cuh"
#include "oneproxy/kernels/score/cuda/leaf.h"
#include "oneproxy/kernels/score/cuda/places.h"
#include "oneproxy/kernels/score/owned.h"

namespace oneproxy::detail {

struct TableArgs;

// What is scored at once: positions of a run, or a list on the device.
struct Chunk {
  IndexRange run;
  std::uint64_t position = 0;
  std::uint32_t count = 0;
  const std::uint32_t* list = nullptr;

  bool in_order() const { return list == nullptr && !run.shuffled; }
};

// A code on the device, shared by its models.
struct DeviceCode {
  explicit DeviceCode(const OwnedCode& of, const DigitSplit& split)
      : code(of),
        split(split),
        host_digits(group_digits(of.radices, split, 1, 1)),
        radices(upload(of.radices)),
        rows(upload(of.rows)),
        digits(upload(host_digits)) {}
  int n_digits() const { return static_cast<int>(code.radices.size()); }
  // The part of a chunk that begins at `offset`, rounded down to a multiple of `step`.
  Start start(const Chunk& chunk, std::uint32_t offset, std::uint64_t step) const {
    if (chunk.list == nullptr) return start_at(chunk.run, chunk.position + offset, split, step);
    Start start;
    start.places.list = chunk.list + std::size_t{offset} * n_digits();
    start.places.radices = radices.data();
    start.places.n_digits = n_digits();
    return start;
  }

  const OwnedCode& code;
  DigitSplit split;
  std::vector<PlaceGroup> host_digits;
  DeviceBuffer<std::uint32_t> radices;
  DeviceBuffer<std::int32_t> rows;
  DeviceBuffer<PlaceGroup> digits;
};

class ModelOnDevice {
 public:
  virtual ~ModelOnDevice() = default;
  // Enqueues scores [chunk.count].
  virtual void score(const Chunk& chunk, double* scores) = 0;
  virtual void release_scratch() = 0;
  virtual std::string path() const = 0;
  virtual const TableArgs* table() const { return nullptr; }
};

std::unique_ptr<ModelOnDevice> make_table_on_device(const Device& device, const DeviceCode& code,
                                                    const AdditiveTable<double>& table, const Leaf& leaf);
// In the order of score_by_definition, to the bit.
std::unique_ptr<ModelOnDevice> make_fp64_mlp_on_device(const Device& device, const DeviceCode& code, const Mlp& mlp);
// fp32, tf32, bf16: the first layer from tables, then the fused kernel or the matrix products.
std::unique_ptr<ModelOnDevice> make_fast_mlp_on_device(const Device& device, const DeviceCode& code, const Mlp& mlp,
                                                       Precision precision);

}  // namespace oneproxy::detail
