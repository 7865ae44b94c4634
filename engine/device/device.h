#pragma once
// A device as an object: the reference networks that were measured on it, and what its vendor says of it. Beside its
// adapted predictor it makes a file (`oneproxy adapt --out phone.h5`) or a part of a store the device itself: what the
// predictor came from goes with it.
#include <cstdint>
#include <optional>
#include <string>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/device/data_sheet.h"
#include "oneproxy/engine/device/samples.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

struct Device {
  std::string name;
  std::string space;         // that its references are architectures of
  SourceSamples references;  // choices [n, n_decisions], latencies in ms; may be none
  std::optional<DataSheet> data_sheet;
};

// Error where it belongs to another space, holds what is no architecture of it, or a latency outside
// device/value_range.h; `where` begins the message.
void check_device(const Device& device, const SearchSpace& space, const std::string& where);

// Where a device stands beside its predictor: below the predictor's group ("/" in a file of its own).
inline std::string device_group(const std::string& predictor) { return below(predictor, "device"); }

// HDF5: attributes format "oneproxy-device", schema_version, name and space; choices [n, n_decisions] u8 and
// latency_ms [n] f64; the group data_sheet. A file knows no space, so its reader calls check_device. Errors of reading:
// another format or a newer schema, missing parts, lengths that do not fit.
void write_device(H5File& file, const std::string& group, const Device& device);
Device read_device(const H5File& file, const std::string& group);
bool is_device(const H5File& file, const std::string& group);

}  // namespace oneproxy
