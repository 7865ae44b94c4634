// Do limits hold? Every device in turn is the target of an adaptation with a handful of measurements, networks are
// searched under its predictor with limits on the predicted latency and with limits that are to hold with a confidence,
// and what is answered is looked up: did it keep its limit, and what quality did that cost?
#include "experiments/experiment.h"
#include "experiments/kinds/limits_kept/report.h"
#include "experiments/kinds/limits_kept/settings.h"
#include "experiments/kinds/limits_kept/task.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

class LimitsKept : public Experiment {
 public:
  LimitsKept(Config& config, std::uint64_t seed) : settings_(limits_kept::read_tasks(config, seed)) {}

  std::vector<std::string> spaces() const override { return spaces_of(settings_); }

  void prepare(const Store& store) override {
    if (settings_.empty()) throw Error("limits_kept: the configuration has no [[task]] with name, space and quality");
    tasks_ = limits_kept::open_tasks(store, settings_);
  }

  void run(Workspace& work) override {
    for (auto& task : tasks_) {
      Timer timer(work.timings, "task " + task.settings.name);
      limits_kept::run_trials(task);
      check_interrupt();
    }
    limits_kept::write_report(work, tasks_);
  }

 private:
  std::vector<limits_kept::Settings> settings_;
  std::vector<limits_kept::Task> tasks_;
};

}  // namespace

std::unique_ptr<Experiment> read_limits_kept(Config& config, std::uint64_t seed) {
  return std::make_unique<LimitsKept>(config, seed);
}

}  // namespace oneproxy
