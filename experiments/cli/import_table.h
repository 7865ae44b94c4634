#pragma once
// `oneproxy import --table`: a user's own look-up table of measured choices or layers, as table:NAME.
#include <string>
#include <vector>

namespace oneproxy {

struct TableImport {
  std::vector<std::string> files;  // *.csv, or *.yaml of published keys: files, or a folder of them
  std::string space, name;
  bool force = false;                      // replaces `out` where it is there
  std::string store = "my_store.h5", out;  // out: a file (*.h5) instead of a store
  std::string unit = "ms", target, source, licence = "private";
};

std::string import_table(const TableImport& options);

}  // namespace oneproxy
