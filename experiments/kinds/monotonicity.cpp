// Latency monotonicity: the D x D matrix of Spearman's rank correlation (SRCC) between devices, and what
// follows from the paper's rule that an SRCC of 0.9 is strong enough to reuse the proxy's optima.
#include <algorithm>
#include <cmath>
#include <limits>

#include "experiments/experiment.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/search/front.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

const std::vector<std::string> kPairs = {"devices", "with_device"};

class Monotonicity : public Experiment {
 public:
  Monotonicity(Config& config, std::uint64_t seed) : seed_(seed), data_settings_(DataSettings::read(config)) {
    names_ =
        config.texts("devices", {"all"},
                     "devices, pseudo-devices (model:macs, ...) and metrics (metric:NAME); \"all\" devices of the set");
    threshold_ = config.number("threshold", 0.9, 0, 1, "SRCC from which a proxy's optima are reused (the 0.9 rule)");
    resamples_ = static_cast<int>(
        config.integer("resamples", 200, 0, 100000, "bootstrap resamples behind the confidence interval; 0: none"));
    confidence_ = config.number("confidence", 0.95, 0.5, 0.999, "of the interval");
  }

  std::vector<std::string> spaces() const override { return {data_settings_.space}; }

  void prepare(const Store& store) override {
    loaded_ = data_settings_.open(store, seed_);
    names_ = loaded_->data.expand(names_, "devices");
    for (const auto& name : names_) {
      const bool metric = name.starts_with("metric:");
      series_.push_back(metric ? loaded_->data.metric(name) : loaded_->data.device(name));
      n_metrics_ += metric;
      if (!series_.back().maximised()) continue;
      maximised_ += (maximised_.empty() ? "" : ", ") + name;
      for (double& value : series_.back().values) value = -value;  // so that agreement is positive
    }
  }

  void run(Workspace& work) override {
    loaded_->label(*work.arrays);
    std::vector<std::span<const double>> columns;
    for (const auto& series : series_) columns.emplace_back(series.values);
    CorrelationMatrix srcc, kendall;
    {
      Timer timer(work.timings, "srcc");
      srcc = spearman_matrix(columns, work.backend);
    }
    {
      Timer timer(work.timings, "kendall");
      kendall = kendall_matrix(columns, work.backend);
    }
    const auto d = srcc.size;
    auto& arrays = *work.arrays;
    arrays.axis("devices", names_, {"device or metric", ""});
    arrays.axis("with_device", names_, {"the other device or metric", ""});
    arrays.write("srcc", srcc.value, kPairs, {"Spearman's rank correlation (SRCC)", "1"});
    arrays.write("kendall", kendall.value, kPairs, {"Kendall's rank correlation (tau-b)", "1"});
    arrays.write("n_pairs", srcc.n_pairs, kPairs, {"architectures that both have measured", "1"});
    if (resamples_ > 0) bootstrap(work, d);
    summarise(work, srcc, kendall);
  }

 private:
  // Percentile bootstrap over architectures: rows drawn with replacement, the same rows for all devices.
  void bootstrap(Workspace& work, std::int64_t d) {
    Timer timer(work.timings, "bootstrap");
    const std::int64_t n = loaded_->data.n();
    std::vector<std::vector<double>> draws(resamples_);
    Progress progress("bootstrap", resamples_, "resamples");
    std::vector<std::vector<double>> drawn(d, std::vector<double>(n));
    for (int b = 0; b < resamples_; ++b) {
      check_interrupt();
      const Philox random = random_stream(seed_, Draws::bootstrap, b);
      for (std::int64_t i = 0; i < n; ++i) {
        const auto row = random.below(i, n);
        for (std::int64_t j = 0; j < d; ++j) drawn[j][i] = series_[j].values[row];
      }
      draws[b] = spearman_matrix(std::vector<std::span<const double>>(drawn.begin(), drawn.end()), work.backend).value;
      progress.advance();
    }
    std::vector<double> low(d * d), high(d * d), one(resamples_);
    for (std::int64_t entry = 0; entry < d * d; ++entry) {
      for (int b = 0; b < resamples_; ++b) one[b] = draws[b][entry];
      const bool defined = std::any_of(one.begin(), one.end(), [](double v) { return !std::isnan(v); });
      low[entry] = defined ? quantile(one, (1 - confidence_) / 2) : std::numeric_limits<double>::quiet_NaN();
      high[entry] = defined ? quantile(one, (1 + confidence_) / 2) : std::numeric_limits<double>::quiet_NaN();
    }
    const std::string percent = plain(100 * confidence_) + " % bootstrap interval of the SRCC";
    work.arrays->write("srcc_low", low, kPairs, {"lower end of the " + percent, "1"});
    work.arrays->write("srcc_high", high, kPairs, {"upper end of the " + percent, "1"});
    work.summary.set("confidence", confidence_);
    std::vector<double> widths;
    for (std::int64_t a = 0; a < d; ++a)
      for (std::int64_t b = 0; b < a; ++b) widths.push_back(high[a * d + b] - low[a * d + b]);
    if (!widths.empty() && std::any_of(widths.begin(), widths.end(), [](double w) { return !std::isnan(w); }))
      work.summary.set("median_interval_width", quantile(widths, 0.5));
  }

  void summarise(Workspace& work, const CorrelationMatrix& srcc, const CorrelationMatrix& kendall) {
    const auto d = srcc.size;
    work.summary.set("n_architectures", loaded_->data.n());
    work.summary.set("n_devices", d);
    double sum = 0, smallest = std::numeric_limits<double>::quiet_NaN();
    std::int64_t pairs = 0, strong = 0, undefined = 0;
    for (std::int64_t a = 0; a < d; ++a) {
      for (std::int64_t b = 0; b < a; ++b) {
        const double value = srcc(a, b);
        if (std::isnan(value)) {
          ++undefined;
          work.summary.set_reason("srcc." + names_[a] + "." + names_[b], to_string(srcc.reason[a * d + b]));
          continue;
        }
        ++pairs;
        sum += value;
        strong += value >= threshold_;
        smallest = std::isnan(smallest) ? value : std::min(smallest, value);
      }
    }
    const double none = std::numeric_limits<double>::quiet_NaN();
    work.summary.set("pairs", pairs);
    work.summary.set("undefined_pairs", undefined);
    work.summary.set("srcc_mean", pairs ? sum / static_cast<double>(pairs) : none);
    work.summary.set("srcc_min", smallest);
    work.summary.set("strong_pairs", strong);
    work.summary.set("strong_share", pairs ? static_cast<double>(strong) / static_cast<double>(pairs) : none);

    // As a proxy: how many of the others it serves as it is, and how well the worst.
    Table table({"device as the proxy", "serves (SRCC >= " + plain(threshold_) + ")", "mean SRCC", "worst SRCC", "with",
                 "mean Kendall"});
    std::int64_t best = -1, best_served = -1;
    double best_mean = 0;
    for (std::int64_t a = 0; a < d; ++a) {
      std::int64_t served = 0, count = 0, worst = -1;
      double mean = 0, tau = 0;
      for (std::int64_t b = 0; b < d; ++b) {
        if (a == b || std::isnan(srcc(a, b))) continue;
        ++count;
        mean += srcc(a, b);
        tau += kendall(a, b);
        served += srcc(a, b) >= threshold_;
        if (worst < 0 || srcc(a, b) < srcc(a, worst)) worst = b;
      }
      if (count) mean /= static_cast<double>(count), tau /= static_cast<double>(count);
      if (served > best_served || (served == best_served && mean > best_mean))
        best = a, best_served = served, best_mean = mean;
      table.row({names_[a], std::to_string(served) + " of " + std::to_string(d - 1), fixed(count ? mean : none),
                 fixed(worst < 0 ? none : srcc(a, worst)), worst < 0 ? "" : names_[worst], fixed(count ? tau : none)});
      work.summary.set("strong_targets." + names_[a], served);
    }
    work.summary.set("best_proxy", names_[best]);
    const std::string of = n_metrics_ == 0 ? "of the latencies of " + std::to_string(d) + " devices"
                                           : "between " + std::to_string(d) + " devices and metrics";
    work.report += "Spearman's rank correlation " + of + " over " + std::to_string(loaded_->data.n()) +
                   " architectures of " + data_settings_.space + " (set " + data_settings_.set + "). " +
                   std::to_string(strong) + " of " + std::to_string(pairs) + " pairs reach " + plain(threshold_) +
                   ": for these the Pareto-optimal architectures of the one device can be reused on the other. Below "
                   "it, adapt the proxy (kind adaproxy).\n\n" +
                   table.markdown() +
                   (maximised_.empty() ? ""
                                       : "\nMaximised, and taken with the other sign: " + maximised_ +
                                             ". A positive SRCC means everywhere that what is better in the one is "
                                             "better in the other.\n") +
                   "\nThe full matrix with its confidence intervals is in arrays.h5.\n";
  }

  std::uint64_t seed_;
  DataSettings data_settings_;
  std::vector<std::string> names_;
  double threshold_ = 0, confidence_ = 0;
  int resamples_ = 0;
  std::unique_ptr<SpaceData> loaded_;
  std::vector<Series> series_;  // less is better
  std::string maximised_;       // names of those that were not
  int n_metrics_ = 0;
};

}  // namespace

std::unique_ptr<Experiment> read_monotonicity(Config& config, std::uint64_t seed) {
  return std::make_unique<Monotonicity>(config, seed);
}

}  // namespace oneproxy
