#include "oneproxy/engine/device/device.h"

#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr const char* kFormat = "oneproxy-device";
constexpr std::int64_t kSchema = 1;

}  // namespace

void check_device(const Device& device, const SearchSpace& space, const std::string& where) {
  if (device.space != space.name())
    throw Error(where + ": device " + device.name + " was measured on space " + device.space + ", not on " +
                space.name() + "; name that space");
  const auto decisions = static_cast<std::size_t>(space.n_decisions());
  const auto& [choices, latency_ms] = static_cast<const Samples&>(device.references);
  if (choices.size() != latency_ms.size() * decisions)
    throw Error(where + ": device " + device.name + " has " + std::to_string(choices.size()) + " choices for " +
                std::to_string(latency_ms.size()) + " latencies of " + std::to_string(decisions) +
                " decisions; it is damaged, adapt to it again");
  for (std::size_t i = 0; i < latency_ms.size(); ++i) {
    const std::string reference = where + ": reference network " + std::to_string(i) + " of device " + device.name;
    if (const auto fault = space.fault(std::span(choices).subspan(i * decisions, decisions)); !fault.empty())
      throw Error(reference + " has " + fault + "; it is no architecture of " + space.name());
    check_latency(latency_ms[i], reference + ": its latency");
  }
}

void write_device(H5File& file, const std::string& group, const Device& device) {
  const auto& [choices, latency_ms] = static_cast<const Samples&>(device.references);
  const auto n = static_cast<std::int64_t>(latency_ms.size());
  ONEPROXY_ASSERT(n == 0 ? choices.empty() : choices.size() % latency_ms.size() == 0);
  const std::int64_t shape[] = {n, n == 0 ? 0 : static_cast<std::int64_t>(choices.size()) / n};
  file.write(below(group, "choices"), choices, shape);
  file.write(below(group, "latency_ms"), std::span(latency_ms), std::span(shape, 1));
  file.set_attribute(group, "format", kFormat);
  file.set_attribute(group, "schema_version", kSchema);
  file.set_attribute(group, "name", device.name);
  file.set_attribute(group, "space", device.space);
  if (!device.data_sheet) return;
  file.set_attribute(group, "has_data_sheet", std::int64_t{1});
  write_data_sheet(file, group, *device.data_sheet);
}

bool is_device(const H5File& file, const std::string& group) {
  return file.exists(group) && attribute_text(file.attributes(group), "format") == kFormat;
}

Device read_device(const H5File& file, const std::string& group) {
  const std::string where = file.path() + ":" + group;
  AttributeReader attributes(file.attributes(group), where, "it is no device, or damaged");
  if (attributes.text("format") != kFormat) throw Error(where + ": is no device; `oneproxy adapt --out` makes one");
  const auto version = attributes.integer("schema_version");
  if (version != kSchema)
    throw Error(where + ": has schema " + std::to_string(version) + ", this program reads " + std::to_string(kSchema) +
                "; use another oneproxy");
  Device device;
  device.name = attributes.text("name");
  device.space = attributes.text("space");
  device.references = {file.read_bytes(below(group, "choices")), file.read_doubles(below(group, "latency_ms"))};
  const auto n = device.references.values.size();
  if (n == 0 ? !device.references.choices.empty() : device.references.choices.size() % n != 0)
    throw Error(where + ": has " + std::to_string(device.references.choices.size()) + " choices for " +
                std::to_string(n) + " latencies; it is damaged, adapt to the device again");
  if (attributes.rest().contains("has_data_sheet")) device.data_sheet = read_data_sheet(file, group);
  return device;
}

}  // namespace oneproxy
