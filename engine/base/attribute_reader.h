#pragma once
// The attributes of one HDF5 object, read by name and type.
#include <string>

#include "oneproxy/engine/base/hdf5.h"

namespace oneproxy {

// The text of an attribute, "" where it is missing or of another type.
std::string attribute_text(const H5Attributes& attributes, const std::string& name);

class AttributeReader {
 public:
  // `where` begins the message of every error, `remedy` ends it.
  AttributeReader(H5Attributes attributes, std::string where, std::string remedy);

  // Error for an attribute that is missing or of another type; an integer is a number too.
  std::string text(const std::string& name);
  std::int64_t integer(const std::string& name);
  double number(const std::string& name);

  // The attributes that were not asked for.
  H5Attributes rest() const;

 private:
  const H5Attribute* find(const std::string& name);
  [[noreturn]] void missing(const std::string& name, const std::string& type) const;

  H5Attributes attributes_, rest_;
  std::string where_, remedy_;
};

}  // namespace oneproxy
