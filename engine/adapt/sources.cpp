#include "oneproxy/engine/adapt/sources.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kSourceSamples = 1000;  // of each device of a store: more change nothing

}  // namespace

Sources::Sources(std::shared_ptr<const ArchitectureFeatures> of, std::vector<SourceDevice> all)
    : features(std::move(of)), devices(std::move(all)) {
  for (const auto& device : devices) {
    check_interrupt();
    predictors.push_back(fit_source(*features, device));
  }
}

std::vector<std::string> Sources::names() const {
  std::vector<std::string> names;
  for (const auto& device : devices) names.push_back(device.name);
  return names;
}

GaussianProcess default_design_model(const Sources& sources) { return {*sources.features, sources.predictors, {}}; }

SourceDevice draw_source(const Measurements& data, const Series& device, std::int64_t max_samples, std::uint64_t seed,
                         std::uint32_t stream) {
  std::vector<std::int64_t> all(data.n());
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return draw_source(data, device, all, max_samples, seed, stream);
}

SourceDevice draw_source(const Measurements& data, const Series& device, std::span<const std::int64_t> rows,
                         std::int64_t max_samples, std::uint64_t seed, std::uint32_t stream) {
  SourceDevice drawn{device.name, {}};
  drawn.unit = device.unit;
  const auto n = static_cast<std::int64_t>(rows.size());
  for (const auto i : random_permutation(n, random_stream(seed, Draws::source_samples, stream))) {
    if (max_samples > 0 && drawn.samples.n() == max_samples) break;
    const double latency = device.values[rows[i]];
    if (!std::isnan(latency)) drawn.samples.add(data.rows().row(rows[i]), latency);
  }
  return drawn;
}

LoadedSources load_sources(std::shared_ptr<const ArchitectureFeatures> features, const SourceQuery& query) {
  if (query.devices == std::vector<std::string>{"none"}) return {Sources(std::move(features))};
  const auto& space = features->space();
  const Store store(query.store.empty() ? shipped_store() : query.store);
  const auto spaces = store.spaces();
  if (std::find(spaces.begin(), spaces.end(), space.name()) == spaces.end())
    throw Error(store.path() + " has no measurements of space " + space.name() +
                "; sources \"none\" does without source devices");
  const Measurements data(store, space, query.set);
  const auto known = data.devices(), names = data.expand(query.devices, "sources");
  const auto is_target = [&](const std::string& name) { return !query.target.empty() && name == query.target; };
  const bool left_out = std::any_of(names.begin(), names.end(), is_target);
  const bool unknown = !query.target.empty() && !left_out && std::none_of(known.begin(), known.end(), is_target);
  const auto file = query.data_sheets.empty() ? shipped_data_sheets(query.set) : query.data_sheets;
  const auto sheets = file.empty() ? std::vector<DataSheet>{} : read_data_sheets(file);
  std::vector<SourceDevice> devices;
  for (const auto& name : names) {
    check_interrupt();
    if (is_target(name)) continue;
    const auto stream = static_cast<std::uint32_t>(devices.size());
    devices.push_back(draw_source(data, data.series(name), kSourceSamples, query.seed, stream));
    if (const auto* sheet = find_data_sheet(sheets, name)) devices.back().data_sheet = *sheet;
  }
  return {Sources(std::move(features), std::move(devices)), left_out, unknown};
}

}  // namespace oneproxy
