#pragma once
// What a shard of `oneproxy score` keeps: the values of its rows, or with --top the best of them.
#include <cstdint>
#include <string>
#include <vector>

#include "experiments/cli/commands.h"
#include "experiments/shards.h"

namespace oneproxy {

struct ScoredPart {
  std::vector<std::vector<double>> values;  // [predictors][rows of the part]; with --top [1][best]
  std::vector<std::int64_t> places;         // with --top: of these
};

// As the file of a shard keeps them, and back.
std::string text_of(const ScoreOptions& options);
ScoreOptions score_options_of(const std::string& text);

void save_part(const std::string& path, const H5Attributes& about, const std::string& identity, const ScoredPart& part);
// Parts in the order of their shards. Errors: a broken file, one of other settings or data.
std::vector<ScoredPart> load_parts(const Shards& shards, const std::string& identity, std::size_t n_predictors);

}  // namespace oneproxy
