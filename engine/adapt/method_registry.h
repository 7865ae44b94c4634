#pragma once
// The ways to adapt, by name. A new one is a file in adapt/methods/ and its line in method_registry.cpp (and in
// adapt/methods/methods.h); commands and experiments take it from there.
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oneproxy/engine/adapt/method.h"
#include "oneproxy/engine/adapt/sources.h"
#include "oneproxy/engine/base/config.h"

namespace oneproxy {

// What a method learns from source devices before any target is measured. It takes long; trials share it.
class SourceKnowledge {
 public:
  virtual ~SourceKnowledge() = default;
};
struct LearnedFromSources {
  std::vector<std::shared_ptr<const SourceKnowledge>> of_each;  // [devices]; nullptr where there is nothing to learn
  std::shared_ptr<const SourceKnowledge> of_all;                // of the devices together; likewise
};

// The settings of a method, and the method made from them.
class MethodSettings {
 public:
  virtual ~MethodSettings() = default;
  virtual std::unique_ptr<MethodSettings> clone() const = 0;
  // Its own keys of a configuration; what it holds already are their defaults.
  virtual void read(Config& config) = 0;
  // Whether the target needs a data sheet, and the fewest measurements of it that the method does with.
  virtual bool needs_data_sheet() const { return false; }
  virtual int min_measurements() const { return 1; }
  // The same without some of its parts, to show what they contribute.
  struct Ablation {
    std::string name;  // "without sources"
    std::shared_ptr<const MethodSettings> settings;
  };
  virtual std::vector<Ablation> ablations() const { return {}; }

  virtual std::shared_ptr<const SourceKnowledge> learn_from(const ArchitectureFeatures& /*features*/,
                                                            const SourceDevice& /*device*/,
                                                            std::uint64_t /*seed*/) const {
    return nullptr;
  }
  virtual std::shared_ptr<const SourceKnowledge> learn_from_all(const ArchitectureFeatures& /*features*/,
                                                                std::span<const SourceDevice> /*devices*/,
                                                                std::uint64_t /*seed*/) const {
    return nullptr;
  }
  LearnedFromSources learn(const Sources& sources, std::uint64_t seed) const;

  // The method owns what it needs of the sources. `learned`: by settings of the same method.
  virtual std::unique_ptr<AdaptationMethod> make(const Sources& sources, const LearnedFromSources& learned,
                                                 std::uint64_t seed) const = 0;
};

struct AdaptationMethodKind {
  std::string name, description;
  int min_sources = 0;
  bool needs_torch = false;  // LibTorch, in the build
  std::function<std::unique_ptr<MethodSettings>()> default_settings;
};

const std::vector<AdaptationMethodKind>& adaptation_methods();
std::vector<std::string> adaptation_method_names();
// Error offers the names.
const AdaptationMethodKind& adaptation_method(std::string_view name);

// One of the methods, with the settings of all: a configuration may hold the keys of methods that only some of its
// tasks use.
class MethodChoice {
 public:
  MethodChoice() : MethodChoice("bayes") {}
  explicit MethodChoice(std::string_view name);  // Error offers the names
  MethodChoice(const MethodChoice& other);
  MethodChoice& operator=(const MethodChoice& other);

  // The key `method`, then the keys of every method. Error: a method that this build is without.
  void read(Config& config);

  const AdaptationMethodKind& kind() const { return adaptation_methods()[chosen_]; }
  const MethodSettings& settings() const { return *settings_[chosen_]; }
  MethodSettings& settings() { return *settings_[chosen_]; }

  // Errors: a method that this build is without (`place` is where it was asked for), fewer sources than it needs or,
  // where it needs them, data sheets of the sources and of the target (`has_data_sheet`).
  void require_available(const std::string& place) const;
  void require_sources(const Sources& sources) const;
  void require_data_sheets(const Sources& sources, bool has_data_sheet) const;

 private:
  std::size_t chosen_ = 0;                                 // in adaptation_methods()
  std::vector<std::unique_ptr<MethodSettings>> settings_;  // of each of them
};

}  // namespace oneproxy
