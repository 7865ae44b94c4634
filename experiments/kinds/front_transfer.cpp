// Exhaustive search for Pareto-optimal architectures of each target device, three ways as in the paper:
//   target     its own front, on its measured latencies: the truth
//   proxy      front on the proxy's predicted latencies; its members are measured on the target, the dominated removed
//   adaproxy   the same with the proxy's predictor adapted to the target
#include <cmath>

#include "experiments/experiment.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/search/front.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace {

constexpr double kQuantiles[] = {0.10, 0.25, 0.50, 0.75};
constexpr const char* kQuantileNames[] = {"q10", "q25", "q50", "q75"};

struct FoundFront {
  std::string name;
  Front members;                     // on predicted latencies, before measuring
  std::vector<double> predicted_ms;  // of the members
  Front front;                       // after measuring and removal
  double hv_ratio = 0, recall = 0;
  std::int64_t measured = 0;    // measurements on the target: adaptation and members
  std::int64_t unmeasured = 0;  // members that the target's measurements do not have
  std::vector<Regret> regrets;  // at kQuantiles of the true latency

  // Whether `front` says what the members are worth: not where most of them were never measured.
  bool known() const { return 2 * unmeasured <= std::ssize(members); }
};

struct TargetOutcome {
  std::vector<FoundFront> fronts;    // target, proxy, adaproxy
  std::vector<double> predicted_ms;  // [n] by the adapted predictor
  Agreement before, after;
  std::vector<double> quantile_ms;
};

class FrontTransfer : public Experiment {
 public:
  FrontTransfer(Config& config, std::uint64_t seed) : seed_(seed), data_settings_(DataSettings::read(config)) {
    quality_name_ = config.text("quality", std::nullopt,
                                "what is maximised: metric:NAME, metric:SET:NAME, model:accuracy or model:macs");
    proxy_name_ = config.text("proxy", std::nullopt, "device whose predictor is reused and adapted");
    target_names_ =
        config.texts("targets", {"all"},
                     "devices, or metrics to be minimised (metric:energy), to search for; \"all\" devices of the set");
    const auto limits = config.limits(
        "limits", 0, 1e12, "limits on latency in ms, or on the metric in its unit, for which the best is reported");
    limit_unit_ = common_unit(limits, config.location("limits"));
    limits_at_ = config.location("limits");
    for (const auto& limit : limits) limits_ms_.push_back(limit.value);
    limits_ms_ = distinct_limits(limits_ms_);
    settings_ = AdaProxySettings::read(config);
  }

  std::vector<std::string> spaces() const override { return {data_settings_.space}; }

  void prepare(const Store& store) override {
    loaded_ = data_settings_.open(store, seed_);
    const auto& data = loaded_->data;
    quality_ = data.quality(quality_name_);
    if (quality_.is_stand_in)
      log_warning("quality = \"" + quality_name_ + "\": " + quality_.label +
                  " was never measured; docs/search.md says how well it ranks");
    proxy_name_ = data.expand({proxy_name_}, "proxy").front();
    proxy_ = data.series(proxy_name_);
    require_minimised(proxy_);
    target_names_ = data.expand(target_names_, "targets");
    for (const auto& name : target_names_) {
      targets_.push_back(data.series(name));
      require_minimised(targets_.back());
      if (!limit_unit_.empty() && !limits_ms_.empty() && targets_.back().unit != limit_unit_)
        throw Error(limits_at_ + ": limits in " + limit_unit_ + ", and " + name + " is in " + targets_.back().unit);
      require_samples(data, targets_.back(), settings_.budget);
      if (reference_point(targets_.back().values, quality_.values).latency_ms == -INFINITY)
        throw Error("device " + name + " and quality " + quality_name_ + " have no architecture in common");
    }
  }

  void run(Workspace& work) override {
    loaded_->label(*work.arrays);
    const auto& data = loaded_->data;
    ProxyPredictor proxy;
    Front proxy_members;
    {
      Timer timer(work.timings, "proxy predictor and front");
      proxy = fit_proxy(data, proxy_, work.backend);
      proxy_members = exact_front(proxy.predicted_ms, quality_.values, work.backend);
    }
    const auto order = measurement_order(data.n(), seed_, 0);
    std::vector<TargetOutcome> outcomes(targets_.size());
    {
      Timer timer(work.timings, "adaptation and search");
      Progress progress("searching", static_cast<std::int64_t>(targets_.size()), "devices");
      parallel_for(static_cast<std::int64_t>(targets_.size()), [&](std::int64_t t) {
        check_interrupt();
        outcomes[t] = search(proxy, proxy_members, targets_[t], order, work.backend);
        progress.advance();
      });
    }
    Timer timer(work.timings, "writing");
    write_arrays(work, proxy, outcomes);
    summarise(work, outcomes);
  }

 private:
  static void require_minimised(const Series& series) {
    if (series.maximised())
      throw Error(series.name +
                  " is to be maximised; a front lies between a quality and what is minimised: name it as "
                  "the quality, or search with kind = \"search\" and two objectives");
  }

  // That of all targets, "ms"; "" where they have several.
  std::string unit() const {
    const auto same = [&](const Series& target) { return target.unit == targets_.front().unit; };
    return std::all_of(targets_.begin(), targets_.end(), same) ? targets_.front().unit : std::string();
  }
  // "latency", or what else the targets are.
  std::string cost() const {
    const auto is_device = [](const Series& target) { return target.name.rfind("metric:", 0) != 0; };
    return std::all_of(targets_.begin(), targets_.end(), is_device) ? "latency" : "the targets' values";
  }

  TargetOutcome search(const ProxyPredictor& proxy, const Front& proxy_members, const Series& target,
                       std::span<const std::int64_t> order, Backend backend) const {
    const auto& data = loaded_->data;
    TargetOutcome outcome;
    const Trial trial = adapt_trial(data, proxy, target, settings_.budget, settings_.norm, order);
    outcome.predicted_ms = predict_rows(data, trial.adapted.predictor, backend);
    outcome.before = agreement(proxy_.values, target, {}, backend);
    outcome.after = agreement(outcome.predicted_ms, target, trial.measured, backend);

    // The truth spends a measurement on every architecture.
    FoundFront truth{"target", {}, {}, exact_front(target.values, quality_.values, backend), 1, 1, 0, 0, {}};
    truth.measured = target.n_known();
    truth.members = truth.front;
    for (const auto& point : truth.members) truth.predicted_ms.push_back(point.latency_ms);
    outcome.fronts.push_back(truth);

    auto add = [&](const std::string& name, const Front& members, std::int64_t spent) {
      FoundFront found{name, members, {}, measured_front(members, target.values, quality_.values), 0, 0, 0, 0, {}};
      for (const auto& member : members) {
        found.predicted_ms.push_back(member.latency_ms);
        found.unmeasured += std::isnan(target.values[member.row]);
      }
      found.measured = spent + static_cast<std::int64_t>(members.size());
      outcome.fronts.push_back(std::move(found));
    };
    add("proxy", proxy_members, 0);
    add("adaproxy", exact_front(outcome.predicted_ms, quality_.values, backend),
        static_cast<std::int64_t>(trial.measured.size()));

    const ReferencePoint reference = reference_point(target.values, quality_.values);
    const double whole = hypervolume(outcome.fronts[0].front, reference);
    for (const double q : kQuantiles) outcome.quantile_ms.push_back(quantile(target.values, q));
    for (auto& found : outcome.fronts) {
      if (!found.known()) {
        found.hv_ratio = found.recall = std::nan("");
        found.regrets.assign(std::size(kQuantiles), {std::nan(""), true});
        continue;
      }
      found.hv_ratio = hypervolume(found.front, reference) / whole;
      found.recall = recall(found.front, outcome.fronts[0].front);
      for (const double limit : outcome.quantile_ms)
        found.regrets.push_back(regret(found.front, outcome.fronts[0].front, limit, reference.quality));
    }
    return outcome;
  }

  void write_arrays(Workspace& work, const ProxyPredictor& proxy, const std::vector<TargetOutcome>& outcomes) const {
    auto& arrays = *work.arrays;
    const auto& data = loaded_->data;
    const auto architectures = architecture_strings(loaded_->space, data.rows().choices);
    arrays.axis("architecture", architectures, {"architecture", ""});
    arrays.write("choices", data.rows().choices, {"architecture", "decision"}, {"choice of each decision", "1"});
    if (!data.rows().official_index.empty())
      arrays.write("official_index", data.rows().official_index, {"architecture"}, {"published number", "1"});
    arrays.write("quality", quality_.values, {"architecture"}, {quality_.label, unit_of(quality_)});
    arrays.write("proxy_predicted_ms", proxy.predicted_ms, {"architecture"},
                 {"latency on " + proxy_name_ + ", predicted by the proxy", unit_of(proxy_)});
    for (const auto& [name, text] :
         {std::pair{"quality", quality_.label}, {"quality_unit", quality_.unit}, {"proxy", proxy_name_}})
      arrays.set_attribute("/", name, text);
    std::vector<std::string> labels, units;
    for (const auto& target : targets_) {
      const bool metric = target.name.rfind("metric:", 0) == 0;
      labels.push_back(metric ? target.label : "measured latency");
      units.push_back(target.unit);
    }
    arrays.axis("targets/name", target_names_, {"target", ""});
    arrays.write("targets/label", labels, "name", {"what is minimised on the target", ""});
    arrays.write("targets/unit", units, "name", {"unit of what is minimised", ""});
    for (std::size_t t = 0; t < targets_.size(); ++t) {
      const auto& name = target_names_[t];
      const auto about = [&](const std::string& how) { return About{how + " on " + name, unit_of(targets_[t])}; };
      arrays.write("latency_ms/" + name, targets_[t].values, {"architecture"}, about(labels[t]));
      arrays.write("predicted_ms/" + name, outcomes[t].predicted_ms, {"architecture"}, about("predicted by AdaProxy"));
      for (const auto& found : outcomes[t].fronts) {
        const std::string group = "fronts/" + name + "/" + found.name;
        write_front(arrays, group, found.front, architectures, about(labels[t]));
        Front members = found.members;
        for (auto& member : members) member.latency_ms = targets_[t].values[member.row];
        write_front(arrays, group + "/members", members, architectures, about(labels[t]));
        arrays.write(group + "/members/predicted_ms", found.predicted_ms, {"architecture"},
                     about("predicted by which the front was found"));
      }
    }
  }

  // That of a number without a unit is "1", as elsewhere in HDF5 files.
  static std::string unit_of(const Series& series) { return series.unit.empty() ? "1" : series.unit; }

  void write_front(LabelledArrays& arrays, const std::string& group, const Front& front,
                   const std::vector<std::string>& architectures, const About& cost) const {
    std::vector<std::int64_t> rows;
    std::vector<double> latency, quality;
    std::vector<std::string> own;
    for (const auto& point : front) {
      own.push_back(architectures[point.row]);
      rows.push_back(point.row);
      latency.push_back(point.latency_ms);
      quality.push_back(point.quality);
    }
    arrays.axis(group + "/architecture", own, {"architecture of the front", ""});
    arrays.write(group + "/row", rows, {"architecture"}, {"row of the set", "1"});
    arrays.write(group + "/latency_ms", latency, {"architecture"}, cost);
    arrays.write(group + "/quality", quality, {"architecture"}, {quality_.label, unit_of(quality_)});
  }

  void summarise(Workspace& work, const std::vector<TargetOutcome>& outcomes) {
    auto& summary = work.summary;
    const std::string remark = quality_.is_stand_in ? ", not a measured quality," : "";
    summary.set("n_architectures", loaded_->data.n());
    summary.set("quality", quality_.label);
    if (quality_.is_stand_in) summary.set("quality_is_stand_in", true);
    Table table({"target", "SRCC before", "after", "front", "measured", "hypervolume", "recall", "regret q10", "q25",
                 "q50", "q75"});
    double mean_hv[2] = {0, 0};
    std::int64_t n_known[2] = {0, 0};
    std::string infeasible;
    for (std::size_t t = 0; t < targets_.size(); ++t) {
      const auto& name = target_names_[t];
      const auto& outcome = outcomes[t];
      summary.set("srcc_before." + name, outcome.before.all);
      summary.set("srcc_after." + name, outcome.after.all);
      summary.set("srcc_after_unseen." + name, outcome.after.unseen);
      if (std::isnan(outcome.after.unseen))
        summary.set_reason("srcc_after_unseen." + name, "nothing to rank beyond the measurements of the adaptation");
      summary.set("samples." + name, std::int64_t{settings_.budget.total()});
      for (std::size_t f = 0; f < outcome.fronts.size(); ++f) {
        const auto& found = outcome.fronts[f];
        const std::string key = found.name + "." + name;
        summary.set("hv_ratio." + key, found.hv_ratio);
        summary.set("recall." + key, found.recall);
        summary.set("measured." + key, found.measured);
        summary.set("front_size." + key, static_cast<std::int64_t>(found.front.size()));
        if (found.unmeasured > 0) explain_unmeasured(work, key, found, targets_[t]);
        std::vector<std::string> cells = {name,
                                          fixed(outcome.before.all),
                                          fixed(outcome.after.all),
                                          found.name + " (" + std::to_string(found.front.size()) + ")",
                                          std::to_string(found.measured),
                                          fixed(found.hv_ratio, 4),
                                          fixed(found.recall, 2)};
        for (std::size_t q = 0; q < found.regrets.size(); ++q) {
          const std::string regret_key = "regret." + key + "." + kQuantileNames[q];
          summary.set(regret_key, found.regrets[q].points);
          cells.push_back(brief(found.regrets[q].points));
          if (!found.regrets[q].feasible) {
            cells.back() += "*";
            infeasible += (infeasible.empty() ? "" : ", ") + key + "." + kQuantileNames[q];
            summary.set_reason(regret_key, "no member within the limit: regret to the smallest quality");
          }
        }
        table.row(cells);
        for (const double limit : limits_ms_) {
          const FrontPoint* best = best_within(found.front, limit);
          summary.set("best_quality." + key + "." + key_number(limit), best ? best->quality : std::nan(""));
          if (!best)
            summary.set_reason("best_quality." + key + "." + key_number(limit), "no member within the limit");
          else
            summary.set("best_latency_ms." + key + "." + key_number(limit), best->latency_ms);
        }
        if (f > 0 && !std::isnan(found.hv_ratio)) {
          mean_hv[f - 1] += found.hv_ratio;
          ++n_known[f - 1];
        }
      }
    }
    summarise_largest_regret(work, outcomes);
    for (const int f : {0, 1}) {
      const std::string key = f == 0 ? "hv_ratio_mean.proxy" : "hv_ratio_mean.adaproxy";
      summary.set(key, mean_hv[f] / static_cast<double>(n_known[f]));
      if (n_known[f] == 0) summary.set_reason(key, "of no target is it known");
    }
    work.report += "Pareto fronts of " + quality_.label + " [" + quality_.unit + "]" + remark + " against " + cost() +
                   " over " + std::to_string(loaded_->data.n()) + " architectures of " + data_settings_.space +
                   " (set " + data_settings_.set + "), proxy " + proxy_name_ + ", p = " + to_string(settings_.norm) +
                   ". Fronts proxy and adaproxy were found on predictions, their members measured on the target "
                   "and the dominated removed. Measured: measurements spent on the target (adaptation and members). "
                   "Hypervolume and recall: relative to the target's own front. Regret: " +
                   quality_.unit + " lost at the 10, 25, 50 and 75 % quantiles of the target.\n\n" + table.markdown();
    if (!infeasible.empty()) {
      work.report += "\n`*` no member within the limit, regret to the smallest quality.\n";
      log_warning("no member within the latency limit for regret of " + infeasible);
    }
    for (const auto& sentence : unmeasured_) work.report += "\n" + sentence + ".\n";
    work.report += "\n" + largest_regrets_;
    if (!limits_ms_.empty()) work.report += limits_table(outcomes);
  }

  // Members are looked up among what was measured on the target; those of a device with few measurements are not there.
  void explain_unmeasured(Workspace& work, const std::string& key, const FoundFront& found, const Series& target) {
    auto& summary = work.summary;
    const std::string text = std::to_string(found.unmeasured) + " of the " + std::to_string(found.members.size()) +
                             " architectures of this front were not measured on " + target.name + ", which has " +
                             std::to_string(target.n_known()) + " of the " + std::to_string(loaded_->data.n()) +
                             " in common with set " + data_settings_.set +
                             (found.known() ? "" : "; measure them, or search with oneproxy adapt and oneproxy search");
    summary.set("unmeasured." + key, found.unmeasured);
    summary.set_reason("hv_ratio." + key, text);
    if (!found.known()) {
      const std::string most = "most of the front was not measured: see hv_ratio." + key + ".reason";
      summary.set_reason("recall." + key, most);
      for (const char* quantile : kQuantileNames) summary.set_reason("regret." + key + "." + quantile, most);
      log_warning("front of " + key + ": " + text);
    }
    unmeasured_.push_back("Front " + key + ": " + text);
  }

  // What reusing a front costs at worst, over all targets and limits at which it has a member.
  void summarise_largest_regret(Workspace& work, const std::vector<TargetOutcome>& outcomes) {
    for (std::size_t f = 1; f < outcomes[0].fronts.size(); ++f) {
      const auto& name = outcomes[0].fronts[f].name;
      double largest = 0;
      std::string where = "nowhere";
      bool known = false;
      for (std::size_t t = 0; t < targets_.size(); ++t) {
        const auto& regrets = outcomes[t].fronts[f].regrets;
        known |= outcomes[t].fronts[f].known();
        for (std::size_t q = 0; q < regrets.size(); ++q)
          if (regrets[q].feasible && regrets[q].points > largest) {
            largest = regrets[q].points;
            where = target_names_[t] + " at " + kQuantileNames[q];
          }
      }
      if (!known) largest = std::nan("");
      work.summary.set("largest_regret." + name, largest);
      if (!known) work.summary.set_reason("largest_regret." + name, "of no target is it known");
      work.summary.set("largest_regret_at." + name, where);
      largest_regrets_ += "The most that the front of " + name + " loses: " + brief(largest) + " " + quality_.unit +
                          " (" + where + ").\n";
    }
  }

  std::string limits_table(const std::vector<TargetOutcome>& outcomes) const {
    const std::string of_unit = unit().empty() ? "" : " [" + unit() + "]";
    const std::string found_in = cost() == "latency" ? "latency" : "value";
    Table table({"target", "limit" + of_unit, "front", "best " + quality_.label, found_in + of_unit, "architecture"});
    for (std::size_t t = 0; t < targets_.size(); ++t)
      for (const double limit : limits_ms_)
        for (const auto& found : outcomes[t].fronts) {
          const FrontPoint* best = best_within(found.front, limit);
          table.row({target_names_[t], key_number(limit), found.name,
                     best ? plain(best->quality) : "none within the limit", best ? fixed(best->latency_ms) : "-",
                     best ? "`" + loaded_->space.to_string(loaded_->data.rows().row(best->row)) + "`" : "-"});
        }
    return "\nBest under limits:\n\n" + table.markdown();
  }

  std::uint64_t seed_;
  DataSettings data_settings_;
  AdaProxySettings settings_;
  std::string quality_name_, proxy_name_, largest_regrets_;
  std::vector<std::string> unmeasured_;  // sentences on fronts that were not all measured
  std::vector<std::string> target_names_;
  std::vector<double> limits_ms_;
  std::string limit_unit_, limits_at_;  // as they were written, and where
  std::unique_ptr<SpaceData> loaded_;
  Series quality_, proxy_;
  std::vector<Series> targets_;
};

}  // namespace

std::unique_ptr<Experiment> read_front_transfer(Config& config, std::uint64_t seed) {
  return std::make_unique<FrontTransfer>(config, seed);
}

}  // namespace oneproxy
