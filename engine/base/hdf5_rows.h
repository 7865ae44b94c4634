#pragma once
// A dataset that is written row by row, in pieces, so that a table larger than the memory goes into a file.
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "oneproxy/engine/base/hdf5.h"

namespace oneproxy {

// Not thread-safe, as H5File, which outlives it. Datasets read back like those of H5File::write: finish() leaves the
// checksum of all values. Errors as H5File: the disk is full.
class H5Rows {
 public:
  enum class Type { doubles, integers, bytes, texts };

  // [n_rows, width], or [n_rows] where the width is 0.
  H5Rows(H5File& file, const std::string& dataset, Type type, std::int64_t n_rows, std::int64_t width = 0);
  ~H5Rows();
  H5Rows(H5Rows&&) noexcept;

  // The next rows; of the dataset's own type, any number of whole rows.
  void append(std::span<const double> values);
  void append(std::span<const std::int64_t> values);
  void append(std::span<const std::uint8_t> values);
  void append(std::span<const std::string> values);
  void finish();  // fewer or more rows than n_rows are a bug

 private:
  struct State;
  void write(const void* values, std::int64_t n_values);
  std::unique_ptr<State> state_;
};

}  // namespace oneproxy
