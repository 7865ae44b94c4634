// Any text as a file of measurements of one device, and of many. The first byte chooses the space and the unit.
#include <cmath>

#include "oneproxy/engine/device/measurement_csv.h"
#include "tests/fuzz/fuzz.h"

using namespace oneproxy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SearchSpace spaces[] = {SearchSpace::load("nasbench201"), SearchSpace::load("fbnet")};
  static const std::string units[] = {"", "s", "us"};
  if (size == 0) return 0;
  const SearchSpace& space = spaces[data[0] % 2];
  const MeasurementForm form{.unit = units[data[0] / 2 % 3]};
  const auto file = fuzz::write_input("measured.csv", fuzz::text_of(data + 1, size - 1));
  fuzz::accepted([&] {
    const auto measured = read_measurements(space, {file}, form);
    const auto n = static_cast<std::size_t>(measured.n());
    fuzz::require(measured.choices.size() == n * space.n_decisions(), "every line has an architecture");
    fuzz::require(measured.repeats.size() == n && measured.lines.size() == n, "every architecture has its repeats");
    for (std::size_t i = 0; i < n; ++i) {
      const std::span row(measured.choices.data() + i * space.n_decisions(), space.n_decisions());
      fuzz::require(space.valid(row), "every architecture is of the space");
      const double latency = measured.latency_ms[i];
      fuzz::require(measured.repeats[i].empty() ? std::isnan(latency) : std::isfinite(latency) && latency > 0,
                    "a latency is a positive number, or there is none");
    }
  });
  fuzz::accepted([&] { read_architectures(space, {file}, form); });
  fuzz::accepted([&] {
    for (const auto& [name, measured] : read_device_measurements(space, {file}, form).devices)
      fuzz::require(!name.empty() && measured.repeats.size() == measured.latency_ms.size(), "every device has a name");
  });
  return 0;
}
