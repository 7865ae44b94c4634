// Few-shot adaptation: each task has source devices with plenty of measurements and target devices with a handful.
// Reports the SRCC over the targets, the same method without sources and without physical features, the SRCC that the
// method itself expected, and published figures beside.
#include <algorithm>

#include "experiments/experiment.h"
#include "experiments/kinds/few_shot/report.h"
#include "experiments/kinds/few_shot/settings.h"
#include "experiments/kinds/few_shot/task.h"
#include "experiments/kinds/few_shot/trials.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

class FewShot : public Experiment {
 public:
  FewShot(Config& config, std::uint64_t seed) : settings_(few_shot::read_tasks(config, seed)) {}

  std::vector<std::string> spaces() const override { return spaces_of(settings_); }

  void prepare(const Store& store) override {
    if (settings_.empty())
      throw Error("few_shot: the configuration has no [[task]] with name, space, sources and targets");
    tasks_ = few_shot::open_tasks(store, settings_);
  }

  // Selections that do not ship.
  std::string other_data() const override {
    std::string all;
    for (const auto& task : tasks_)
      if (const auto version = selection_version(task.settings.design.selection); !version.empty())
        all += "# selection " + std::string(to_string(task.settings.design.selection)) + " " + version + "\n";
    return all;
  }

  std::string why_not_shared() const override { return ""; }

  void run(Workspace& work) override {
    SharedUnits units(work.sharing, work.identity);
    for (auto& task : tasks_) {
      Timer timer(work.timings, "task " + task.settings.name);
      few_shot::run_trials(task, units);
      check_interrupt();
    }
    if (!work.sharing.is_part()) few_shot::write_report(work, tasks_);
  }

 private:
  std::vector<few_shot::Settings> settings_;
  std::vector<few_shot::Task> tasks_;
};

}  // namespace

std::unique_ptr<Experiment> read_few_shot(Config& config, std::uint64_t seed) {
  return std::make_unique<FewShot>(config, seed);
}

}  // namespace oneproxy
