#pragma once
// Numbers in HDF5 with their checksum beside them, and files that are replaced whole or not at all: what measurements,
// predictors and tables have in common.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

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
  const auto sum = found.find("sha256");
  const auto* text = sum == found.end() ? nullptr : std::get_if<std::string>(&sum->second);
  if (!text) throw Error(file.path() + ": " + dataset + " has no checksum; import the data again");
  if (*text != sha256_of(std::span<const T>(values)))
    throw Error(file.path() + ": " + dataset + " does not match its checksum; the file is damaged, get it again");
}

// The path of an object of a group, which may be the root of a file.
inline std::string below(const std::string& group, const std::string& name) {
  return group == "/" ? "/" + name : group + "/" + name;
}

std::vector<double> read_checked_doubles(const H5File& file, const std::string& dataset);
std::vector<std::uint8_t> read_checked_bytes(const H5File& file, const std::string& dataset);

// `change` gets a temporary file beside `path`: a copy of `start` ("" is an empty file). It is renamed to `path` when
// everything is written; on any error `path` is as before.
void replace_file(const std::string& path, const std::string& start, const std::function<void(H5File&)>& change);

}  // namespace oneproxy
