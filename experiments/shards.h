#pragma once
// The files that shards leave behind, and how `oneproxy merge` finds from them the run that they are parts of.
#include <string>
#include <vector>

#include "oneproxy/engine/share/sharing.h"

namespace oneproxy {

// What a shard's file says of its run, so that nothing else is needed to merge.
struct ShardedRun {
  std::string command;   // "run" or "score"
  std::string options;   // of the command, as JSON
  std::string identity;  // settings and data, a line each; the same for all shards
};

// PATH.shard-2-of-8.h5
std::string shard_path(const std::string& path, const Shard& shard);

// As attributes of the file, with the version of the program.
H5Attributes about_shard(const Shard& shard, const ShardedRun& run);

struct Shards {
  ShardedRun run;
  std::vector<ShardFile> files;  // all of them, by number
};

// Errors, each names the file: no file of a shard, shards of another run (what differs), another number of shards or
// another version of the program; a shard that is there twice, or not at all.
Shards read_shards(const std::vector<std::string>& paths);

// What `ours` and `theirs` say of the first thing in which they differ, for an error.
std::string first_difference(const std::string& ours, const std::string& theirs);

}  // namespace oneproxy
