// Any text as the file of a search space, in all its geometries: what is accepted counts, names and prices its
// architectures.
#include "oneproxy/engine/space/physics.h"
#include "oneproxy/engine/space/space.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/round_trip.h"

using namespace oneproxy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = fuzz::write_input("space.toml", fuzz::text_of(data, size));
  std::vector<std::string> geometries;
  fuzz::accepted([&] { geometries = SearchSpace::load_file(file).geometries(); });
  if (geometries.empty()) geometries.push_back("");
  for (const auto& geometry : geometries) {
    fuzz::accepted([&] {
      const SearchSpace space = SearchSpace::load_file(file, geometry);
      for (const ArchIndex index : {ArchIndex{0}, space.size() / 2, space.size() - 1}) {
        const auto choices = space.choices(index);
        fuzz::require(space.index(choices) == index, "an index comes back from its choices");
        fuzz::round_trip(space, choices);
        if (space.has_costs()) space.cost(choices);
      }
      const Physics physics(space);
      std::vector<double> features(physics.n_columns()), code(physics.n_code());
      const auto last = space.choices(space.size() - 1);
      physics.features(last, features);
      physics.code(last, code);
    });
  }
  return 0;
}
