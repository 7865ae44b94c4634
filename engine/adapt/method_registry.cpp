#include "oneproxy/engine/adapt/method_registry.h"

#include "oneproxy/engine/adapt/methods/methods.h"
#include "oneproxy/engine/adapt/sheet_regression.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/train/network.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

const std::vector<AdaptationMethodKind>& adaptation_methods() {
  static const std::vector<AdaptationMethodKind> methods = {
      bayes_method(), adaproxy_method(), finetune_method(), pca_method(), data_sheet_method(), references_method(),
  };
  return methods;
}

std::vector<std::string> adaptation_method_names() {
  std::vector<std::string> names;
  for (const auto& method : adaptation_methods()) names.push_back(method.name);
  return names;
}

const AdaptationMethodKind& adaptation_method(std::string_view name) {
  for (const auto& method : adaptation_methods())
    if (method.name == name) return method;
  throw Error(unknown_name("adaptation method", name, "", adaptation_method_names()));
}

LearnedFromSources MethodSettings::learn(const Sources& sources, std::uint64_t seed) const {
  LearnedFromSources learned;
  Progress progress("learning from the source devices", std::ssize(sources.devices), "devices");
  for (const auto& device : sources.devices) {
    check_interrupt();
    learned.of_each.push_back(learn_from(*sources.features, device, seed));
    progress.advance();
  }
  learned.of_all = learn_from_all(*sources.features, sources.devices, seed);
  return learned;
}

MethodChoice::MethodChoice(std::string_view name)
    : chosen_(static_cast<std::size_t>(&adaptation_method(name) - adaptation_methods().data())) {
  for (const auto& method : adaptation_methods()) settings_.push_back(method.default_settings());
}

MethodChoice::MethodChoice(const MethodChoice& other) : chosen_(other.chosen_) {
  for (const auto& settings : other.settings_) settings_.push_back(settings->clone());
}

MethodChoice& MethodChoice::operator=(const MethodChoice& other) {
  MethodChoice copy(other);
  chosen_ = copy.chosen_;
  settings_.swap(copy.settings_);
  return *this;
}

void MethodChoice::read(Config& config) {
  const auto name = config.one_of("method", kind().name, adaptation_method_names(), "how the target is adapted to");
  chosen_ = static_cast<std::size_t>(&adaptation_method(name) - adaptation_methods().data());
  require_available(config.location("method"));
  for (auto& settings : settings_) settings->read(config);
}

void MethodChoice::require_available(const std::string& place) const {
  if (!kind().needs_torch || torch_compiled()) return;
  std::string others;
  for (const auto& method : adaptation_methods())
    if (!method.needs_torch) others += (others.empty() ? "" : " or ") + method.name;
  throw Error(place + ": method " + kind().name +
              " trains with LibTorch, which this build is without; run tools/fetch_torch.py and build again, or use " +
              others);
}

void MethodChoice::require_sources(const Sources& sources) const {
  const auto n = static_cast<int>(sources.devices.size());
  if (n < kind().min_sources)
    throw Error("method " + kind().name + " needs " + count_of(kind().min_sources, "source device") +
                ", and there are " + std::to_string(n) + "; name more sources");
}

void MethodChoice::require_data_sheets(const Sources& sources, bool has_data_sheet) const {
  if (!settings().needs_data_sheet()) return;
  data_sheets_of(sources, kind().name);
  if (!has_data_sheet) throw Error(no_data_sheet(kind().name));
}

}  // namespace oneproxy
