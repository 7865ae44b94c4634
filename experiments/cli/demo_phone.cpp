#include "experiments/cli/demo_phone.h"

#include <algorithm>
#include <map>
#include <vector>

#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// Of a middle-class phone's CPU.
constexpr double kMacsPerMs = 9e6, kBytesPerMs = 8e6, kMsPerLayer = 0.025, kMsPerNetwork = 0.5;

// Time of a multiply-accumulate beside that of a 1x1 convolution: Winograd's 3x3 needs fewer multiplications, a 5x5 or
// 7x7 leaves the caches.
double effort(const Operation& operation) {
  if (operation.kernel <= 1) return 1;
  return operation.kernel == 3 ? 0.6 : 1.35;
}

double layer_ms(const Operation& operation, const Placement& placement) {
  const Cost cost = operation_cost(operation, placement);
  if (cost.macs == 0 && cost.activation_bytes == 0) return 0;
  const double layers = std::max(cost.layers, static_cast<double>(placement.count));  // a pooling starts, too
  return kMsPerLayer * layers +
         std::max(effort(operation) * cost.macs / kMacsPerMs, cost.activation_bytes / kBytesPerMs);
}

// Of a cell's edges, those on a way from its input to its output; all decisions of a chain. [n_decisions]
std::vector<bool> live(const SearchSpace& space, std::span<const std::uint8_t> choices) {
  const auto& decisions = space.decisions();
  const std::size_t n = decisions.size();
  std::vector<bool> alive(n, true);
  if (decisions.front().from < 0) return alive;
  int last = 0;
  for (const auto& edge : decisions) last = std::max(last, edge.to);
  std::vector<bool> reached(last + 1), read(last + 1);
  reached[0] = read[last] = true;
  const auto open = [&](std::size_t d) { return decisions[d].choices[choices[d]].operation.kind != "none"; };
  for (int pass = 0; pass < last; ++pass)  // as many as the longest way has edges, whatever order they are in
    for (std::size_t d = 0; d < n; ++d)
      if (open(d)) {
        if (reached[decisions[d].from]) reached[decisions[d].to] = true;
        if (read[decisions[d].to]) read[decisions[d].from] = true;
      }
  for (std::size_t d = 0; d < n; ++d) alive[d] = reached[decisions[d].from] && read[decisions[d].to];
  return alive;
}

}  // namespace

DemoPhone::DemoPhone(const SearchSpace& space) : space_(space) {
  if (!space.has_costs())
    throw Error(space.reference() +
                ": its choices are names only, which say nothing about latency; give demo-phone a --space with "
                "operations, for example nasbench201");
}

double DemoPhone::latency_ms(std::span<const std::uint8_t> choices) const {
  const bool sized = !space_.resolutions().empty();
  const int resolution = sized ? choices[0] : 0;
  double ms = kMsPerNetwork;
  for (const auto& layer : space_.fixed_layers(resolution)) ms += layer_ms(layer.operation, layer.placement);
  const auto alive = live(space_, choices);
  for (std::size_t d = sized ? 1 : 0; d < choices.size(); ++d)
    if (alive[d])
      for (const auto& placement : space_.placements(static_cast<int>(d), resolution))
        ms += layer_ms(space_.decisions()[d].choices[choices[d]].operation, placement);
  return ms;
}

double DemoPhone::measure_ms(std::span<const std::uint8_t> choices, int repeat, double noise,
                             std::uint64_t seed) const {
  constexpr ArchIndex kStreams = 4294967291;  // the largest prime below 2^32
  const auto network = static_cast<std::uint32_t>(space_.index(choices) % kStreams);
  RandomDraws random(random_stream(seed, Draws::measurement_noise, network));
  double deviation = 0;
  for (int i = 0; i < repeat; ++i) deviation = random.normal();
  return latency_ms(choices) * std::max(0.1, 1 + noise * deviation);
}

std::string measure_on_demo_phone(const DemoPhoneOptions& options) {
  const auto space = SearchSpace::load(options.space, options.geometry);
  const DemoPhone phone(space);
  const auto table = read_csv(options.asked);
  const int arch = table.column("arch");
  if (arch < 0)
    throw Error(options.asked + ": has no column arch; columns: " + join(table.columns) +
                "; give a file of `oneproxy plan` or `oneproxy next`");
  std::map<std::vector<std::uint8_t>, int> times;
  std::string text = "arch,latency_ms,repeat\n";
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    std::vector<std::uint8_t> choices;
    try {
      choices = space.parse(table.rows[row][arch]);
    } catch (const Error& error) {
      throw Error(table.location(row) + ": " + error.what());
    }
    int& repeat = times[choices];
    for (int i = 0; i < options.repeats; ++i) {
      ++repeat;
      text += csv_field(space.to_string(choices)) + "," +
              fixed(phone.measure_ms(choices, repeat, options.noise, options.seed), 4) + "," + std::to_string(repeat) +
              "\n";
    }
  }
  write_file_atomically(options.measured, text);
  return options.measured + ": " + count_of(std::ssize(table.rows) * options.repeats, "measurement") + " of " +
         count_of(std::ssize(times), "network") + ", simulated, with " + plain(100 * options.noise) + " % of noise\n";
}

}  // namespace oneproxy
