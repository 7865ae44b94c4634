// AdaProxy: one proxy's linear latency predictor, adapted to each target with few measurements. Reports the
// SRCC before and after, against the number of samples, and what measuring in rounds would have done.
#include <cmath>

#include "experiments/experiment.h"
#include "oneproxy/engine/adapt/adaproxy/rounds.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/predictor/linear_fit.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/share/shared_units.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

constexpr double kStrong = 0.9;  // the paper's rule

// One draw of samples; NaN where a device has not enough measurements.
struct TrialOutcome {
  double after = 0, unseen = 0;
  std::vector<double> curve;  // [sizes]
  double rounds_after = std::nan(""), rounds_spent = std::nan("");
  bool reached = false, false_stop = false;
};

struct TargetOutcome {
  double before = 0;
  std::string before_reason;
  double ceiling = 0;                              // SRCC of a linear predictor fitted on all of the target's latencies
  std::vector<double> after, unseen;               // [trials]
  std::vector<std::vector<double>> curve;          // [sizes, trials]
  std::vector<double> rounds_after, rounds_spent;  // [trials]
  int reached = 0, false_stops = 0;
};

class Adaproxy : public Experiment {
 public:
  Adaproxy(Config& config, std::uint64_t seed) : seed_(seed), data_settings_(DataSettings::read(config)) {
    proxy_name_ = config.text("proxy", std::nullopt, "device whose predictor is adapted");
    target_names_ = config.texts("targets", {"all"}, "devices to adapt to; \"all\" of the set but the proxy");
    settings_ = AdaProxySettings::read(config);
    trials_ = static_cast<int>(config.integer("trials", 20, 1, 100000, "repetitions with other random samples"));
    curve_ = config.integers("curve", {20, 30, 50, 70, 100, 150, 200}, 8, 1000000,
                             "numbers of samples (training + validation) of the SRCC curve; [] for none");
    plan_.threshold = config.number("threshold", 0.9, 0, 1, "SRCC at which measuring in rounds stops; 0: no rounds");
    plan_.check_samples = static_cast<int>(
        config.integer("samples_check", 20, 5, 1000000, "fresh measurements of a round that decide whether to stop"));
    plan_.max_samples =
        static_cast<int>(config.integer("samples_max", 200, 10, 1000000, "cap on the measurements of the rounds"));
    plan_.training_samples = settings_.budget.training;
    plan_.validation_samples = settings_.budget.validation;
    const int smallest = settings_.budget.total() + plan_.check_samples;
    if (plan_.threshold > 0 && plan_.max_samples < smallest)
      throw Error(config.location("samples_max") + ": samples_max = " + std::to_string(plan_.max_samples) +
                  " is below samples_train + samples_validation + samples_check = " + std::to_string(smallest));
  }

  std::vector<std::string> spaces() const override { return {data_settings_.space}; }

  void prepare(const Store& store) override {
    loaded_ = data_settings_.open(store, seed_);
    const auto& data = loaded_->data;
    proxy_name_ = data.expand({proxy_name_}, "proxy").front();
    target_names_ = data.expand(target_names_, "targets");
    std::erase(target_names_, proxy_name_);
    if (target_names_.empty()) throw Error("targets: there is no target besides the proxy " + proxy_name_);
    proxy_ = data.device(proxy_name_);
    for (const auto& name : target_names_) {
      targets_.push_back(data.device(name));
      require_samples(data, targets_.back(), settings_.budget);
    }
  }

  std::string why_not_shared() const override { return ""; }

  void run(Workspace& work) override {
    loaded_->label(*work.arrays);
    const auto& data = loaded_->data;
    ProxyPredictor proxy;
    {
      Timer timer(work.timings, "proxy predictor");
      proxy = fit_proxy(data, proxy_, work.backend);
    }
    std::vector<TargetOutcome> outcomes(targets_.size());
    {
      Timer timer(work.timings, "adaptation");
      adapt_all(work, proxy, outcomes);
    }
    if (!work.sharing.is_part()) write(work, outcomes);
  }

 private:
  void adapt_all(Workspace& work, const ProxyPredictor& proxy, std::vector<TargetOutcome>& outcomes) {
    const auto& data = loaded_->data;
    SharedUnits units(work.sharing, work.identity);
    const auto trials = units.run(
        {"trials", "adapting", "trials", static_cast<std::int64_t>(targets_.size()) * trials_}, [&](std::int64_t unit) {
          return packed(adapt_to(targets_[unit / trials_], proxy, static_cast<int>(unit % trials_)));
        });
    if (work.sharing.is_part()) return;
    for (std::size_t t = 0; t < targets_.size(); ++t) {
      check_interrupt();
      auto& outcome = outcomes[t];
      const auto before = spearman(proxy_.values, targets_[t].values, work.backend);
      outcome.before = before.value;
      outcome.before_reason = to_string(before.reason);
      const auto own = fit_linear(data.space(), data.rows().choices, targets_[t].values);
      outcome.ceiling = spearman(predict_rows(data, own, work.backend), targets_[t].values, work.backend).value;
      outcome.curve.resize(curve_.size());
      for (int i = 0; i < trials_; ++i) {
        const auto trial = unpacked(trials[t * trials_ + i]);
        outcome.after.push_back(trial.after);
        outcome.unseen.push_back(trial.unseen);
        outcome.rounds_after.push_back(trial.rounds_after);
        outcome.rounds_spent.push_back(trial.rounds_spent);
        outcome.reached += trial.reached;
        outcome.false_stops += trial.false_stop;
        for (std::size_t size = 0; size < curve_.size(); ++size) outcome.curve[size].push_back(trial.curve[size]);
      }
    }
  }

  TrialOutcome adapt_to(const Series& target, const ProxyPredictor& proxy, int trial) const {
    const auto& data = loaded_->data;
    TrialOutcome outcome;
    const auto order = measurement_order(data.n(), seed_, trial);
    auto srcc_after = [&](const SampleBudget& budget) {
      const Trial one = adapt_trial(data, proxy, target, budget, settings_.norm, order);
      return agreement(predict_rows(data, one.adapted.predictor, Backend::cpu), target, one.measured, Backend::cpu);
    };
    const auto headline = srcc_after(settings_.budget);
    outcome.after = headline.all;
    outcome.unseen = headline.unseen;
    for (const auto size : curve_) {
      const int total = static_cast<int>(size);
      const int validation = std::clamp(total / 4, 2, settings_.budget.validation);
      outcome.curve.push_back(target.n_known() >= total ? srcc_after({total - validation, validation}).all
                                                        : std::nan(""));
    }
    if (plan_.threshold > 0 &&
        target.n_known() >= plan_.training_samples + plan_.validation_samples + plan_.check_samples) {
      const auto rounds = adapt_in_rounds(
          proxy.predictor, proxy.deviation, settings_.norm, plan_, order,
          [&](std::int64_t row) { return data.rows().row(row); },
          [&](std::span<const std::int64_t> rows) {
            std::vector<double> latency;
            for (const auto row : rows) latency.push_back(target.values[row]);
            return latency;
          });
      outcome.rounds_after =
          agreement(predict_rows(data, rounds.adapted.predictor, Backend::cpu), target, rounds.measured, Backend::cpu)
              .all;
      outcome.rounds_spent = static_cast<double>(rounds.measured.size());
      outcome.reached = rounds.reached;
      outcome.false_stop = rounds.reached && outcome.rounds_after < plan_.threshold;
    }
    return outcome;
  }

  static UnitResult packed(const TrialOutcome& one) {
    UnitResult result{
        {one.after, one.unseen, one.rounds_after, one.rounds_spent, double(one.reached), double(one.false_stop)}};
    result.numbers.insert(result.numbers.end(), one.curve.begin(), one.curve.end());
    return result;
  }
  static TrialOutcome unpacked(const UnitResult& result) {
    const auto& n = result.numbers;
    return {n.at(0), n.at(1), {n.begin() + 6, n.end()}, n.at(2), n.at(3), n.at(4) != 0, n.at(5) != 0};
  }

  void write(Workspace& work, const std::vector<TargetOutcome>& outcomes) {
    auto& summary = work.summary;
    Table table({"target", "SRCC before", "after", "10-90 % of trials", "unseen", "additive ceiling", "in rounds",
                 "measured", "stopped"});
    std::vector<double> before, after, curve;
    int reached = 0, false_stops = 0, strong = 0, strong_before = 0;
    double sum = 0;
    for (std::size_t t = 0; t < targets_.size(); ++t) {
      const auto& name = target_names_[t];
      const auto& outcome = outcomes[t];
      const auto all = statistics(outcome.after), unseen = statistics(outcome.unseen);
      const auto rounds = statistics(outcome.rounds_after), spent = statistics(outcome.rounds_spent);
      summary.set("srcc_before." + name, outcome.before);
      if (!outcome.before_reason.empty()) summary.set_reason("srcc_before." + name, outcome.before_reason);
      summary.set("srcc_after." + name, all.mean);
      summary.set("srcc_after_q10." + name, all.q10);
      summary.set("srcc_after_q90." + name, all.q90);
      summary.set("srcc_after_unseen." + name, unseen.mean);
      if (std::isnan(unseen.mean))
        summary.set_reason("srcc_after_unseen." + name, "fewer than two unseen measurements");
      summary.set("samples." + name, std::int64_t{settings_.budget.total()});
      summary.set("additive_ceiling." + name, outcome.ceiling);
      if (plan_.threshold > 0) {
        summary.set("rounds.srcc_after." + name, rounds.mean);
        summary.set("rounds.samples." + name, spent.mean);
        summary.set("rounds.stopped." + name, std::int64_t{outcome.reached});
        summary.set("rounds.false_stops." + name, std::int64_t{outcome.false_stops});
      }
      table.row({name, fixed(outcome.before), fixed(all.mean), fixed(all.q10) + " - " + fixed(all.q90),
                 fixed(unseen.mean), fixed(outcome.ceiling), plan_.threshold > 0 ? fixed(rounds.mean) : "-",
                 plan_.threshold > 0 ? fixed(spent.mean, 0) : "-",
                 plan_.threshold > 0 ? std::to_string(outcome.reached) + " of " + std::to_string(trials_) : "-"});
      before.push_back(outcome.before);
      after.insert(after.end(), outcome.after.begin(), outcome.after.end());
      for (const auto& size : outcome.curve) curve.insert(curve.end(), size.begin(), size.end());
      reached += outcome.reached;
      false_stops += outcome.false_stops;
      sum += all.mean;
      strong += all.mean >= kStrong;
      strong_before += outcome.before >= kStrong;
    }
    const auto t = static_cast<std::int64_t>(targets_.size());
    summary.set("trials", std::int64_t{trials_});
    summary.set("srcc_after_mean", sum / static_cast<double>(t));
    summary.set("strong_before", std::int64_t{strong_before});
    summary.set("strong_after", std::int64_t{strong});
    if (plan_.threshold > 0) {
      summary.set("rounds.stopped", std::int64_t{reached});
      summary.set("rounds.false_stop_rate", reached ? static_cast<double>(false_stops) / reached : std::nan(""));
      if (!reached) summary.set_reason("rounds.false_stop_rate", "no trial reached the threshold");
    }
    auto& arrays = *work.arrays;
    arrays.axis("devices", target_names_, {"target device", ""});
    arrays.numbered_axis("trial", trials_, "repetition with other random samples");
    arrays.write("srcc_before", before, {"devices"}, {"SRCC of the latencies of proxy and target", "1"});
    arrays.write("srcc_after", after, {"devices", "trial"},
                 {"SRCC of the adapted predictions with the target's latencies", "1"});
    if (!curve_.empty()) {
      arrays.axis("curve_samples", curve_, {"measured architectures of the target", "1"});
      arrays.write("curve_srcc", curve, {"devices", "curve_samples", "trial"},
                   {"SRCC after adaptation with so many measurements", "1"});
    }
    arrays.set_attribute("/", "proxy", proxy_name_);
    work.report += "The linear latency predictor of " + proxy_name_ + " (space " + data_settings_.space + ", set " +
                   data_settings_.set + ") adapted to each target with " + std::to_string(settings_.budget.training) +
                   " training and " + std::to_string(settings_.budget.validation) +
                   " validation measurements, p = " + to_string(settings_.norm) + "; mean over " +
                   std::to_string(trials_) +
                   " draws of the samples. Before: SRCC of the measured latencies of proxy and target. After: SRCC of "
                   "the adapted predictions with the target's latencies, over all architectures and over those that "
                   "were not measured. Ceiling: an additive predictor fitted on all of the target's latencies.\n\n" +
                   table.markdown();
    if (plan_.threshold > 0)
      work.report += "\nIn rounds: " + std::to_string(plan_.check_samples) +
                     " fresh measurements decide after each fit whether the SRCC reaches " + plain(plan_.threshold) +
                     "; at most " + std::to_string(plan_.max_samples) + " measurements. " + std::to_string(reached) +
                     " of " + std::to_string(t * trials_) + " trials stopped early, " + std::to_string(false_stops) +
                     " of these although the SRCC over all architectures is below the threshold.\n";
  }

  std::uint64_t seed_;
  DataSettings data_settings_;
  AdaProxySettings settings_;
  RoundsPlan plan_;
  std::string proxy_name_;
  std::vector<std::string> target_names_;
  int trials_ = 0;
  std::vector<std::int64_t> curve_;
  std::unique_ptr<SpaceData> loaded_;
  Series proxy_;
  std::vector<Series> targets_;
};

}  // namespace

std::unique_ptr<Experiment> read_adaproxy(Config& config, std::uint64_t seed) {
  return std::make_unique<Adaproxy>(config, seed);
}

}  // namespace oneproxy
