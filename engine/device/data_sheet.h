#pragma once
// What a vendor says of a device, in SI units: the numbers that a latency could be guessed from before anything is
// measured. In TOML one [[device]] a device; docs/scaling_up.md lists the keys.
#include <limits>
#include <string>
#include <vector>

#include "oneproxy/engine/base/hdf5.h"

namespace oneproxy {

// NaN: unknown.
struct DataSheet {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

  std::string device;        // its name, as measurements have it
  std::string device_class;  // one of device_classes()
  double cores = kUnknown, clock_hz = kUnknown, simd_bits = kUnknown, cache_bytes = kUnknown;
  double memory_bytes = kUnknown, memory_bytes_per_s = kUnknown, peak_flop_per_s = kUnknown, power_w = kUnknown;
  double batch = kUnknown;  // architectures' inputs that run at once: what it is used with counts as the device
};

// "gpu", "cpu", "phone", "board", "accelerator", "fpga".
const std::vector<std::string>& device_classes();

// The numbers that a data sheet may have: the only place where they are listed.
struct DataSheetNumber {
  std::string key;   // in files: "clock_hz"
  std::string unit;  // "Hz"; "" for counts
  std::string meaning;
  double low = 0, high = 0;  // outside it is a slip, most likely of the unit
  double DataSheet::*value = nullptr;
};
const std::vector<DataSheetNumber>& data_sheet_numbers();

// All devices of a file, in its order. `name` may be a list, for one piece of hardware under several names, and `batch`
// then one number a name. Errors, with file and line: unknown keys, classes and units (as far as the range tells),
// numbers out of range, no name, no number, a device twice, no device at all.
std::vector<DataSheet> read_data_sheets(const std::string& file);

// That of `device` (several may be in the file), or the only one, whatever its name. Error: several, and none of that
// name; it lists those there are.
DataSheet read_data_sheet(const std::string& file, const std::string& device);

// The file of data sheets of a set of measurements that ships (configs/devices/SET.toml); "" where none does.
std::string shipped_data_sheets(const std::string& set);

// nullptr where the device has none among them.
const DataSheet* find_data_sheet(const std::vector<DataSheet>& sheets, const std::string& device);

// As attributes of a group. Errors of reading: an unknown class, a number out of range, nothing known (a damaged file).
void write_data_sheet(H5File& file, const std::string& group, const DataSheet& sheet);
DataSheet read_data_sheet(const H5File& file, const std::string& group);

// "gpu; cores 3584, clock_hz 1.58e+09, ...": what is known, for people.
std::string describe(const DataSheet& sheet);

}  // namespace oneproxy
