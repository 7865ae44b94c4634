#include "experiments/kinds/fleet.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "oneproxy/engine/base/streams.h"

namespace oneproxy {
namespace {
constexpr int kPool = 500, kReference = 500;
constexpr int kSpare = 10;  // further architectures of a design, for failed measurements
}  // namespace

SourceDevice source_device(const Measurements& data, const Series& series, std::int64_t most, std::uint64_t seed,
                           std::uint32_t stream) {
  std::vector<std::int64_t> all(data.n());
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return source_device(data, series, all, most, seed, stream);
}

SourceDevice source_device(const Measurements& data, const Series& series, std::span<const std::int64_t> rows,
                           std::int64_t most, std::uint64_t seed, std::uint32_t stream) {
  SourceDevice device{series.name, {}, {}};
  const auto n = static_cast<std::int64_t>(rows.size());
  for (const auto i : random_permutation(n, random_stream(seed, Draws::source_samples, stream))) {
    if (most > 0 && static_cast<std::int64_t>(device.latency_ms.size()) == most) break;
    const double latency = series.values[rows[i]];
    if (std::isnan(latency)) continue;
    const auto choices = data.rows().row(rows[i]);
    device.choices.insert(device.choices.end(), choices.begin(), choices.end());
    device.latency_ms.push_back(latency);
  }
  return device;
}

std::vector<std::int64_t> measuring_order(const Architectures& archs, const BayesModel& model, Selection selection,
                                          DesignScales scales, bool connected, int k, std::uint64_t seed, int trial) {
  const auto order =
      random_permutation(archs.n(), random_stream(seed, Draws::design_pool, static_cast<std::uint32_t>(trial)));
  if (selection == Selection::random) return order;
  const auto& features = *archs.features;
  const std::size_t most = std::max(kPool, k + kSpare);
  std::vector<std::int64_t> pool, reference;
  for (const auto row : order) {
    const bool candidate = !connected || features.physics().connected(archs.row(row));
    if (candidate && pool.size() < most)
      pool.push_back(row);
    else if (reference.size() < kReference)
      reference.push_back(row);
    if (pool.size() == most && reference.size() == kReference) break;
  }
  // Of a small set the candidates took all, or all that matter: they too are what the design is for.
  for (std::size_t i = 0; i < pool.size() && reference.size() < kReference; ++i) reference.push_back(pool[i]);
  const auto p = model.design(features.pick(archs.rows, pool));
  const auto r = model.design(features.pick(archs.rows, reference));
  auto th = flat_scales(model.layout());
  if (scales == DesignScales::prior)
    for (std::size_t c = 0; c < th.size(); ++c) th[c] = std::exp(model.prior().log_mean[c]);
  const DesignProblem problem{p, r, th};
  const int count = std::min<int>(k + kSpare, static_cast<int>(pool.size()));
  std::vector<std::int64_t> rows;
  std::vector<char> chosen(archs.n(), 0);
  for (const auto i : choose_samples(model.layout(), problem, selection, count, seed)) {
    rows.push_back(pool[i]);
    chosen[pool[i]] = 1;
  }
  for (const auto row : order)  // where more measurements fail than the design has to spare
    if (!chosen[row]) rows.push_back(row);
  return rows;
}

MeasuredRows measure_rows(const Series& target, std::span<const std::int64_t> order, int k) {
  MeasuredRows measured;
  for (const auto row : order) {
    if (static_cast<int>(measured.rows.size()) == k) break;
    if (std::isnan(target.values[row])) continue;
    measured.rows.push_back(row);
    measured.latency_ms.push_back(target.values[row]);
  }
  return measured;
}

}  // namespace oneproxy
