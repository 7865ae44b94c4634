#include "experiments/kinds/few_shot/arrays.h"

namespace oneproxy::few_shot {

void write_arrays(H5File& arrays, const Task& task) {
  const auto& s = task.settings;
  std::vector<std::string> targets, proxies, variant_names;
  std::vector<double> srcc, expected, sure, raw, variants;
  for (const auto& variant : task.variants) variant_names.push_back(variant.name);
  auto append = [](std::vector<double>& all, const std::vector<double>& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  for (const auto& one : task.cases)
    for (const auto& outcome : one.outcomes) {
      targets.push_back(task.devices[outcome.target].name);
      proxies.push_back(outcome.proxy >= 0 ? task.devices[outcome.proxy].name : "");
      raw.push_back(outcome.raw_srcc);
      append(srcc, outcome.srcc);
      append(expected, outcome.expected);
      append(sure, outcome.sure);
      for (const auto& variant : outcome.variants) append(variants, variant);
    }
  const std::string group = "task/" + s.name + "/";
  const auto count = static_cast<std::int64_t>(targets.size());
  const std::int64_t shape[] = {count, static_cast<std::int64_t>(task.sizes.size()), s.trials};
  const std::int64_t variant_shape[] = {count, std::ssize(task.variants), s.trials};
  const std::vector<std::int64_t> samples(task.sizes.begin(), task.sizes.end());
  arrays.write(group + "targets", std::span<const std::string>(targets));
  arrays.write(group + "samples", std::span<const std::int64_t>(samples));
  arrays.write(group + "srcc", std::span<const double>(srcc), shape);
  arrays.write(group + "expected_srcc", std::span<const double>(expected), shape);
  arrays.write(group + "probability_strong", std::span<const double>(sure), shape);
  arrays.write(group + "variant_srcc", std::span<const double>(variants), variant_shape);
  arrays.write(group + "variants", std::span<const std::string>(variant_names));
  if (s.one_proxy()) {
    arrays.write(group + "proxies", std::span<const std::string>(proxies));
    arrays.write(group + "raw_srcc", std::span<const double>(raw));
  }
  if (!s.published_names.empty()) {
    arrays.write(group + "published_names", std::span<const std::string>(s.published_names));
    arrays.write(group + "published_srcc", std::span<const double>(s.published_srcc));
  }
}

}  // namespace oneproxy::few_shot
