#pragma once
// Numbers in HDF5 with their checksum beside them: what measurements, predictors and tables have in common.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

template <class T>
void write_checked(H5File& file, const std::string& dataset, const std::vector<T>& values,
                   std::span<const std::int64_t> shape) {
  file.write(dataset, std::span<const T>(values), shape);
  file.set_attribute(dataset, "sha256", sha256_of(std::span<const T>(values)));
}

// Error where the values do not match the checksum among the dataset's attributes, or have none.
template <class T>
void verify_checksum(const H5File& file, const std::string& dataset, const std::vector<T>& values,
                     const H5Attributes& found) {
  const auto sum = attribute_text(found, "sha256");
  if (sum.empty()) throw Error(file.path() + ": " + dataset + " has no checksum; import the data again");
  if (sum != sha256_of(std::span<const T>(values)))
    throw Error(file.path() + ": " + dataset + " does not match its checksum; the file is damaged, get it again");
}

// The path of an object of a group, which may be the root of a file.
inline std::string below(const std::string& group, const std::string& name) {
  return group == "/" ? "/" + name : group + "/" + name;
}

std::vector<double> read_checked_doubles(const H5File& file, const std::string& dataset);
std::vector<std::uint8_t> read_checked_bytes(const H5File& file, const std::string& dataset);

}  // namespace oneproxy
