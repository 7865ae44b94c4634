// How many measurements does the front need? Every device in turn is the target, its table answers as the device would:
// the loop that measures where the answer is (engine/front_loop) beside a plan with one adaptation whose front is then
// measured, AdaProxy, and random networks; hypervolume and regret against the number of measurements.
#include "experiments/experiment.h"
#include "experiments/kinds/front_loop/report.h"
#include "experiments/kinds/front_loop/settings.h"
#include "experiments/kinds/front_loop/task.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

class FrontLoopExperiment : public Experiment {
 public:
  FrontLoopExperiment(Config& config, std::uint64_t seed) : settings_(front_loop::read_tasks(config, seed)) {}

  std::vector<std::string> spaces() const override { return spaces_of(settings_); }

  void prepare(const Store& store) override {
    if (settings_.empty()) throw Error("front_loop: the configuration has no [[task]] with name, space and qualities");
    tasks_ = front_loop::open_tasks(store, settings_);
  }

  void run(Workspace& work) override {
    for (auto& task : tasks_) {
      Timer timer(work.timings, "task " + task.settings.name);
      front_loop::run_trials(task);
      check_interrupt();
    }
    front_loop::write_report(work, tasks_);
  }

 private:
  std::vector<front_loop::Settings> settings_;
  std::vector<front_loop::Task> tasks_;
};

}  // namespace

std::unique_ptr<Experiment> read_front_loop(Config& config, std::uint64_t seed) {
  return std::make_unique<FrontLoopExperiment>(config, seed);
}

}  // namespace oneproxy
