// Which description of a device predicts its latencies best, from how many measurements: its data sheet, the latencies
// of reference networks, where it lies among other devices, the weights of its adapted predictor. Each device in turn
// is left out, then each family of devices.
#include <algorithm>

#include "experiments/experiment.h"
#include "experiments/kinds/device_features/report.h"
#include "experiments/kinds/device_features/settings.h"
#include "experiments/kinds/device_features/task.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

class DeviceFeatures : public Experiment {
 public:
  DeviceFeatures(Config& config, std::uint64_t seed) : settings_(device_features::read_settings(config, seed)) {}

  std::vector<std::string> spaces() const override { return spaces_of(settings_.tasks); }

  void prepare(const Store& store) override {
    if (settings_.features.empty())
      throw Error("device_features: the configuration has no [[feature]] with name and method; nothing is compared");
    if (settings_.tasks.empty())
      throw Error("device_features: the configuration has no [[task]] with name and space; nothing is predicted");
    tasks_ = device_features::open_tasks(store, settings_);
  }

  void run(Workspace& work) override {
    for (auto& task : tasks_) {
      Timer timer(work.timings, "task " + task.settings.name);
      device_features::run_trials(task, settings_);
      check_interrupt();
    }
    device_features::write_report(work, tasks_, settings_);
  }

 private:
  device_features::Settings settings_;
  std::vector<device_features::Task> tasks_;
};

}  // namespace

std::unique_ptr<Experiment> read_device_features(Config& config, std::uint64_t seed) {
  return std::make_unique<DeviceFeatures>(config, seed);
}

}  // namespace oneproxy
