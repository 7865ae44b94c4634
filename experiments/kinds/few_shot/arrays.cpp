#include "experiments/kinds/few_shot/arrays.h"

namespace oneproxy::few_shot {

void write_arrays(LabelledArrays& arrays, const Task& task) {
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
  const std::vector<std::string> of_sizes = {"targets", "samples", "trial"};
  const std::vector<std::int64_t> samples(task.sizes.begin(), task.sizes.end());
  arrays.axis(group + "targets", targets, {"target device", ""});
  arrays.axis(group + "samples", samples, {"measured architectures of the target", "1"});
  arrays.axis(group + "variants", variant_names, {"method beside the task's own, at its first number of samples", ""});
  arrays.numbered_axis(group + "trial", s.trials, "repetition with other samples");
  arrays.write(group + "srcc", srcc, of_sizes, {"SRCC of the predictions with the target's latencies", "1"});
  arrays.write(group + "expected_srcc", expected, of_sizes, {"SRCC that the method expects", "1"});
  arrays.write(group + "probability_strong", sure, of_sizes,
               {"probability that the SRCC is strong, as the method has it", "1"});
  arrays.write(group + "variant_srcc", variants, {"targets", "variants", "trial"}, {"SRCC of the other methods", "1"});
  if (s.one_proxy()) {
    arrays.write(group + "proxies", proxies, "targets", {"proxy of the target", ""});
    arrays.write(group + "raw_srcc", raw, {"targets"}, {"SRCC of the proxy as it is", "1"});
  }
  if (!s.published_names.empty()) {
    arrays.axis(group + "published_names", s.published_names, {"published method", ""});
    arrays.write(group + "published_srcc", s.published_srcc, {"published_names"}, {"published SRCC", "1"});
  }
}

}  // namespace oneproxy::few_shot
