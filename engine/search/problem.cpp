#include "engine/search/problem.h"

#include <limits>
#include <memory>
#include <unordered_map>

#include "engine/adapt/trial.h"
#include "engine/base/names.h"
#include "kernels/error.h"
#include "kernels/linear_score.h"

namespace oneproxy {
namespace {

// Looks values up by architecture; what no row holds is not known.
Objective tabled(const Measurements& data, Series series) {
  auto values = std::make_shared<std::unordered_map<std::string, double>>();
  for (std::int64_t i = 0; i < data.n(); ++i) {
    const auto row = data.rows().row(i);
    values->emplace(std::string(row.begin(), row.end()), series.values[i]);
  }
  const std::size_t width = data.space().n_decisions();
  return {series.label, series.unit, series.stand_in, false,
          [values, width](std::span<const std::uint8_t> choices, std::span<double> out) {
            for (std::size_t i = 0; i < out.size(); ++i) {
              const auto row = choices.subspan(i * width, width);
              const auto found = values->find(std::string(row.begin(), row.end()));
              out[i] = found == values->end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
            }
          }};
}

// Costs add up over decisions, so that a model covers the whole space.
Objective modelled(const Measurements& data, const std::string& name, const Series& series) {
  double Cost::*part = cost_model(name).part;
  const SearchSpace* space = &data.space();
  return {series.label, series.unit, true, true,
          [space, part](std::span<const std::uint8_t> choices, std::span<double> out) {
            const std::size_t width = space->n_decisions();
            for (std::size_t i = 0; i < out.size(); ++i) out[i] = space->cost(choices.subspan(i * width, width)).*part;
          }};
}

}  // namespace

Objective latency_objective(const Measurements& data, const std::string& name, Backend backend) {
  if (name.rfind("model:", 0) == 0) return modelled(data, name, data.device(name));
  const auto colon = name.find(':');
  const std::string source = name.substr(0, colon);
  if (colon == std::string::npos || (source != "device" && source != "proxy"))
    throw Error("latency = '" + name +
                "' should be device:NAME (measured), proxy:NAME (linear predictor of NAME) or "
                "model:macs");
  const std::string device = name.substr(colon + 1);
  data.expand({device}, "latency");
  const Series series = data.device(device);
  if (source == "device") return tabled(data, series);
  auto predictor = std::make_shared<LinearPredictor>(fit_proxy(data, series, backend).predictor);
  return {"predicted latency on " + device, "ms", false, true,
          [predictor, backend](std::span<const std::uint8_t> choices, std::span<double> out) {
            score_linear(predictor->table(), choices, out, backend);
          }};
}

Objective quality_objective(const Measurements& data, const std::string& name) {
  const Series series = data.quality(name);
  return name.rfind("model:", 0) == 0 ? modelled(data, name, series) : tabled(data, series);
}

}  // namespace oneproxy
