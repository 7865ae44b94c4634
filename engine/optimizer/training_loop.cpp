#include "oneproxy/engine/optimizer/training_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <sstream>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/train/training_checkpoint.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kMostValidation = 2048;  // examples that a validation looks at

template <class T>
[[noreturn]] void refuse(const std::string& name, T value, const std::string& expected) {
  std::ostringstream text;
  text << "training the optimizer: " << name << " = " << value << " should be " << expected;
  throw Error(text.str());
}

class Loop {
 public:
  Loop(const PolicyTrainSettings& settings, const ExampleSplit& split, const MakeBatch& make_batch)
      : settings_(settings), split_(split), make_batch_(make_batch) {}

  PolicyTrainingResult run(const PolicyShape& shape, int active_step_inputs, const std::string& identity) {
    PolicyTrainingResult result;
    auto network = make_policy_network({shape, settings_.weight_decay, false});
    TrainingCheckpoint now;
    now.identity = identity;
    if (!settings_.checkpoint.empty() && file_exists(settings_.checkpoint)) {
      now = load_checkpoint(settings_.checkpoint, identity, n_parameters(shape));
      result.resumed = true;
      log_info("training goes on from " + settings_.checkpoint + ": step " + std::to_string(now.batch));
    } else {
      const auto start = random_parameters(shape, active_step_inputs, settings_.seed);
      const std::vector<double> zeros(start.size());
      now.state = {start, zeros, zeros, 0};
    }
    network->set_state(now.state);
    auto saved = std::chrono::steady_clock::now();
    const auto save = [&] {
      if (settings_.checkpoint.empty()) return;
      now.state = network->state();
      save_checkpoint(settings_.checkpoint, now);
      saved = std::chrono::steady_clock::now();
    };
    Progress progress("training the optimizer", settings_.steps, "steps");
    progress.advance(now.batch);
    for (; now.batch < settings_.steps; progress.advance()) {
      stop_if_interrupted(save);
      const auto loss_of = draw(now.batch);
      const double loss = network->step(batch_.context, batch_.steps, loss_of, learning_rate(now.batch));
      if (!std::isfinite(loss))
        refuse("learning_rate", settings_.learning_rate,
               "smaller: the loss is " + std::to_string(loss) + " in step " + std::to_string(now.batch));
      now.loss_sum += loss;
      ++now.batch;
      if (now.batch % settings_.validation_every == 0 || now.batch == settings_.steps)
        end_interval(*network, shape, now);
      const std::chrono::duration<double> since = std::chrono::steady_clock::now() - saved;
      if (since.count() >= settings_.checkpoint_seconds) save();
    }
    save();
    result.shape = shape;
    result.parameters = network->state().parameters;
    result.train_loss = now.train_loss;
    result.validation_loss = now.validation_loss;
    result.n_examples = std::ssize(split_.fitting);
    result.n_validation = std::ssize(split_.validation);
    return result;
  }

 private:
  template <class Save>
  void stop_if_interrupted(const Save& save) const {
    try {
      check_interrupt();
    } catch (const Interrupted&) {
      if (settings_.checkpoint.empty()) throw;
      save();
      throw Interrupted("interrupted: " + settings_.checkpoint +
                        " keeps the state of the training; run the same command again to go on");
    }
  }

  LogitLoss draw(std::int64_t step) {
    const auto random = random_stream(settings_.seed, Draws::policy_batches, 0);
    std::vector<std::int64_t> rows;
    std::vector<double> picks;
    for (std::int64_t i = 0; i < settings_.batch; ++i) {
      const auto at = static_cast<std::uint64_t>(step * settings_.batch + i);
      rows.push_back(split_.fitting[random.below(2 * at, split_.fitting.size())]);
      picks.push_back(random.uniform(2 * at + 1));
    }
    return make_batch_(rows, picks, batch_);
  }

  double learning_rate(std::int64_t step) const {
    const double done = static_cast<double>(step) / static_cast<double>(settings_.steps);
    return settings_.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * done));
  }

  void end_interval(PolicyNetwork& network, const PolicyShape& shape, TrainingCheckpoint& now) {
    const auto since = (now.batch - 1) % settings_.validation_every + 1;
    now.train_loss.push_back(now.loss_sum / static_cast<double>(since));
    now.loss_sum = 0;
    if (!split_.validation.empty()) now.validation_loss.push_back(validation_loss(network, shape));
  }

  double validation_loss(PolicyNetwork& network, const PolicyShape& shape) {
    const auto random = random_stream(settings_.seed, Draws::policy_split, 1);
    std::vector<double> picks, logits, by_logits;
    double sum = 0;
    const auto n = std::ssize(split_.validation);
    for (std::int64_t begin = 0; begin < n; begin += settings_.batch) {
      const auto rows = std::span(split_.validation).subspan(begin, std::min(settings_.batch, n - begin));
      picks.clear();
      for (std::size_t i = 0; i < rows.size(); ++i) picks.push_back(random.uniform(begin + i));
      const auto loss_of = make_batch_(rows, picks, batch_);
      logits.resize(rows.size() * shape.n_decisions * shape.n_choices);
      by_logits.resize(logits.size());
      network.forward(batch_.context, batch_.steps, logits);
      sum += loss_of(logits, by_logits) * static_cast<double>(rows.size());
    }
    return sum / static_cast<double>(n);
  }

  const PolicyTrainSettings& settings_;
  const ExampleSplit& split_;
  const MakeBatch& make_batch_;
  PolicyBatch batch_;
};

}  // namespace

void default_widths(const PolicySteps& steps, PolicyTrainSettings& settings) {
  if (!settings.trunk.empty()) return;
  settings.trunk = steps.is_cell() ? std::vector{256, 256} : std::vector{128, 64};
  settings.head = steps.is_cell() ? std::vector{96} : steps.needs_costs() ? std::vector{128, 64} : std::vector<int>{};
}

void check_training(const PolicyTrainSettings& s, std::span<const OptimizerDevice> devices,
                    std::span<const TrainingExample> examples) {
  for (const auto* widths : {&s.trunk, &s.head}) {
    if (std::ssize(*widths) > kMostPolicyLayers)
      refuse("number of layers", widths->size(), "at most " + std::to_string(kMostPolicyLayers));
    for (const int width : *widths)
      if (width < 1 || width > kMostPolicyWidth)
        refuse("width", width, "between 1 and " + std::to_string(kMostPolicyWidth));
  }
  if (s.steps < 1) refuse("steps", s.steps, "1 or more");
  if (s.batch < 1) refuse("batch", s.batch, "1 or more");
  if (s.validation_every < 1) refuse("validation_every", s.validation_every, "1 or more");
  if (!(s.learning_rate > 0) || !std::isfinite(s.learning_rate))
    refuse("learning_rate", s.learning_rate, "a number above 0");
  if (!(s.weight_decay >= 0) || !std::isfinite(s.weight_decay))
    refuse("weight_decay", s.weight_decay, "0 or a number above");
  if (!(s.validation_share >= 0) || s.validation_share > 0.5)
    refuse("validation_share", s.validation_share, "between 0 and 0.5");
  require_torch();
  if (devices.empty() || examples.empty())
    throw Error("training the optimizer: no examples to train on; give some, of at least one device");
}

ExampleSplit split_examples(const PolicyTrainSettings& settings, std::int64_t n_devices,
                            std::span<const TrainingExample> examples) {
  const auto n_kept_out = std::llround(settings.validation_share * static_cast<double>(n_devices));
  std::vector<char> kept_out(n_devices, 0);
  const auto order = random_permutation(n_devices, random_stream(settings.seed, Draws::policy_split, 0));
  for (std::int64_t i = 0; i < n_kept_out; ++i) kept_out[order[i]] = 1;
  ExampleSplit split;
  for (std::int64_t i = 0; i < std::ssize(examples); ++i)
    (kept_out[examples[i].device] ? split.validation : split.fitting).push_back(i);
  if (split.fitting.empty())
    throw Error("training the optimizer: all examples are of devices that are validated on; lower validation_share");
  if (const auto n = std::ssize(split.validation); n > kMostValidation) {
    std::vector<std::int64_t> some;
    for (std::int64_t i = 0; i < kMostValidation; ++i) some.push_back(split.validation[i * n / kMostValidation]);
    split.validation = std::move(some);
  }
  return split;
}

std::string training_identity(const PolicySteps& steps, const PolicyTrainSettings& settings,
                              std::span<const OptimizerDevice> devices, std::span<const TrainingExample> examples,
                              bool predictors) {
  std::ostringstream text;
  text << std::hexfloat << settings.autoregressive << ' ';
  for (const auto* widths : {&settings.trunk, &settings.head}) {
    for (const int width : *widths) text << width << ' ';
    text << '\n';
  }
  text << steps.inputs().n_qualities << ' ' << steps.inputs().energy << ' ' << settings.steps << ' ' << settings.batch
       << ' ' << settings.learning_rate << ' ' << settings.weight_decay << ' ' << settings.validation_share << ' '
       << settings.validation_every << ' ' << settings.seed << '\n';
  for (const auto& device : devices) {
    text << sha256_of(std::span(device.coordinates));
    if (!predictors) continue;
    for (const auto* predictor : {&device.latency, &device.energy})
      if (*predictor) std::visit([&](const auto& p) { text << checksum(p); }, **predictor);
  }
  for (const auto& e : examples) {
    text << e.device << ' ' << e.query.quality << ' ' << e.query.limit.value_or(0) << ' ' << e.query.limit.has_value();
    for (const double weight : e.query.preference) text << ' ' << weight;
    for (const float share : e.shares) text << ' ' << share;
    text.write(reinterpret_cast<const char*>(e.choices.data()), std::ssize(e.choices)) << '\n';
  }
  return text.str();
}

PolicyTrainingResult train_in_steps(const PolicySteps& steps, const PolicyTrainSettings& settings,
                                    const ExampleSplit& split, const std::string& identity,
                                    const MakeBatch& make_batch) {
  return Loop(settings, split, make_batch)
      .run(steps.shape(settings.trunk, settings.head), steps.active_step_inputs(), identity);
}

}  // namespace oneproxy
