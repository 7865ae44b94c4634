#include "experiments/shards.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/provenance.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

// The first line of one text that the other has not.
std::string missing_in(const std::vector<std::string>& lines, const std::vector<std::string>& in) {
  for (const auto& line : lines)
    if (std::find(in.begin(), in.end(), line) == in.end()) return line;
  return "";
}

struct Header {
  ShardFile file;
  ShardedRun run;
  std::string version;
};

Header read_header(const std::string& path) {
  const H5File file(path, H5Mode::read);
  const auto found = file.attributes("/");
  Header header;
  const std::string shard = attribute_text(found, "shard");
  if (shard.empty())
    throw Error(path + ": is no file of a shard; `oneproxy merge` takes the files that runs with --shard i/n wrote");
  header.file = {path, parse_shard(shard)};
  header.run = {attribute_text(found, "command"), attribute_text(found, "options"), attribute_text(found, "run")};
  header.version = attribute_text(found, "version");
  return header;
}

void require_same_run(const Header& first, const Header& other) {
  const std::string both = other.file.path + " and " + first.file.path;
  if (other.version != first.version)
    throw Error(both + " are of oneproxy " + other.version + " and " + first.version +
                "; run the shards with one version");
  if (other.run.command != first.run.command || other.run.identity != first.run.identity)
    throw Error(both + " are shards of different runs: " +
                (other.run.command != first.run.command
                     ? "oneproxy " + other.run.command + " and oneproxy " + first.run.command
                     : first_difference(other.run.identity, first.run.identity)));
  if (other.file.shard.count != first.file.shard.count)
    throw Error(both + " are of " + std::to_string(other.file.shard.count) + " and of " +
                std::to_string(first.file.shard.count) + " shards; merge those of one number of shards");
}

// "3, 5-7, 9", of sorted numbers.
std::string ranges(const std::vector<int>& numbers) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i;
    while (end + 1 < numbers.size() && numbers[end + 1] == numbers[end] + 1) ++end;
    parts.push_back(std::to_string(numbers[i]) + (end > i ? "-" + std::to_string(numbers[end]) : ""));
    i = end + 1;
  }
  return join(parts);
}

}  // namespace

std::string shard_path(const std::string& path, const Shard& shard) {
  return path + ".shard-" + std::to_string(shard.number) + "-of-" + std::to_string(shard.count) + ".h5";
}

H5Attributes about_shard(const Shard& shard, const ShardedRun& run) {
  return {{"shard", to_string(shard)},
          {"command", run.command},
          {"options", run.options},
          {"run", run.identity},
          {"version", version()}};
}

Shards read_shards(const std::vector<std::string>& paths) {
  probe_h5_files(paths);
  std::vector<Header> headers;
  for (const auto& path : paths) {
    headers.push_back(read_header(path));
    require_same_run(headers.front(), headers.back());
  }
  if (headers.empty()) throw Error("merge: give the files of all shards, for example results/search/NAME.shard-*.h5");
  if (headers.front().version != version())
    throw Error(headers.front().file.path + ": was written by oneproxy " + headers.front().version + ", this is " +
                version() + "; merge with the version that ran the shards");
  std::sort(headers.begin(), headers.end(),
            [](const auto& a, const auto& b) { return a.file.shard.number < b.file.shard.number; });
  Shards shards{headers.front().run, {}};
  std::vector<int> missing;
  int expected = 1;
  for (const auto& header : headers) {
    const int number = header.file.shard.number;
    if (!shards.files.empty() && shards.files.back().shard.number == number)
      throw Error(shards.files.back().path + " and " + header.file.path + " are both shard " +
                  to_string(header.file.shard) + "; give each once");
    for (; expected < number; ++expected) missing.push_back(expected);
    expected = number + 1;
    shards.files.push_back(header.file);
  }
  const int count = shards.files.front().shard.count;
  for (; expected <= count; ++expected) missing.push_back(expected);
  if (!missing.empty())
    throw Error("merge: of " + std::to_string(count) + " shards " + ranges(missing) +
                (missing.size() == 1 ? " is" : " are") + " missing; run the same command with --shard " +
                std::to_string(missing.front()) + "/" + std::to_string(count) + ", and give all files");
  return shards;
}

std::string first_difference(const std::string& ours, const std::string& theirs) {
  const auto a = lines_of(ours), b = lines_of(theirs);
  const std::string here = missing_in(a, b), there = missing_in(b, a);
  if (here.empty() && there.empty()) return "the same lines in another order";
  return (here.empty() ? "nothing" : "\"" + here + "\"") + " against " +
         (there.empty() ? "nothing" : "\"" + there + "\"");
}

}  // namespace oneproxy
