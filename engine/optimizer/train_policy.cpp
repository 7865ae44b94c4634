#include "oneproxy/engine/optimizer/train_policy.h"

#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/optimizer/context_scale.h"
#include "oneproxy/engine/optimizer/example_steps.h"
#include "oneproxy/engine/optimizer/policy_loss.h"

namespace oneproxy {

PolicyTrainingResult train_policy(const SearchSpace& space, std::span<const OptimizerDevice> devices,
                                  std::span<const TrainingExample> examples, int n_qualities, bool energy,
                                  const PolicyTrainSettings& settings) {
  check_training(settings, devices, examples);
  const PolicySteps steps(
      space, {settings.autoregressive, static_cast<int>(devices[0].coordinates.size()), n_qualities, energy});
  PolicyTrainSettings with_widths = settings;
  default_widths(steps, with_widths);
  const ContextScale scale(steps, devices, examples);
  const ExampleSteps labelled(space, steps, devices, examples);
  const ExampleSplit split = split_examples(settings, std::ssize(devices), examples);
  const std::string identity =
      settings.checkpoint.empty()
          ? ""
          : sha256_hex("labels 1\n" + space.checksum() +
                       training_identity(steps, with_widths, devices, examples, steps.needs_costs()));
  ExampleLabels labels;
  auto result = train_in_steps(
      steps, with_widths, split, identity,
      [&](std::span<const std::int64_t> rows, std::span<const double> picks, PolicyBatch& batch) -> LogitLoss {
        const std::size_t width = steps.n_context();
        batch.context.resize(rows.size() * width);
        for (std::size_t i = 0; i < rows.size(); ++i)
          scale.write(examples[rows[i]], std::span(batch.context).subspan(i * width, width));
        labelled.write(rows, picks, batch.steps, labels);
        return [&](std::span<const double> logits, std::span<double> by_logits) {
          return cross_entropy({steps.n_decisions(), steps.n_choices(), labels.open, labels.choices}, logits,
                               by_logits);
        };
      });
  result.parameters = scale.folded(result.shape, std::move(result.parameters));
  return result;
}

}  // namespace oneproxy
