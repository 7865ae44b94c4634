#include "oneproxy/engine/base/attribute_reader.h"

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

std::string attribute_text(const H5Attributes& attributes, const std::string& name) {
  const auto found = attributes.find(name);
  const auto* text = found == attributes.end() ? nullptr : std::get_if<std::string>(&found->second);
  return text ? *text : "";
}

AttributeReader::AttributeReader(H5Attributes attributes, std::string where, std::string remedy)
    : attributes_(std::move(attributes)), rest_(attributes_), where_(std::move(where)), remedy_(std::move(remedy)) {}

const H5Attribute* AttributeReader::find(const std::string& name) {
  rest_.erase(name);
  const auto found = attributes_.find(name);
  return found == attributes_.end() ? nullptr : &found->second;
}

void AttributeReader::missing(const std::string& name, const std::string& type) const {
  throw Error(where_ + ": has no attribute " + name + " (" + type + "); " + remedy_);
}

std::string AttributeReader::text(const std::string& name) {
  const auto* found = find(name);
  const auto* value = found ? std::get_if<std::string>(found) : nullptr;
  if (!value) missing(name, "text");
  return *value;
}

std::int64_t AttributeReader::integer(const std::string& name) {
  const auto* found = find(name);
  const auto* value = found ? std::get_if<std::int64_t>(found) : nullptr;
  if (!value) missing(name, "an integer");
  return *value;
}

double AttributeReader::number(const std::string& name) {
  const auto* found = find(name);
  if (const auto* value = found ? std::get_if<double>(found) : nullptr) return *value;
  if (const auto* value = found ? std::get_if<std::int64_t>(found) : nullptr) return static_cast<double>(*value);
  missing(name, "a number");
}

H5Attributes AttributeReader::rest() const { return rest_; }

}  // namespace oneproxy
