#pragma once
// The tensors of a file that torch.save wrote from a state_dict, read without PyTorch: the legacy form (pickles, then
// storages) and the zip archive of today (engine/data/pickle.h reads what lies in both). Nothing in the file is run.
// Whatever the file holds, reading it takes less than 2 GB and some seconds: a file has at most 512 MiB, its pickles
// 2^20 values, its dictionaries 2^20 entries, its tensors 2^26 numbers in all and 2^16 names of at most 1024 bytes.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oneproxy {

struct TorchTensor {
  std::string name;                 // "0.weight"; a dictionary in a dictionary is joined by '.'
  std::vector<std::int64_t> shape;  // empty for a scalar
  std::vector<double> values;       // row-major; float, double, half, bfloat16, long and int are read
};

// In the order of the file. Errors, one line each: no such file, truncated, no torch file, a whole pickled model, a
// name that tensors do not need, a storage of another kind, a tensor outside its storage, more than the limits above.
// Throws Interrupted after a signal.
std::vector<TorchTensor> read_torch_file(const std::string& path);

// The same for the content of a file; errors do not name it.
std::vector<TorchTensor> parse_torch_file(std::string_view content);

}  // namespace oneproxy
