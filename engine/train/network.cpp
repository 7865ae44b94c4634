#include "oneproxy/engine/train/network.h"

#include <cmath>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

const std::vector<std::string> kLosses = {"mse", "huber", "hinge", "logistic"};

}  // namespace

const char* to_string(Loss loss) { return kLosses[static_cast<std::size_t>(loss)].c_str(); }

Loss parse_loss(const std::string& text) {
  for (std::size_t i = 0; i < kLosses.size(); ++i)
    if (kLosses[i] == text) return static_cast<Loss>(i);
  throw Error(unknown_name("loss", text, "", kLosses));
}

std::int64_t n_parameters(std::span<const int> widths) {
  std::int64_t count = 0;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) count += (std::int64_t{widths[l]} + 1) * widths[l + 1];
  return count;
}

std::vector<double> random_parameters(std::span<const int> widths, int active_inputs, std::uint64_t seed) {
  std::vector<double> all;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const Philox random = random_stream(seed, Draws::predictor_weights, static_cast<std::uint32_t>(l));
    const double variance = (l + 2 == widths.size() ? 1.0 : 2.0) / (l == 0 ? active_inputs : widths[l]);
    const double bound = std::sqrt(3 * variance);
    const auto n = static_cast<std::uint64_t>(widths[l]) * static_cast<std::uint64_t>(widths[l + 1]);
    for (std::uint64_t i = 0; i < n; ++i) all.push_back(bound * (2 * random.uniform(i) - 1));
    all.insert(all.end(), static_cast<std::size_t>(widths[l + 1]), 0.0);
  }
  return all;
}

std::unique_ptr<Network> make_network(const NetworkSettings& settings) {
  static MakeNetwork* const make = torch_module().function<MakeNetwork>("oneproxy_make_network");
  return std::unique_ptr<Network>(make(settings, kTorchModuleInterface));
}

}  // namespace oneproxy
