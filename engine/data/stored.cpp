#include "oneproxy/engine/data/stored.h"

namespace oneproxy {

std::vector<double> read_checked_doubles(const H5File& file, const std::string& dataset) {
  auto values = file.read_doubles(dataset);
  verify_checksum(file, dataset, values, file.attributes(dataset));
  return values;
}

std::vector<std::uint8_t> read_checked_bytes(const H5File& file, const std::string& dataset) {
  auto values = file.read_bytes(dataset);
  verify_checksum(file, dataset, values, file.attributes(dataset));
  return values;
}

}  // namespace oneproxy
