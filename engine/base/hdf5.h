#pragma once
// The few HDF5 calls that oneproxy needs, with owners for handles and one-line errors. The C library
// stays inside hdf5.cpp. Not thread-safe: HDF5 is called from one thread at a time.
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace oneproxy {

using H5Attribute = std::variant<std::int64_t, double, std::string>;
using H5Attributes = std::map<std::string, H5Attribute>;

enum class H5Mode { read, create, append };

class H5File {
 public:
  // Errors: no such file, not an HDF5 file, truncated, no right to write.
  H5File(const std::string& path, H5Mode mode);
  ~H5File();
  H5File(H5File&& other) noexcept;
  H5File(const H5File&) = delete;
  H5File& operator=(const H5File&) = delete;

  const std::string& path() const { return path_; }
  bool exists(const std::string& object) const;
  std::vector<std::string> children(const std::string& group) const;  // sorted; empty where there is no such group
  bool is_group(const std::string& object) const;
  std::vector<std::int64_t> shape(const std::string& dataset) const;

  // Whole datasets, row-major, converted to the asked type. Errors name file and dataset.
  std::vector<double> read_doubles(const std::string& dataset) const;
  std::vector<std::int64_t> read_integers(const std::string& dataset) const;
  std::vector<std::uint8_t> read_bytes(const std::string& dataset) const;
  std::vector<std::string> read_strings(const std::string& dataset) const;
  H5Attributes attributes(const std::string& object) const;

  // Groups on the way are made. Data is stored shuffled and compressed, without time stamps.
  void write(const std::string& dataset, std::span<const double> values, std::span<const std::int64_t> shape);
  void write(const std::string& dataset, std::span<const std::int64_t> values, std::span<const std::int64_t> shape);
  void write(const std::string& dataset, std::span<const std::uint8_t> values, std::span<const std::int64_t> shape);
  void write(const std::string& dataset, std::span<const std::string> values);
  void write(const std::string& dataset, std::span<const double> values);
  void write(const std::string& dataset, std::span<const std::int64_t> values);
  void set_attribute(const std::string& object, const std::string& name, const H5Attribute& value);
  void remove(const std::string& object);

  // Flushes and closes; a full disk shows here. The destructor closes without a word.
  void close();

 private:
  void write_raw(const std::string& dataset, std::int64_t file_type, std::int64_t memory_type, const void* data,
                 std::span<const std::int64_t> shape);
  [[noreturn]] void fail(const std::string& what) const;

  std::string path_;
  std::int64_t file_ = -1;
};

}  // namespace oneproxy
