// Any text as a configuration, read with keys of all types. Lines after one that reads "--set" are overrides of the
// command line. What is accepted must come back the same from its resolved form, which a result folder keeps.
#include "oneproxy/engine/base/arguments.h"
#include "oneproxy/engine/base/config.h"
#include "tests/fuzz/fuzz.h"

using namespace oneproxy;

namespace {

void read_table(Config& table) {
  table.text("name", "", "a name");
  table.integer("before", 0, 0, 100, "a count");
  table.number("after", 0.5, 0, 1, "a share");
  table.finish();
}

void read_keys(Config& config) {
  config.one_of("kind", "search", {"search", "adaproxy", "monotonicity"}, "the kind");
  config.name_or_file("space", ".toml", "the space");
  config.text("quality", "metric:cifar10", "a text");
  config.texts("targets", {"all"}, "texts");
  config.integer("seed", 1, 0, 1'000'000, "an integer");
  config.integers("budgets", {}, 1, 1000, "integers");
  config.number("p", 2, 1, 1e6, "a number");
  config.numbers("limits_ms", {}, 0, 1e9, "numbers");
  config.flag("certify", false, "a flag");
  config.path("store", "", "a path");
  config.folder("store");
  config.one_of_outside_identity("backend", "auto", {"auto", "cpu", "cuda"}, "where it runs");
  config.number_outside_identity("seconds", 0, 0, 1e9, "a time");
  for (auto& table : config.tables("published", "tables")) read_table(table);
  config.finish();
}

std::vector<std::string> overrides_of(std::string& text) {
  std::vector<std::string> overrides;
  const std::string mark = "\n--set\n";
  const auto at = text.find(mark);
  if (at == std::string::npos) return overrides;
  for (std::size_t begin = at + mark.size(); begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    overrides.emplace_back(text.substr(begin, end - begin).c_str());  // a command line has no zero bytes
    begin = end + 1;
  }
  text.resize(at);
  return overrides;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(fuzz::text_of(data, size)), resolved, identity;
  const auto overrides = overrides_of(text);
  const auto file = fuzz::write_input("config.toml", text);
  const bool accepted = fuzz::accepted([&] {
    for (const auto& word : overrides) {  // as the program does first of all
      const char* words[] = {"oneproxy", word.c_str()};
      check_arguments(2, words);
    }
    Config config = Config::load(file, overrides);
    read_keys(config);
    resolved = config.resolved();
    identity = config.identity();
  });
  if (!accepted) return 0;
  const auto again_file = fuzz::write_input("resolved.toml", resolved);
  Config again = Config::load(again_file, {});
  read_keys(again);
  fuzz::require(again.resolved() == resolved, "a resolved configuration reads as itself");
  fuzz::require(again.identity() == identity, "a resolved configuration names the same result");
  return 0;
}
