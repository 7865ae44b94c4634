// Which device should be the proxy of a fleet? Every device as the proxy of every other, as it is and adapted with a
// few measurements; the best single proxy, the fewest that serve all, and what they save.
#include <algorithm>
#include <cmath>
#include <limits>

#include "experiments/experiment.h"
#include "experiments/kinds/lookup_trial.h"
#include "oneproxy/engine/adapt/design/cover.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/share/shared_units.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kMaxSets = 2000000;  // tried for the fewest proxies
const double kNan = std::numeric_limits<double>::quiet_NaN();

class ProxySweep : public Experiment {
 public:
  ProxySweep(Config& config, std::uint64_t seed) : seed_(seed), data_settings_(DataSettings::read(config)) {
    names_ = config.texts("devices", {"all"}, "the fleet; \"all\" of the set");
    method_.read(config);
    budgets_ = config.integers("budgets", {10, 20, 70}, 3, 5000, "measurements of a target, one matrix each");
    trials_ = static_cast<int>(config.integer("trials", 3, 1, 10000, "repetitions with other samples"));
    samples_proxy_ = config.integer("samples_proxy", 900, 10, 1000000, "measurements of a proxy device");
    threshold_ = config.number("threshold", 0.9, 0, 1, "SRCC from which a proxy serves a target");
    design_.selection = parse_selection(
        config.one_of("selection", "a_optimal", selection_names(), "how the target's samples are chosen"));
    auto sorted = budgets_;
    std::sort(sorted.begin(), sorted.end());
    if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
      throw Error(config.location("budgets") + ": budgets names " + std::to_string(*twice) + " twice; once is enough");
    if (budgets_.empty()) throw Error(config.location("budgets") + ": give at least one number of measurements");
  }

  std::vector<std::string> spaces() const override { return {data_settings_.space}; }

  void prepare(const Store& store) override {
    loaded_ = data_settings_.open(store, seed_);
    names_ = loaded_->data.expand(names_, "devices");
    if (names_.size() < 2) throw Error("devices: a fleet has at least two devices");
    const auto max_budget = *std::max_element(budgets_.begin(), budgets_.end());
    for (const auto& name : names_) {
      devices_.push_back(loaded_->data.device(name));
      const auto known = devices_.back().n_known();
      for (const auto& [key, asked] : {std::pair("budgets", max_budget), std::pair("samples_proxy", samples_proxy_)})
        if (known < asked)
          throw Error("device " + name + " has " + std::to_string(known) + " measurements, " + key + " asks for " +
                      std::to_string(asked));
    }
    features_ = std::make_shared<ArchitectureFeatures>(loaded_->space);
    archs_ = std::make_unique<Architectures>(*features_, loaded_->data.rows().choices);
  }

  std::string other_data() const override {
    const auto version = selection_version(design_.selection);
    return version.empty() ? "" : "# selection " + std::string(to_string(design_.selection)) + " " + version + "\n";
  }

  std::string why_not_shared() const override { return ""; }

  void run(Workspace& work) override {
    loaded_->label(*work.arrays);
    const auto d = static_cast<std::int64_t>(devices_.size());
    const auto budgets = static_cast<std::int64_t>(budgets_.size());
    SharedUnits units(work.sharing, work.identity);
    const auto each = units.run({"sweeps", "sweeping proxies", "proxies", d * trials_}, [&](std::int64_t unit) {
      return UnitResult{sweep(static_cast<int>(unit / trials_), static_cast<int>(unit % trials_))};
    });
    if (work.sharing.is_part()) return;
    std::vector<std::span<const double>> columns;
    for (const auto& device : devices_) columns.emplace_back(device.values);
    before_ = spearman_matrix(columns, work.backend).value;
    after_.assign(budgets, std::vector<double>(d * d, 1.0));
    for (std::int64_t b = 0; b < budgets; ++b)
      for (std::int64_t pair = 0; pair < d * d; ++pair) {
        const auto proxy = pair / d, target = pair % d;
        if (proxy == target) continue;
        double sum = 0;
        for (int t = 0; t < trials_; ++t) sum += each[proxy * trials_ + t].numbers.at(b * d + target);
        after_[b][pair] = sum / trials_;
      }
    write(work);
  }

 private:
  // SRCC [budgets, targets] of one proxy, adapted; NaN for itself.
  std::vector<double> sweep(int proxy, int trial) const {
    const auto d = static_cast<std::int64_t>(devices_.size());
    std::vector<double> srcc(budgets_.size() * d, kNan);
    const Sources sources(features_, {draw_source(loaded_->data, devices_[proxy], samples_proxy_, seed_,
                                                  static_cast<std::uint32_t>(trial * 1000 + proxy))});
    const auto& settings = method_.settings();
    const LookupTrial lookup(*archs_, sources, settings, settings.learn(sources, seed_), design_, seed_, trial);
    for (std::size_t b = 0; b < budgets_.size(); ++b) {
      const int k = static_cast<int>(budgets_[b]);
      const auto order = lookup.measuring_order(k);
      for (std::int64_t target = 0; target < d; ++target) {
        if (target == proxy) continue;
        const auto adapted = lookup.adapt(devices_[target], order, k);
        srcc[b * d + target] = spearman(adapted.latency_ms, devices_[target].values, Backend::cpu).value;
      }
    }
    return srcc;
  }

  void write(Workspace& work) {
    const int d = static_cast<int>(devices_.size());
    auto& summary = work.summary;
    auto& arrays = *work.arrays;
    arrays.axis("devices", names_, {"device as the proxy", ""});
    arrays.axis("target", names_, {"device as the target", ""});
    arrays.write("srcc", before_, {"devices", "target"}, {"SRCC of the latencies of proxy and target", "1"});
    std::vector<double> after;
    for (const auto& one : after_) after.insert(after.end(), one.begin(), one.end());
    arrays.axis("sweep_budgets", budgets_, {"measured architectures of a target", "1"});
    arrays.write("sweep_srcc", after, {"sweep_budgets", "devices", "target"},
                 {"SRCC of the adapted proxy with the target's latencies, mean of the trials", "1"});
    summary.set("n_devices", std::int64_t{d});
    work.report += std::to_string(d) + " devices of " + data_settings_.space + " (set " + data_settings_.set +
                   "), each as the proxy of every other; method " + method_.kind().name + ", " +
                   to_string(design_.selection) + " selection, mean of " + std::to_string(trials_) +
                   " trials. A proxy serves a target when the SRCC with the target's latencies is at least " +
                   plain(threshold_) + ".\n\n";

    Table fleet({"measurements a target", "mean SRCC", "worst pair", "pairs served", "best proxy", "it serves",
                 "its worst", "fewest proxies", "measurements in all", "saved"});
    for (int b = -1; b < static_cast<int>(budgets_.size()); ++b) {
      const auto& srcc = b < 0 ? before_ : after_[b];
      const std::int64_t budget = b < 0 ? 0 : budgets_[b];
      std::vector<char> serves(d * d);
      double sum = 0, worst = 1, served = 0;
      int best = 0, best_count = -1;
      double best_mean = 0, best_worst = 0;
      for (int p = 0; p < d; ++p) {
        int count = 0;
        double mean = 0, lowest = 1;
        for (int t = 0; t < d; ++t) {
          const double value = srcc[p * d + t];
          serves[p * d + t] = p == t || value >= threshold_;
          if (p == t) continue;
          count += value >= threshold_;
          mean += value / (d - 1);
          lowest = std::min(lowest, value);
        }
        sum += mean / d;
        worst = std::min(worst, lowest);
        served += count;
        if (count > best_count || (count == best_count && mean > best_mean))
          best = p, best_count = count, best_mean = mean, best_worst = lowest;
      }
      auto cover = smallest_cover(serves, d, kMaxSets);
      if (cover.proxies.size() == 1) cover.proxies = {best};  // of several that serve all, the best one
      std::vector<std::string> proxies;
      for (const int p : cover.proxies) proxies.push_back(names_[p]);
      const auto k = static_cast<std::int64_t>(proxies.size());
      const std::int64_t all = k * samples_proxy_ + (d - k) * budget, each = d * samples_proxy_;
      const std::string suffix = "." + std::to_string(budget);
      summary.set("srcc_mean" + suffix, sum);
      summary.set("srcc_worst" + suffix, worst);
      summary.set("served_share" + suffix, served / (d * (d - 1.0)));
      summary.set("best_proxy" + suffix, names_[best]);
      summary.set("best_proxy_serves" + suffix, std::int64_t{best_count});
      summary.set("proxies_needed" + suffix, k);
      summary.set("proxies_exact" + suffix, cover.exact);
      summary.set("proxies" + suffix, join(proxies));
      summary.set("measurements" + suffix, all);
      summary.set("saved_share" + suffix, 1 - static_cast<double>(all) / static_cast<double>(each));
      fleet.row({std::to_string(budget), fixed(sum), fixed(worst), fixed(100 * served / (d * (d - 1.0)), 0) + " %",
                 names_[best], std::to_string(best_count) + " of " + std::to_string(d - 1), fixed(best_worst),
                 std::to_string(k) + (cover.exact ? ": " : " (greedy): ") + join(proxies), std::to_string(all),
                 fixed(100 - 100.0 * static_cast<double>(all) / static_cast<double>(each), 0) + " %"});
    }
    work.report += fleet.markdown() +
                   "\n0 measurements: the proxy's own latencies. Fewest proxies: every device is a " +
                   "proxy or served by one. Measurements in all: " + std::to_string(samples_proxy_) +
                   " of each proxy and the target's own; saved against " + std::to_string(samples_proxy_) +
                   " of every device.\n\n";

    std::vector<std::string> header = {"proxy", "serves as it is", "mean SRCC"};
    for (const auto budget : budgets_) {
      header.push_back("serves at " + std::to_string(budget));
      header.push_back("mean SRCC at " + std::to_string(budget));
    }
    Table table(header);
    for (int p = 0; p < d; ++p) {
      std::vector<std::string> cells = {names_[p]};
      for (int b = -1; b < static_cast<int>(budgets_.size()); ++b) {
        const auto& srcc = b < 0 ? before_ : after_[b];
        int count = 0;
        double mean = 0;
        for (int t = 0; t < d; ++t) {
          if (t == p) continue;
          count += srcc[p * d + t] >= threshold_;
          mean += srcc[p * d + t] / (d - 1);
        }
        cells.push_back(std::to_string(count));
        cells.push_back(fixed(mean));
      }
      table.row(cells);
    }
    work.report += table.markdown();
  }

  std::uint64_t seed_;
  DataSettings data_settings_;
  std::vector<std::string> names_;
  MethodChoice method_;
  std::vector<std::int64_t> budgets_;
  int trials_ = 0;
  std::int64_t samples_proxy_ = 0;
  double threshold_ = 0.9;
  DesignSettings design_;
  std::unique_ptr<SpaceData> loaded_;
  std::shared_ptr<const ArchitectureFeatures> features_;
  std::unique_ptr<Architectures> archs_;
  std::vector<Series> devices_;
  std::vector<double> before_;
  std::vector<std::vector<double>> after_;
};

}  // namespace

std::unique_ptr<Experiment> read_proxy_sweep(Config& config, std::uint64_t seed) {
  return std::make_unique<ProxySweep>(config, seed);
}

}  // namespace oneproxy
