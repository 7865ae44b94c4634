#include "oneproxy/engine/optimizer/train_policy.h"

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
#include "oneproxy/engine/optimizer/example_steps.h"
#include "oneproxy/engine/optimizer/policy_loss.h"
#include "oneproxy/engine/train/training_checkpoint.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kMostValidation = 2048;  // examples that a validation looks at
constexpr int kMostWidth = 1 << 13;

template <class T>
[[noreturn]] void refuse(const std::string& name, T value, const std::string& expected) {
  std::ostringstream text;
  text << "training the optimizer: " << name << " = " << value << " should be " << expected;
  throw Error(text.str());
}

void check_settings(const PolicyTrainSettings& s) {
  for (const auto* widths : {&s.trunk, &s.head})
    for (const int width : *widths)
      if (width < 1 || width > kMostWidth) refuse("width", width, "between 1 and " + std::to_string(kMostWidth));
  if (s.steps < 1) refuse("steps", s.steps, "1 or more");
  if (s.batch < 1) refuse("batch", s.batch, "1 or more");
  if (s.validation_every < 1) refuse("validation_every", s.validation_every, "1 or more");
  if (!(s.learning_rate > 0) || !std::isfinite(s.learning_rate))
    refuse("learning_rate", s.learning_rate, "a number above 0");
  if (!(s.weight_decay >= 0) || !std::isfinite(s.weight_decay))
    refuse("weight_decay", s.weight_decay, "0 or a number above");
  if (!(s.validation_share >= 0) || s.validation_share > 0.5)
    refuse("validation_share", s.validation_share, "between 0 and 0.5");
}

class PolicyTraining {
 public:
  PolicyTraining(const SearchSpace& space, const PolicySteps& steps, std::span<const OptimizerDevice> devices,
                 std::span<const TrainingExample> examples, const PolicyTrainSettings& settings)
      : steps_(steps),
        settings_(settings),
        examples_(space, steps, devices, examples),
        shape_(steps.shape(settings.trunk, settings.head)) {
    split(devices, examples);
    if (!settings_.checkpoint.empty()) identity_ = identity(space, devices, examples);
  }

  PolicyTrainingResult run() {
    PolicyTrainingResult result;
    auto network = make_policy_network({shape_, settings_.weight_decay, false});
    TrainingCheckpoint now;
    now.identity = identity_;
    if (!settings_.checkpoint.empty() && file_exists(settings_.checkpoint)) {
      now = load_checkpoint(settings_.checkpoint, identity_, n_parameters(shape_));
      result.resumed = true;
      log_info("training goes on from " + settings_.checkpoint + ": step " + std::to_string(now.batch));
    } else {
      const auto start = random_parameters(shape_, steps_.active_step_inputs(), settings_.seed);
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
    ExampleBatch batch;
    for (; now.batch < settings_.steps; progress.advance()) {
      stop_if_interrupted(save);
      draw(now.batch, batch);
      const double loss = network->step(batch.context, batch.steps, loss_of(batch), learning_rate(now.batch));
      if (!std::isfinite(loss))
        refuse("learning_rate", settings_.learning_rate,
               "smaller: the loss is " + std::to_string(loss) + " in step " + std::to_string(now.batch));
      now.loss_sum += loss;
      ++now.batch;
      if (now.batch % settings_.validation_every == 0 || now.batch == settings_.steps) end_interval(*network, now);
      const std::chrono::duration<double> since = std::chrono::steady_clock::now() - saved;
      if (since.count() >= settings_.checkpoint_seconds) save();
    }
    save();
    result.shape = shape_;
    result.parameters = folded(network->state().parameters);
    result.train_loss = now.train_loss;
    result.validation_loss = now.validation_loss;
    result.n_examples = std::ssize(fitting_);
    result.n_validation = std::ssize(validation_);
    return result;
  }

 private:
  // Whole devices are kept out, so that the validation tells of a device that is new.
  void split(std::span<const OptimizerDevice> devices, std::span<const TrainingExample> examples) {
    const auto n = std::ssize(devices);
    const auto n_kept_out = std::llround(settings_.validation_share * static_cast<double>(n));
    std::vector<char> kept_out(devices.size(), 0);
    const auto order = random_permutation(n, random_stream(settings_.seed, Draws::policy_split, 0));
    for (std::int64_t i = 0; i < n_kept_out; ++i) kept_out[order[i]] = 1;
    for (std::int64_t i = 0; i < std::ssize(examples); ++i)
      (kept_out[examples[i].device] ? validation_ : fitting_).push_back(i);
    if (fitting_.empty())
      throw Error("training the optimizer: no examples to train on; give some, of devices that are not validated on");
    if (std::ssize(validation_) <= kMostValidation) return;
    std::vector<std::int64_t> some;
    for (std::int64_t i = 0; i < kMostValidation; ++i)
      some.push_back(validation_[i * std::ssize(validation_) / kMostValidation]);
    validation_ = std::move(some);
  }

  // Everything that the result depends on.
  std::string identity(const SearchSpace& space, std::span<const OptimizerDevice> devices,
                       std::span<const TrainingExample> examples) const {
    std::ostringstream text;
    text << std::hexfloat << "policy 1\n" << space.checksum() << ' ' << settings_.autoregressive << ' ';
    for (const auto* widths : {&settings_.trunk, &settings_.head}) {
      for (const int width : *widths) text << width << ' ';
      text << '\n';
    }
    text << steps_.inputs().n_qualities << ' ' << steps_.inputs().energy << ' ' << settings_.steps << ' '
         << settings_.batch << ' ' << settings_.learning_rate << ' ' << settings_.weight_decay << ' '
         << settings_.validation_share << ' ' << settings_.validation_every << ' ' << settings_.seed << '\n';
    for (const auto& device : devices) {
      text << sha256_of(std::span(device.coordinates));
      if (!steps_.needs_costs()) continue;
      for (const auto* predictor : {&device.latency, &device.energy})
        if (*predictor) std::visit([&](const auto& p) { text << checksum(p); }, **predictor);
    }
    for (const auto& e : examples) {
      text << e.device << ' ' << e.query.quality << ' ' << e.query.limit.value_or(0) << ' '
           << e.query.limit.has_value();
      for (const double weight : e.query.preference) text << ' ' << weight;
      for (const float share : e.shares) text << ' ' << share;
      text.write(reinterpret_cast<const char*>(e.choices.data()), std::ssize(e.choices)) << '\n';
    }
    return sha256_hex(text.str());
  }

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

  void draw(std::int64_t step, ExampleBatch& batch) const {
    const auto random = random_stream(settings_.seed, Draws::policy_batches, 0);
    std::vector<std::int64_t> rows;
    std::vector<double> picks;
    for (std::int64_t i = 0; i < settings_.batch; ++i) {
      const auto at = static_cast<std::uint64_t>(step * settings_.batch + i);
      rows.push_back(fitting_[random.below(2 * at, fitting_.size())]);
      picks.push_back(random.uniform(2 * at + 1));
    }
    examples_.batch(rows, picks, batch);
  }

  LogitLoss loss_of(const ExampleBatch& batch) const {
    return [this, &batch](std::span<const double> logits, std::span<double> by_logits) {
      return cross_entropy({steps_.n_decisions(), steps_.n_choices(), batch.open, batch.labels}, logits, by_logits);
    };
  }

  double learning_rate(std::int64_t step) const {
    const double done = static_cast<double>(step) / static_cast<double>(settings_.steps);
    return settings_.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * done));
  }

  void end_interval(PolicyNetwork& network, TrainingCheckpoint& now) const {
    const auto since = (now.batch - 1) % settings_.validation_every + 1;
    now.train_loss.push_back(now.loss_sum / static_cast<double>(since));
    now.loss_sum = 0;
    if (!validation_.empty()) now.validation_loss.push_back(validation_loss(network));
  }

  // Each example with one of its labels, always the same.
  double validation_loss(PolicyNetwork& network) const {
    const auto random = random_stream(settings_.seed, Draws::policy_split, 1);
    ExampleBatch batch;
    std::vector<double> picks, logits, by_logits;
    double sum = 0;
    const auto n = std::ssize(validation_);
    for (std::int64_t begin = 0; begin < n; begin += settings_.batch) {
      const auto rows = std::span(validation_).subspan(begin, std::min(settings_.batch, n - begin));
      picks.clear();
      for (std::size_t i = 0; i < rows.size(); ++i) picks.push_back(random.uniform(begin + i));
      examples_.batch(rows, picks, batch);
      logits.resize(batch.open.size());
      by_logits.resize(batch.open.size());
      network.forward(batch.context, batch.steps, logits);
      sum += loss_of(batch)(logits, by_logits) * static_cast<double>(rows.size());
    }
    return sum / static_cast<double>(n);
  }

  // The trunk's first layer on the context as it is.
  std::vector<double> folded(std::vector<double> parameters) const {
    const std::size_t inputs = shape_.n_context, outputs = shape_.trunk.front();
    double* bias = &parameters[inputs * outputs];
    for (std::size_t j = 0; j < outputs; ++j)
      for (std::size_t i = 0; i < inputs; ++i) {
        double& weight = parameters[j * inputs + i];
        weight /= examples_.deviation()[i];
        bias[j] -= weight * examples_.mean()[i];
      }
    return parameters;
  }

  const PolicySteps& steps_;
  const PolicyTrainSettings& settings_;
  ExampleSteps examples_;
  PolicyShape shape_;
  std::vector<std::int64_t> fitting_, validation_;  // numbers of examples
  std::string identity_;
};

}  // namespace

void default_widths(const PolicySteps& steps, PolicyTrainSettings& settings) {
  if (!settings.trunk.empty()) return;
  settings.trunk = steps.is_cell() ? std::vector{256, 256} : std::vector{128, 64};
  settings.head = steps.is_cell() ? std::vector{96} : steps.needs_costs() ? std::vector{128, 64} : std::vector<int>{};
}

PolicyTrainingResult train_policy(const SearchSpace& space, std::span<const OptimizerDevice> devices,
                                  std::span<const TrainingExample> examples, int n_qualities, bool energy,
                                  const PolicyTrainSettings& settings) {
  check_settings(settings);
  require_torch();
  if (devices.empty() || examples.empty())
    throw Error("training the optimizer: no examples to train on; give some, of devices that are not validated on");
  const PolicyInputs inputs{settings.autoregressive, static_cast<int>(devices[0].coordinates.size()), n_qualities,
                            energy};
  const PolicySteps steps(space, inputs);
  PolicyTrainSettings with_widths = settings;
  default_widths(steps, with_widths);
  return PolicyTraining(space, steps, devices, examples, with_widths).run();
}

}  // namespace oneproxy
