#include "experiments/cli/score_shards.h"

#include <nlohmann/json.hpp>

#include "oneproxy/engine/base/checkpoint.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr const char* kFormat = "oneproxy-score-shard-1";

// Each field by its name, for both ways.
template <class Options, class Visit>
void each_field(Options& o, const Visit& visit) {
  visit("space", o.space);
  visit("archs", o.archs);
  visit("out", o.out);
  visit("predictors", o.predictors);
  visit("store", o.store);
  visit("precision", o.precision);
  visit("begin", o.begin);
  visit("count", o.count);
  visit("top", o.top);
  visit("direction", o.direction);
  visit("shuffled", o.shuffled);
  visit("seed", o.seed);
}

}  // namespace

std::string text_of(const ScoreOptions& options) {
  nlohmann::ordered_json text;
  each_field(options, [&](const char* name, const auto& value) { text[name] = value; });
  return text.dump();
}

ScoreOptions score_options_of(const std::string& text) {
  const auto parsed = nlohmann::json::parse(text, nullptr, false);
  try {
    ScoreOptions options;
    each_field(options, [&](const char* name, auto& value) { parsed.at(name).get_to(value); });
    return options;
  } catch (const nlohmann::json::exception& fault) {
    throw Error("the options in a shard's file can not be read (" + std::string(fault.what()) +
                "); run the shards again");
  }
}

void save_part(const std::string& path, const H5Attributes& about, const std::string& identity,
               const ScoredPart& part) {
  write_checkpoint(path, {kFormat, identity}, [&](H5File& file) {
    for (const auto& [name, value] : about) file.set_attribute("/", name, value);
    for (std::size_t p = 0; p < part.values.size(); ++p)
      file.write("values/" + std::to_string(p), std::span<const double>(part.values[p]));
    file.write("places", std::span<const std::int64_t>(part.places));
  });
}

std::vector<ScoredPart> load_parts(const Shards& shards, const std::string& identity, std::size_t n_predictors) {
  std::vector<ScoredPart> parts;
  for (const auto& one : shards.files)
    read_checkpoint(one.path, {kFormat, identity, "run shard " + to_string(one.shard) + " again"},
                    [&](const H5File& file) {
                      ScoredPart part;
                      for (std::size_t p = 0; p < n_predictors; ++p)
                        part.values.push_back(file.read_doubles("values/" + std::to_string(p)));
                      part.places = file.read_integers("places");
                      parts.push_back(std::move(part));
                    });
  return parts;
}

}  // namespace oneproxy
