#pragma once
// The few HDF5 calls that oneproxy needs, with owners for handles and one-line errors. The C library
// stays inside hdf5*.cpp. Not thread-safe: HDF5 is called from one thread at a time.
// Every dataset carries the SHA-256 of its values as its attribute "sha256": written with it, verified at every read.
// A file is trusted with nothing: what it announces is compared with what it holds before memory is taken, and it leads
// to no other file (links, external storage).
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
  // `name` is what errors call the file (default: its path).
  // Errors: no such file, not an HDF5 file, truncated, damaged, no right to write.
  H5File(const std::string& path, H5Mode mode, const std::string& name = "");
  ~H5File();
  H5File(H5File&& other) noexcept;
  H5File(const H5File&) = delete;
  H5File& operator=(const H5File&) = delete;

  const std::string& path() const { return path_; }  // its name in errors
  std::uint64_t size() const;                        // bytes
  bool exists(const std::string& object) const;
  std::vector<std::string> children(const std::string& group) const;  // sorted; empty where there is no such group
  bool is_group(const std::string& object) const;
  std::vector<std::int64_t> shape(const std::string& dataset) const;

  // Whole datasets, row-major, of exactly the asked type. Errors name file and dataset: another type, more values than
  // are stored, no checksum or another one.
  std::vector<double> read_doubles(const std::string& dataset) const;
  std::vector<std::int64_t> read_integers(const std::string& dataset) const;
  std::vector<std::uint8_t> read_bytes(const std::string& dataset) const;
  std::vector<std::string> read_strings(const std::string& dataset) const;
  H5Attributes attributes(const std::string& object) const;
  void verify() const;  // reads every dataset of the file

  // Groups on the way are made. Data is stored shuffled and compressed, without time stamps, with its checksum.
  void write(const std::string& dataset, std::span<const double> values, std::span<const std::int64_t> shape);
  void write(const std::string& dataset, std::span<const std::int64_t> values, std::span<const std::int64_t> shape);
  void write(const std::string& dataset, std::span<const std::uint8_t> values, std::span<const std::int64_t> shape);
  void write(const std::string& dataset, std::span<const std::string> values);
  void write(const std::string& dataset, std::span<const double> values);
  void write(const std::string& dataset, std::span<const std::int64_t> values);
  // Makes a dataset of one dimension the scale (the labels) of dimensions, and attaches it to one of another dataset;
  // `name` is the dimension's.
  void make_scale(const std::string& dataset, const std::string& name);
  void attach_scale(const std::string& dataset, int dimension, const std::string& scale, const std::string& name);
  void set_attribute(const std::string& object, const std::string& name, const H5Attribute& value);
  void remove(const std::string& object);

  // Flushes and closes; a full disk shows here. The destructor closes without a word.
  void close();

 private:
  friend class H5Rows;  // hdf5_rows.h
  template <class T>
  std::vector<T> read_numbers(const std::string& dataset, std::int64_t type) const;
  void verify_checksum(const std::string& dataset, const std::string& found) const;
  void write_raw(const std::string& dataset, std::int64_t file_type, std::int64_t memory_type, const void* data,
                 std::span<const std::int64_t> shape, const std::string& checksum);
  [[noreturn]] void fail(const std::string& what) const;

  std::string path_;
  std::int64_t file_ = -1;
};

// Before many files are opened: looks at them in a few child processes, not in one for each, which takes a millisecond
// and more. What is wrong with a file is said when it is opened.
void probe_h5_files(std::span<const std::string> paths);

// The path of an object of a group, which may be the root of a file.
inline std::string below(const std::string& group, const std::string& name) {
  return group == "/" ? "/" + name : group + "/" + name;
}

}  // namespace oneproxy
