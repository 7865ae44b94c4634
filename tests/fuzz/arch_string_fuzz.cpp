// Any text as an architecture of every space that ships: as its string and as its index.
#include "oneproxy/engine/space/space.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/round_trip.h"

using namespace oneproxy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto spaces = [] {
    std::vector<SearchSpace> all;
    for (const std::string name : {"nasbench201", "fbnet", "ofa_mbv3", "mobilenetv2", "proxylessnas"})
      all.push_back(SearchSpace::load(name));
    return all;
  }();
  const std::string text(fuzz::text_of(data, size));
  ArchIndex index = 0;
  const bool number = fuzz::accepted([&] { index = from_decimal(text); });
  if (number) fuzz::require(from_decimal(to_decimal(index)) == index, "an index comes back from its decimal form");
  for (const auto& space : spaces) {
    std::vector<std::uint8_t> choices;
    if (fuzz::accepted([&] { choices = space.parse(text); })) {
      fuzz::require(space.valid(choices), "what is read is a network");
      fuzz::round_trip(space, choices);
      fuzz::require(space.choices(space.index(choices)) == choices, "choices come back from their index");
    }
    if (number && fuzz::accepted([&] { choices = space.choices(index); }))
      fuzz::require(space.index(choices) == index, "an index comes back from its choices");
  }
  return 0;
}
