#include "oneproxy/engine/adapt/reference_network.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/train/network.h"
#include "oneproxy/engine/train/torch_module.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kBatch = 256;
constexpr double kWeightDecay = 1e-4, kNoSpread = 1e-9;

struct Scale {
  double mean = 0, deviation = 0;
};

// Error where the latencies of the references are all the same.
Scale scale_of(std::span<const double> latency_ms, const std::string& device) {
  Scale scale;
  const auto n = static_cast<double>(latency_ms.size());
  for (const double v : latency_ms) scale.mean += v / n;
  for (const double v : latency_ms) scale.deviation += (v - scale.mean) * (v - scale.mean) / n;
  scale.deviation = std::sqrt(scale.deviation);
  if (!(scale.deviation > kNoSpread * scale.mean))
    throw Error("method references: all " + std::to_string(latency_ms.size()) + " reference latencies of " + device +
                " are equal, so there is no scale to learn on; measure others");
  return scale;
}

using Choices = std::vector<std::uint8_t>;

// What a source takes for the references: measured where it was, else predicted.
std::vector<double> references_of(const Sources& sources, std::size_t source, const Choices& references) {
  const auto decisions = sources.features->space().radices().size();
  const auto& samples = sources.devices[source].samples;
  std::map<Choices, double> measured;
  for (std::int64_t i = 0; i < samples.n(); ++i)
    if (!std::isnan(samples.values[i])) {
      const auto at = samples.choices.begin() + static_cast<std::ptrdiff_t>(i * decisions);
      measured.try_emplace(Choices(at, at + static_cast<std::ptrdiff_t>(decisions)), samples.values[i]);
    }
  auto latency = sources.predictors[source].predict(sources.features->rows(references));
  for (std::size_t i = 0; i < latency.size(); ++i) {
    const auto at = references.begin() + static_cast<std::ptrdiff_t>(i * decisions);
    const auto found = measured.find(Choices(at, at + static_cast<std::ptrdiff_t>(decisions)));
    latency[i] = found != measured.end() ? found->second : latency[i] * sources.predictors[source].median_ms;
  }
  return latency;
}

// Rows of all sources, as the network is given them.
struct Examples {
  std::vector<std::uint8_t> choices;         // [n, n_decisions]
  std::vector<int> source;                   // [n]
  std::vector<double> target;                // [n]
  std::vector<std::vector<double>> context;  // [sources][k]
};

Examples examples_of(const Sources& sources, const Choices& references) {
  const auto decisions = sources.features->space().radices().size();
  Examples all;
  for (std::size_t j = 0; j < sources.devices.size(); ++j) {
    auto context = references_of(sources, j, references);
    const Scale scale = scale_of(context, "source " + sources.devices[j].name);
    for (double& v : context) v = (v - scale.mean) / scale.deviation;
    all.context.push_back(std::move(context));
    const auto& samples = sources.devices[j].samples;
    for (std::int64_t i = 0; i < samples.n(); ++i) {
      if (std::isnan(samples.values[i])) continue;
      const auto row = std::span(samples.choices).subspan(i * decisions, decisions);
      all.choices.insert(all.choices.end(), row.begin(), row.end());
      all.source.push_back(static_cast<int>(j));
      all.target.push_back((samples.values[i] - scale.mean) / scale.deviation);
    }
  }
  return all;
}

}  // namespace

ReferenceNetwork::ReferenceNetwork(const Sources& sources, std::vector<std::uint8_t> references,
                                   const ReferenceNetworkSettings& settings)
    : space_(sources.features->space().name()),
      radices_(sources.features->space().radices().begin(), sources.features->space().radices().end()) {
  require_torch();
  const auto decisions = radices_.size();
  n_code_ = std::accumulate(radices_.begin(), radices_.end(), 0);
  n_references_ = static_cast<int>(references.size() / decisions);
  ONEPROXY_ASSERT(n_references_ >= 3 && !sources.devices.empty());
  widths_ = {n_code_ + n_references_};
  widths_.insert(widths_.end(), settings.hidden.begin(), settings.hidden.end());
  widths_.push_back(1);
  const auto examples = examples_of(sources, references);

  NetworkSettings network_settings;
  network_settings.widths = widths_;
  network_settings.weight_decay = kWeightDecay;
  const auto network = make_network(network_settings);
  const auto start = random_parameters(widths_, static_cast<int>(decisions) + n_references_, settings.seed);
  const std::vector<double> zeros(start.size());
  network->set_state({start, zeros, zeros, 0});
  const auto n = std::ssize(examples.target), n_batches = (n + kBatch - 1) / kBatch;
  std::vector<double> inputs, targets;
  for (std::int64_t epoch = 0; epoch < settings.epochs; ++epoch) {
    check_interrupt();
    const auto order = random_permutation(
        n, random_stream(settings.seed, Draws::predictor_batches, static_cast<std::uint32_t>(epoch)));
    for (std::int64_t batch = 0; batch < n_batches; ++batch) {
      const auto begin = n * batch / n_batches, end = n * (batch + 1) / n_batches;
      inputs.assign((end - begin) * widths_[0], 0.0);
      targets.clear();
      double* x = inputs.data();
      for (const auto row : std::span(order).subspan(begin, end - begin)) {
        for (std::size_t d = 0; d < decisions; x += radices_[d++]) x[examples.choices[row * decisions + d]] = 1;
        const auto& context = examples.context[examples.source[row]];
        x = std::copy(context.begin(), context.end(), x);
        targets.push_back(examples.target[row]);
      }
      const double done =
          static_cast<double>(epoch * n_batches + batch) / static_cast<double>(settings.epochs * n_batches);
      const double rate = settings.learning_rate * (1 + std::cos(std::numbers::pi * done)) / 2;
      const double loss = network->step(inputs, targets, rate);
      if (!std::isfinite(loss))
        throw Error("method references: the loss is " + std::to_string(loss) + " in epoch " + std::to_string(epoch) +
                    "; make reference_learning_rate smaller");
    }
  }
  parameters_ = network->state().parameters;
}

MlpPredictor ReferenceNetwork::of_device(std::span<const double> latency_ms) const {
  ONEPROXY_ASSERT(std::ssize(latency_ms) == n_references_);
  const Scale scale = scale_of(latency_ms, "the target");
  MlpPredictor predictor;
  predictor.space = space_;
  predictor.radices = radices_;
  predictor.unit = "ms";
  predictor.output_offset = scale.mean;
  predictor.output_scale = scale.deviation;
  const int inputs = widths_[0], width = predictor.first_width = widths_[1];
  predictor.rows.resize(static_cast<std::size_t>(n_code_) * width);
  std::span<const double> rest(parameters_);
  for (int j = 0; j < width; ++j) {
    for (int r = 0; r < n_code_; ++r) predictor.rows[static_cast<std::size_t>(r) * width + j] = rest[r];
    double bias = parameters_[static_cast<std::size_t>(inputs) * width + j];
    for (int k = 0; k < n_references_; ++k) bias += rest[n_code_ + k] * (latency_ms[k] - scale.mean) / scale.deviation;
    predictor.first_bias.push_back(bias);
    rest = rest.subspan(inputs);
  }
  rest = rest.subspan(width);
  for (std::size_t l = 1; l + 1 < widths_.size(); ++l) {
    const auto n_weights = static_cast<std::size_t>(widths_[l]) * widths_[l + 1];
    const auto weights = rest.first(n_weights), bias = rest.subspan(n_weights, widths_[l + 1]);
    predictor.layers.push_back(
        {widths_[l], widths_[l + 1], {weights.begin(), weights.end()}, {bias.begin(), bias.end()}});
    rest = rest.subspan(n_weights + widths_[l + 1]);
  }
  return predictor;
}

std::vector<double> ReferenceNetwork::scores(std::span<const std::uint8_t> choices,
                                             std::span<const double> standardised) const {
  ONEPROXY_ASSERT(std::ssize(standardised) == n_references_);
  std::vector<double> result;
  const auto decisions = radices_.size();
  for (std::size_t i = 0; i < choices.size() / decisions; ++i) {
    std::vector<double> in(n_code_, 0.0);
    for (std::size_t d = 0, at = 0; d < decisions; at += radices_[d++]) in[at + choices[i * decisions + d]] = 1;
    in.insert(in.end(), standardised.begin(), standardised.end());
    const double* weights = parameters_.data();
    for (std::size_t l = 0; l + 1 < widths_.size(); ++l) {
      const double* bias = weights + static_cast<std::size_t>(widths_[l]) * widths_[l + 1];
      std::vector<double> out(bias, bias + widths_[l + 1]);
      for (double& v : out) {
        for (const double x : in) v += *weights++ * x;
        if (l + 2 < widths_.size()) v = std::max(v, 0.0);
      }
      weights = bias + widths_[l + 1];
      in = std::move(out);
    }
    result.push_back(in[0]);
  }
  return result;
}

}  // namespace oneproxy
