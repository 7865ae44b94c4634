#pragma once
// Arrays that explain themselves: the one place where an array of a result says what it holds. Each dataset carries
// `long_name` and `units`; each of its dimensions has a name and labels, as an HDF5 dimension scale. So h5py shows them
// (`file["srcc"].dims`), and xarray opens a group of the file with engine="h5netcdf".
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/base/hdf5.h"

namespace oneproxy {

// What a dataset holds. units: "ms", "%", ...; "1" of a number without a unit, "" of text.
struct About {
  std::string long_name, units;
};

// Not thread-safe, as H5File.
class LabelledArrays {
 public:
  explicit LabelledArrays(const std::string& path);  // creates the file; errors as H5File

  // Declares an axis, with a label for each place along it; stored as the dataset `path`, whose last part is the axis's
  // name. Names of one group are distinct.
  void axis(const std::string& path, std::span<const std::string> labels, const About& about);
  void axis(const std::string& path, std::span<const std::int64_t> labels, const About& about);
  void axis(const std::string& path, std::span<const double> labels, const About& about);
  // Of things without a name: labelled first, first + 1, ...
  void numbered_axis(const std::string& path, std::int64_t length, const std::string& long_name,
                     std::int64_t first = 0);
  // Of an axis of exactly that path; none where it was not declared.
  std::optional<std::int64_t> length_of(const std::string& path) const;

  // Row-major values over axes, by name: that of the dataset's own group, else of the nearest group above. The axes
  // give the shape. An axis that was not declared, or another number of values, is a bug.
  void write(const std::string& dataset, std::span<const double> values, const std::vector<std::string>& axes,
             const About& about);
  void write(const std::string& dataset, std::span<const std::int64_t> values, const std::vector<std::string>& axes,
             const About& about);
  void write(const std::string& dataset, std::span<const std::uint8_t> values, const std::vector<std::string>& axes,
             const About& about);
  void write(const std::string& dataset, std::span<const std::string> values, const std::string& axis,
             const About& about);

  void set_attribute(const std::string& object, const std::string& name, const H5Attribute& value);
  void close();  // as H5File::close

 private:
  template <class T>
  void add_axis(const std::string& path, std::span<const T> labels, const About& about);
  template <class T>
  void write_numbers(const std::string& dataset, std::span<const T> values, const std::vector<std::string>& axes,
                     const About& about);
  std::string find_axis(const std::string& dataset, const std::string& name) const;
  void describe(const std::string& dataset, const About& about);
  void attach(const std::string& dataset, const std::vector<std::string>& axes);

  H5File file_;
  std::map<std::string, std::int64_t> lengths_;  // of axes, by path
};

}  // namespace oneproxy
