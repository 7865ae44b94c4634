#include "oneproxy/engine/base/labelled_arrays.h"

#include <numeric>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

std::string without_root(const std::string& path) { return path.starts_with("/") ? path.substr(1) : path; }

std::string group_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string inside(const std::string& group, const std::string& name) {
  return group.empty() ? name : group + "/" + name;
}

}  // namespace

LabelledArrays::LabelledArrays(const std::string& path) : file_(path, H5Mode::create) {}

template <class T>
void LabelledArrays::add_axis(const std::string& path, std::span<const T> labels, const About& about) {
  const std::string dataset = without_root(path);
  file_.write(dataset, labels);
  describe(dataset, about);
  file_.make_scale(dataset, dataset.substr(dataset.rfind('/') + 1));
  lengths_[dataset] = static_cast<std::int64_t>(labels.size());
}

void LabelledArrays::axis(const std::string& path, std::span<const std::string> labels, const About& about) {
  add_axis(path, labels, about);
}
void LabelledArrays::axis(const std::string& path, std::span<const std::int64_t> labels, const About& about) {
  add_axis(path, labels, about);
}
void LabelledArrays::axis(const std::string& path, std::span<const double> labels, const About& about) {
  add_axis(path, labels, about);
}

void LabelledArrays::numbered_axis(const std::string& path, std::int64_t length, const std::string& long_name,
                                   std::int64_t first) {
  std::vector<std::int64_t> numbers(length);
  std::iota(numbers.begin(), numbers.end(), first);
  axis(path, numbers, {long_name, "1"});
}

std::optional<std::int64_t> LabelledArrays::length_of(const std::string& path) const {
  const auto found = lengths_.find(without_root(path));
  return found == lengths_.end() ? std::nullopt : std::optional(found->second);
}

std::string LabelledArrays::find_axis(const std::string& dataset, const std::string& name) const {
  for (std::string group = group_of(dataset);; group = group_of(group)) {
    if (lengths_.contains(inside(group, name))) return inside(group, name);
    ONEPROXY_ASSERT(!group.empty());
  }
}

void LabelledArrays::describe(const std::string& dataset, const About& about) {
  file_.set_attribute(dataset, "long_name", about.long_name);
  file_.set_attribute(dataset, "units", about.units);
}

void LabelledArrays::attach(const std::string& dataset, const std::vector<std::string>& axes) {
  for (std::size_t i = 0; i < axes.size(); ++i)
    file_.attach_scale(dataset, static_cast<int>(i), find_axis(dataset, axes[i]), axes[i]);
}

template <class T>
void LabelledArrays::write_numbers(const std::string& path, std::span<const T> values,
                                   const std::vector<std::string>& axes, const About& about) {
  const std::string dataset = without_root(path);
  std::vector<std::int64_t> shape;
  for (const auto& name : axes) shape.push_back(lengths_.at(find_axis(dataset, name)));
  file_.write(dataset, values, shape);
  describe(dataset, about);
  attach(dataset, axes);
}

void LabelledArrays::write(const std::string& dataset, std::span<const double> values,
                           const std::vector<std::string>& axes, const About& about) {
  write_numbers(dataset, values, axes, about);
}
void LabelledArrays::write(const std::string& dataset, std::span<const std::int64_t> values,
                           const std::vector<std::string>& axes, const About& about) {
  write_numbers(dataset, values, axes, about);
}
void LabelledArrays::write(const std::string& dataset, std::span<const std::uint8_t> values,
                           const std::vector<std::string>& axes, const About& about) {
  write_numbers(dataset, values, axes, about);
}

void LabelledArrays::write(const std::string& path, std::span<const std::string> values, const std::string& axis,
                           const About& about) {
  const std::string dataset = without_root(path);
  ONEPROXY_ASSERT(lengths_.at(find_axis(dataset, axis)) == std::ssize(values));
  file_.write(dataset, values);
  describe(dataset, about);
  attach(dataset, {axis});
}

void LabelledArrays::set_attribute(const std::string& object, const std::string& name, const H5Attribute& value) {
  file_.set_attribute(object, name, value);
}

void LabelledArrays::close() { file_.close(); }

}  // namespace oneproxy
