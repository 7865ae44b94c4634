#pragma once
// `oneproxy import --list`: networks that somebody lists in a CSV, with what was measured of them, as a space of their
// own (engine/space/listed_space.h) and a set of measurements in a store.
#include <cstdint>
#include <string>
#include <vector>

namespace oneproxy {

struct ListImport {
  std::string list;                        // CSV, a row a network
  std::string space_file;                  // to be written: FILE.toml, and FILE_list.csv beside it
  std::string space;                       // or the space that the networks are of already
  std::string names;                       // column; "": the first that is called name, model, model_name or network
  std::vector<std::string> devices;        // columns of latencies, '*' stands for anything
  std::vector<std::string> metrics;        // COLUMN:max:UNIT or COLUMN:min:UNIT
  std::vector<std::string> features;       // columns
  std::string unit;                        // of the latencies: ms, s, us or ns
  std::string store = "my_store.h5", set;  // set "": that of lists
  std::string source, licence = "private", precision = "unknown";
  std::int64_t batch = 0;
};

std::string import_list(const ListImport& options);

}  // namespace oneproxy
