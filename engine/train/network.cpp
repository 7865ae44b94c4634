#include "oneproxy/engine/train/network.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/shared_library.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

const std::vector<std::string> kLosses = {"mse", "huber", "hinge", "logistic"};

#if ONEPROXY_HAVE_TORCH
// Beside the library or program that holds this code, in the lib/ beside its bin/, or where it was built.
std::string module_path() {
  const fs::path built = ONEPROXY_TORCH_MODULE, code = code_folder();
  for (const auto& folder : {code, code.parent_path() / "lib"}) {
    std::error_code ignored;
    if (fs::exists(folder / built.filename(), ignored)) return (folder / built.filename()).string();
  }
  return built.string();
}

MakeNetwork* load_module() {
  const SharedLibrary module({module_path()}, "the training module of oneproxy, with LibTorch",
                             "build again (tools/build_project)");
  return module.function<MakeNetwork>("oneproxy_make_network");
}
#endif

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

bool torch_compiled() noexcept { return ONEPROXY_HAVE_TORCH; }

void require_torch() {
  if (!torch_compiled())
    throw Error(
        "training needs LibTorch, which this build is without; run tools/fetch_torch.py and build again with "
        "ONEPROXY_CMAKE_ARGS=-DONEPROXY_TORCH=ON tools/build_project");
}

std::unique_ptr<Network> make_network([[maybe_unused]] const NetworkSettings& settings) {
  require_torch();
#if ONEPROXY_HAVE_TORCH
  static MakeNetwork* const make = load_module();
  return std::unique_ptr<Network>(make(settings, kNetworkInterface));
#else
  return nullptr;
#endif
}

}  // namespace oneproxy
