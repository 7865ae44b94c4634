// Few-shot adaptation: each task has source devices with plenty of measurements and target devices with a handful.
// Reports the SRCC over the targets, the same method without sources and without physical features, the SRCC that the
// method itself expected, and published figures beside.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>

#include "engine/adapt/design.h"
#include "engine/adapt/fine_tune.h"
#include "engine/adapt/method.h"
#include "engine/adapt/proposal.h"
#include "engine/base/interrupt.h"
#include "engine/base/log.h"
#include "engine/base/names.h"
#include "engine/base/progress.h"
#include "engine/base/streams.h"
#include "engine/predictor/network.h"
#include "engine/report/table.h"
#include "experiments/experiment.h"
#include "experiments/fleet.h"
#include "kernels/error.h"
#include "kernels/parallel.h"
#include "kernels/rank.h"

namespace oneproxy {
namespace {

constexpr double kStrong = 0.9;  // the paper's rule
constexpr double kSure = 0.9;    // probability at which measuring stops
const double kNan = std::numeric_limits<double>::quiet_NaN();
const std::vector<std::string> kVariants = {"bayes", "without sources", "without physics", "with neither"};

struct TaskSettings {
  std::string name, space, set, geometry, proxies, selection, method, prior;
  std::vector<std::string> sources, targets, published_names;
  std::vector<double> published_srcc;
  std::vector<std::int64_t> curve, source_range, test_range;
  double pairs_below = 1, trim = 0;
  int samples_source = 0, samples_target = 20, trials = 20;
  std::uint64_t seed = 1;
  bool connected = true, split_sources = false, ablations = true;
  Norm norm = Norm::l2;
  FineTuneSettings fine_tune;

  // `table` is a [[task]]; what it leaves open comes from `all`, which has read the same keys of the file.
  static TaskSettings read(Config& table, const TaskSettings& all, bool task);
};

FineTuneSettings read_fine_tune(Config& t, const FineTuneSettings& all) {
  FineTuneSettings s = all;
  auto whole = [&](const char* key, std::vector<int>& values, std::int64_t low, std::int64_t high, const char* help) {
    const auto read = t.integers(key, {values.begin(), values.end()}, low, high, help);
    values.assign(read.begin(), read.end());
  };
  whole("hidden", s.hidden, 1, 1 << 16, "finetune: widths of the hidden layers");
  s.pretraining_epochs =
      t.integer("pretraining_epochs", all.pretraining_epochs, 1, 1000000, "finetune: on each source, at most");
  s.epochs = t.integer("epochs", all.epochs, 1, 1000000, "finetune: on the target, one step each");
  s.learning_rate = t.number("learning_rate", all.learning_rate, 1e-12, 1e3, "finetune: of AdamW on the target");
  whole("frozen_layers", s.frozen_layers, 0, 100, "finetune: layers kept as pretrained, from 0");
  s.last_layer_only = t.flag("last_layer_only", all.last_layer_only, "finetune: keeps all layers but the last");
  s.l2_sp = t.number("l2_sp", all.l2_sp, 0, 1e9, "finetune: pull towards the pretrained weights");
  if (s.hidden.empty()) throw Error(t.place("hidden") + ": hidden = [] has no layer; try [64, 64]");
  std::vector<char> frozen(s.hidden.size() + 1, s.last_layer_only);
  frozen.back() = 0;
  for (const int layer : s.frozen_layers) {
    if (layer >= static_cast<int>(frozen.size()))
      throw Error(t.place("frozen_layers") + ": frozen_layers names layer " + std::to_string(layer) + ", the last is " +
                  std::to_string(frozen.size() - 1));
    frozen[layer] = 1;
  }
  if (std::count(frozen.begin(), frozen.end(), 0) == 0)
    throw Error(t.place("frozen_layers") + ": all layers are frozen; leave one to train");
  return s;
}

TaskSettings TaskSettings::read(Config& t, const TaskSettings& all, bool task) {
  TaskSettings s = all;
  if (task) {
    s.name = t.text("name", std::nullopt, "of the task, in the summary");
    s.space = t.text("space", std::nullopt, "search space");
    s.sources = t.texts("sources", {}, "devices with many measurements; \"all\" of the set but the target");
    s.targets = t.texts("targets", {}, "devices to adapt to; \"all\" of the set");
    s.published_names = t.texts("published_names", {}, "methods whose published SRCC stands beside ours");
    s.published_srcc = t.numbers("published_srcc", {}, -1, 1, "their published mean SRCC");
    if (s.published_names.size() != s.published_srcc.size())
      throw Error(t.place("published_srcc") + ": task " + s.name + " names " +
                  std::to_string(s.published_names.size()) + " published methods and gives " +
                  std::to_string(s.published_srcc.size()) + " values; give one each");
    if (s.sources.empty() || s.targets.empty())
      throw Error(t.place("sources") + ": task " + s.name + " needs sources and targets; name devices, or \"all\"");
  }
  s.set = t.text("set", all.set, "set of measurements in the store");
  s.geometry =
      t.text("geometry", all.geometry, "data set whose shapes the physical features follow; \"\" is the first");
  s.proxies = t.one_of("proxies", all.proxies, {"together", "one"}, "sources together, or each alone as the proxy");
  s.pairs_below = t.number("pairs_below", all.pairs_below, -1, 1, "proxies = one: only pairs of a lower SRCC");
  s.samples_source = static_cast<int>(
      t.integer("samples_source", all.samples_source, 0, 1000000, "measurements of each source device; 0: all"));
  s.samples_target = static_cast<int>(t.integer("samples_target", all.samples_target, 1, 5000, "of each target"));
  s.curve = t.integers("curve", all.curve, 1, 5000, "further numbers of target samples; [] for none");
  s.trials = static_cast<int>(t.integer("trials", all.trials, 1, 100000, "repetitions with other draws"));
  if (task)
    s.seed = static_cast<std::uint64_t>(
        t.integer("seed", static_cast<std::int64_t>(all.seed), 0, std::int64_t{1} << 62, "of all random draws"));
  s.selection = t.one_of("selection", all.selection, {"random", "kmeans", "d_optimal", "a_optimal"},
                         "how the target's samples are chosen");
  s.method = t.one_of("method", all.method, {"adaproxy", "bayes", "finetune"}, "how the target is adapted to");
  if (s.method == "finetune" && !torch_compiled())
    throw Error(t.place("method") + ": method finetune trains with LibTorch, which this build is without; run " +
                "tools/fetch_torch.py and build again, or use bayes or adaproxy");
  s.fine_tune = read_fine_tune(t, all.fine_tune);
  s.prior = t.one_of("prior", all.prior, {"learnt", "stated", "flat"}, "bayes: where its hyper-parameters come from");
  s.split_sources = t.flag("split_sources", all.split_sources, "bayes: mean of the sources apart from deviations");
  s.norm = parse_norm(t.one_of("p", to_string(all.norm), {"1", "2", "inf"}, "adaproxy: norm of the penalty"));
  s.connected = t.flag("connected", all.connected, "designs choose among connected cells only (not random)");
  s.ablations = t.flag("ablations", all.ablations, "bayes: also without sources, without physical features");
  s.source_range = t.integers("source_official", all.source_range, 0, std::int64_t{1} << 40,
                              "sources know only this range of the published numbering [first, last]; [] for all");
  s.test_range = t.integers("test_official", all.test_range, 0, std::int64_t{1} << 40,
                            "SRCC over this range of the published numbering [first, last]; [] for all");
  s.trim = t.number("trim", all.trim, 0, 0.49, "share of the slowest and of the fastest left out of the SRCC");
  for (const auto* range : {&s.source_range, &s.test_range})
    if (!range->empty() && (range->size() != 2 || (*range)[0] >= (*range)[1]))
      throw Error(t.place(range == &s.source_range ? "source_official" : "test_official") + ": " +
                  (range == &s.source_range ? "source_official" : "test_official") +
                  " should be [first, last], first below last");
  return s;
}

// Sources and targets that go together: one set of sources, adapted to each of its targets.
struct Case {
  std::vector<int> sources, targets;              // devices of the task
  std::vector<std::optional<BlockPrior>> priors;  // of each variant
};

struct Outcome {                              // of one (case, target)
  int target = 0, proxy = -1;                 // devices
  double raw_srcc = kNan;                     // proxies = one: of the measured latencies
  std::vector<double> srcc, unseen;           // [sizes, trials]
  std::vector<double> expected, sure;         // [sizes, trials] expected SRCC; probability that it is strong
  std::vector<std::vector<double>> variants;  // [variants][trials] at samples_target
};

struct Task {
  TaskSettings settings;
  std::shared_ptr<SpaceData> loaded;
  std::shared_ptr<ArchitectureFeatures> features;
  std::shared_ptr<Architectures> archs;
  std::vector<Series> devices;
  std::vector<Case> cases;
  std::vector<std::vector<Outcome>> outcomes;  // [cases][targets]
  std::vector<int> sizes;                      // samples_target first
  std::vector<std::int64_t> source_rows, test_rows;
  std::map<int, MlpPredictor> pretrained;  // finetune: of each source device
  double adapt_ms = 0;
  std::int64_t adaptations = 0;
};

std::vector<std::int64_t> rows_in(const SetRows& rows, const std::vector<std::int64_t>& range,
                                  const std::string& task) {
  std::vector<std::int64_t> chosen;
  if (!range.empty() && rows.official_index.empty())
    throw Error("task " + task + ": the set has no published numbering for source_official or test_official");
  for (std::int64_t i = 0; i < rows.n; ++i)
    if (range.empty() || (rows.official_index[i] >= range[0] && rows.official_index[i] <= range[1]))
      chosen.push_back(i);
  if (chosen.size() < 3)
    throw Error("task " + task + ": [" + std::to_string(range[0]) + ", " + std::to_string(range[1]) +
                "] of the published numbering holds " + std::to_string(chosen.size()) + " architectures");
  return chosen;
}

// Mean, and half of the 95 % interval of the mean (Student's t).
struct MeanInterval {
  double mean = kNan, half = kNan;
};
MeanInterval mean_interval(const std::vector<double>& v) {
  static const double t975[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093};
  MeanInterval result;
  const auto n = static_cast<double>(v.size());
  if (v.empty()) return result;
  result.mean = 0;
  for (const double x : v) result.mean += x / n;
  if (v.size() < 2) return result;
  double squares = 0;
  for (const double x : v) squares += (x - result.mean) * (x - result.mean);
  const double t = v.size() - 2 < std::size(t975) ? t975[v.size() - 2] : 1.96 + 2.4 / (n - 1);
  result.half = t * std::sqrt(squares / (n - 1) / n);
  return result;
}

class FewShot : public Experiment {
 public:
  FewShot(Config& config, std::uint64_t seed) {
    TaskSettings all;
    all.set = "help";
    all.proxies = "together";
    all.selection = "a_optimal";
    all.method = "bayes";
    all.prior = "learnt";
    all.seed = seed;
    all = TaskSettings::read(config, all, false);
    auto tables =
        config.tables("task", "a task: name, space, sources, targets, and any of the keys above for it alone");
    for (auto& table : tables) {
      Task task;
      task.settings = TaskSettings::read(table, all, true);
      for (const auto& other : tasks_)
        if (other.settings.name == task.settings.name)
          throw Error(table.place("name") + ": there are two tasks '" + task.settings.name + "'; rename one");
      tasks_.push_back(std::move(task));
    }
  }

  std::vector<std::string> spaces() const override {
    std::vector<std::string> names;
    for (const auto& task : tasks_)
      if (std::find(names.begin(), names.end(), task.settings.space) == names.end())
        names.push_back(task.settings.space);
    return names;
  }

  void prepare(const Store& store) override {
    if (tasks_.empty())
      throw Error("few_shot: the configuration has no [[task]] with name, space, sources and targets");
    std::map<std::vector<std::string>, Task*> same;
    for (auto& task : tasks_) {
      const auto& s = task.settings;
      auto& first = same[{s.space, s.set, s.geometry}];
      if (first) {
        task.loaded = first->loaded;
        task.features = first->features;
        task.archs = first->archs;
      } else {
        first = &task;
        task.loaded = std::make_shared<SpaceData>(store, s.space, s.set, s.geometry, 0, s.seed);
        task.features = std::make_shared<ArchitectureFeatures>(task.loaded->space);
        task.archs = std::make_shared<Architectures>(*task.features, task.loaded->data.rows().choices);
      }
      prepare(task);
    }
  }

  void run(Workspace& work) override {
    for (auto& task : tasks_) {
      Timer timer(work.timings, "task " + task.settings.name);
      run(task);
      check_interrupt();
    }
    write(work);
  }

 private:
  static void prepare(Task& task) {
    auto& s = task.settings;
    const auto& data = task.loaded->data;
    const bool all_sources = s.sources == std::vector<std::string>{"all"};
    const auto sources = data.expand(s.sources, "task " + s.name + ": sources");
    const auto targets = data.expand(s.targets, "task " + s.name + ": targets");
    auto device = [&](const std::string& name) {
      for (std::size_t i = 0; i < task.devices.size(); ++i)
        if (task.devices[i].name == name) return static_cast<int>(i);
      task.devices.push_back(data.device(name));
      return static_cast<int>(task.devices.size()) - 1;
    };
    task.source_rows = rows_in(data.rows(), s.source_range, s.name);
    task.test_rows = rows_in(data.rows(), s.test_range, s.name);
    task.sizes = {s.samples_target};
    for (const auto size : s.curve)
      if (std::find(task.sizes.begin(), task.sizes.end(), size) == task.sizes.end())
        task.sizes.push_back(static_cast<int>(size));
    for (const auto& target : targets) {
      const int t = device(target);
      std::vector<int> own;
      for (const auto& source : sources) {
        if (source != target)
          own.push_back(device(source));
        else if (!all_sources && s.proxies == "together")
          throw Error("task " + s.name + ": target " + target +
                      " is among the sources, its latencies would be known already; remove it from one of the lists");
      }
      const auto known = task.devices[t].n_known();
      const int most = *std::max_element(task.sizes.begin(), task.sizes.end());
      if (known < most)
        throw Error("task " + s.name + ": target " + target + " has " + std::to_string(known) +
                    " measurements, samples_target or curve asks for " + std::to_string(most));
      if (s.proxies == "together") {
        add_case(task, own, t, kNan);
      } else {
        for (const int proxy : own) {
          const double srcc = spearman(task.devices[proxy].values, task.devices[t].values, Backend::cpu).value;
          if (srcc < s.pairs_below || s.pairs_below >= 1) add_case(task, {proxy}, t, srcc);
        }
      }
    }
    if (task.cases.empty())
      throw Error("task " + s.name + ": no pair of devices has an SRCC below pairs_below = " + plain(s.pairs_below));
  }

  static void add_case(Task& task, const std::vector<int>& sources, int target, double raw) {
    if (sources.empty()) throw Error("task " + task.settings.name + ": a target has no source besides itself");
    Outcome outcome;
    outcome.target = target;
    outcome.raw_srcc = raw;
    if (task.settings.proxies == "one") outcome.proxy = sources.front();
    for (std::size_t c = 0; c < task.cases.size(); ++c)
      if (task.cases[c].sources == sources) {
        task.cases[c].targets.push_back(target);
        task.outcomes[c].push_back(outcome);
        return;
      }
    task.cases.push_back({sources, {target}, {}});
    task.outcomes.push_back({outcome});
  }

  static std::vector<SourceDevice> draw_sources(const Task& task, const Case& one, int trial) {
    const auto& s = task.settings;
    std::vector<SourceDevice> devices;
    for (const int d : one.sources) {
      SourceDevice device{task.devices[d].name, {}, {}};
      const auto order = random_permutation(
          static_cast<std::int64_t>(task.source_rows.size()),
          random_stream(s.seed, Draws::source_samples, static_cast<std::uint32_t>(trial * 1000 + d)));
      for (const auto i : order) {
        if (s.samples_source > 0 && static_cast<int>(device.latency_ms.size()) == s.samples_source) break;
        const auto row = task.source_rows[i];
        const double latency = task.devices[d].values[row];
        if (std::isnan(latency)) continue;
        const auto choices = task.archs->row(row);
        device.choices.insert(device.choices.end(), choices.begin(), choices.end());
        device.latency_ms.push_back(latency);
      }
      if (static_cast<int>(device.latency_ms.size()) < s.samples_source)
        throw Error("task " + s.name + ": source " + device.name + " has " + std::to_string(device.latency_ms.size()) +
                    " measurements, samples_source asks for " + std::to_string(s.samples_source));
      devices.push_back(std::move(device));
    }
    return devices;
  }

  static BayesOptions variant_options(const TaskSettings& s, int variant) {
    BayesOptions options;
    options.sources = variant == 0 || variant == 2;
    options.physics = variant == 0 || variant == 1;
    options.split_sources = s.split_sources;
    options.prior = s.prior == "learnt" ? PriorChoice::learnt
                    : s.prior == "flat" ? PriorChoice::flat
                                        : PriorChoice::stated;
    return options;
  }

  static int n_variants(const Task& task) { return task.settings.ablations && task.settings.method == "bayes" ? 4 : 1; }

  void run(Task& task) {
    const auto& s = task.settings;
    const int cases = static_cast<int>(task.cases.size()), sizes = static_cast<int>(task.sizes.size());
    for (auto& outcomes : task.outcomes)
      for (auto& outcome : outcomes) {
        for (auto* v : {&outcome.srcc, &outcome.unseen, &outcome.expected, &outcome.sure})
          v->assign(sizes * s.trials, kNan);
        outcome.variants.assign(n_variants(task), std::vector<double>(s.trials, kNan));
      }
    if (s.method == "bayes" && s.prior == "learnt") {
      Progress progress("learning priors of " + s.name, cases * n_variants(task), "priors");
      for (auto& one : task.cases) one.priors.resize(n_variants(task));
      parallel_for(cases * n_variants(task), [&](std::int64_t job) {
        check_interrupt();
        auto& one = task.cases[job / n_variants(task)];
        const int variant = static_cast<int>(job % n_variants(task));
        if (one.sources.size() >= 3)
          one.priors[variant] =
              learn_prior(*task.features, draw_sources(task, one, 0), variant_options(s, variant), s.seed);
        progress.advance();
      });
    }
    if (s.method == "finetune") pretrain_sources(task);
    Progress progress("adapting " + s.name, std::int64_t{cases} * s.trials, "trials");
    parallel_for(std::int64_t{cases} * s.trials, [&](std::int64_t job) {
      check_interrupt();
      trial(task, static_cast<int>(job / s.trials), static_cast<int>(job % s.trials));
      progress.advance();
    });
  }

  // Once for all trials, on the first trial's measurements of each source.
  static void pretrain_sources(Task& task) {
    std::vector<int> devices;
    for (const auto& one : task.cases)
      for (const int d : one.sources)
        if (task.pretrained.try_emplace(d).second) devices.push_back(d);
    auto settings = task.settings.fine_tune;
    settings.seed = task.settings.seed;
    Progress progress("pretraining for " + task.settings.name, static_cast<std::int64_t>(devices.size()), "sources");
    parallel_for(static_cast<std::int64_t>(devices.size()), [&](std::int64_t i) {
      const auto source = draw_sources(task, {{devices[i]}, {}, {}}, 0);
      task.pretrained.at(devices[i]) = pretrain(task.loaded->space, source.front(), settings);
      progress.advance();
    });
  }

  // The method of the task; refers to the model and to the task.
  static std::unique_ptr<AdaptationMethod> make_method(const Task& task, const Case& one, const BayesModel& model,
                                                       const std::vector<SourceDevice>& sources, int trial) {
    const auto& s = task.settings;
    if (s.method == "bayes") return make_bayes(model);
    if (s.method == "adaproxy") return make_adaproxy(*task.features, sources, s.norm);
    std::vector<MlpPredictor> pretrained;
    for (const int d : one.sources) pretrained.push_back(task.pretrained.at(d));
    auto settings = s.fine_tune;
    settings.seed = s.seed + static_cast<std::uint64_t>(trial);
    return make_finetune(task.loaded->space, std::move(pretrained), settings);
  }

  void trial(Task& task, int c, int trial) {
    const auto& s = task.settings;
    const auto& one = task.cases[c];
    const auto sources = draw_sources(task, one, trial);
    std::vector<SourcePredictor> predictors;
    for (const auto& source : sources) predictors.push_back(fit_source(*task.features, source));
    const int most = *std::max_element(task.sizes.begin(), task.sizes.end());
    for (int variant = 0; variant < n_variants(task); ++variant) {
      const BayesModel model(*task.features, predictors, variant_options(s, variant),
                             one.priors.empty() ? std::nullopt : one.priors[variant]);
      const auto method = make_method(task, one, model, sources, trial);
      const int largest = variant == 0 ? most : s.samples_target;
      const Selection selection = parse_selection(s.selection);
      const bool nested = selection != Selection::kmeans;
      auto order = measuring_order(*task.archs, model, selection, s.connected, largest, s.seed, trial);
      for (std::size_t t = 0; t < one.targets.size(); ++t) {
        const auto& target = task.devices[one.targets[t]];
        auto& outcome = task.outcomes[c][t];
        for (std::size_t size = 0; size < (variant == 0 ? task.sizes.size() : 1); ++size) {
          if (!nested)
            order = measuring_order(*task.archs, model, selection, s.connected, task.sizes[size], s.seed, trial);
          const auto [rows, latency] = measure_rows(target, order, task.sizes[size]);
          const auto start = std::chrono::steady_clock::now();
          const auto adapted = method->adapt(*task.archs, rows, latency);
          const auto predicted = adapted->latency_ms(*task.archs);
          const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
          const auto agreement = compare(task, target, predicted, rows);
          if (variant > 0) {
            outcome.variants[variant][trial] = agreement.all;
            continue;
          }
          const auto at = size * s.trials + trial;
          outcome.srcc[at] = agreement.all;
          outcome.unseen[at] = agreement.unseen;
          if (size == 0) outcome.variants[0][trial] = agreement.all;
          const auto expected = adapted->expected_srcc();
          outcome.expected[at] = expected.value;
          outcome.sure[at] = expected.probability(kStrong);
          if (size == 0) {
            std::lock_guard lock(timing_);
            task.adapt_ms += ms;
            ++task.adaptations;
          }
        }
      }
    }
  }

  // SRCC over the task's test architectures, without the slowest and fastest share where the task trims.
  static Agreement compare(const Task& task, const Series& target, const std::vector<double>& predicted,
                           const std::vector<std::int64_t>& measured) {
    std::vector<std::int64_t> rows;
    for (const auto row : task.test_rows)
      if (!std::isnan(target.values[row])) rows.push_back(row);
    if (task.settings.trim > 0) {
      std::stable_sort(rows.begin(), rows.end(),
                       [&](std::int64_t a, std::int64_t b) { return target.values[a] < target.values[b]; });
      const auto cut = static_cast<std::ptrdiff_t>(task.settings.trim * static_cast<double>(rows.size()));
      rows = {rows.begin() + cut, rows.end() - cut};
    }
    std::vector<double> x, y;
    for (const auto row : rows) x.push_back(predicted[row]), y.push_back(target.values[row]);
    Agreement result;
    result.all = spearman(x, y, Backend::cpu).value;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (std::find(measured.begin(), measured.end(), rows[i]) != measured.end()) y[i] = kNan;
    result.unseen = spearman(x, y, Backend::cpu).value;
    return result;
  }

  // Means over the targets of every trial.
  static std::vector<double> trial_means(const Task& task, int variant, int size) {
    std::vector<double> means(task.settings.trials, 0);
    double count = 0;
    for (const auto& outcomes : task.outcomes)
      for (const auto& outcome : outcomes) {
        ++count;
        for (int i = 0; i < task.settings.trials; ++i)
          means[i] += variant == 0 ? outcome.srcc[size * task.settings.trials + i] : outcome.variants[variant][i];
      }
    for (double& mean : means) mean /= count;
    return means;
  }

  void write(Workspace& work) {
    auto& summary = work.summary;
    for (const auto& task : tasks_) {
      const auto& s = task.settings;
      const auto head = mean_interval(trial_means(task, 0, 0));
      summary.set("srcc_mean." + s.name, head.mean);
      summary.set("srcc_mean_interval95." + s.name, head.half);
      if (std::isnan(head.half)) summary.set_reason("srcc_mean_interval95." + s.name, "one trial has no spread");
    }
    std::vector<std::string> names;
    for (const auto& task : tasks_) {
      names.push_back(task.settings.name);
      write(work, task);
    }
    work.arrays->write("tasks", std::span<const std::string>(names));
  }

  void write(Workspace& work, const Task& task) {
    const auto& s = task.settings;
    auto& summary = work.summary;
    const int sizes = static_cast<int>(task.sizes.size());
    const std::string group = "task/" + s.name + "/";
    summary.set("samples." + s.name, std::int64_t{s.samples_target});
    summary.set("trials." + s.name, std::int64_t{s.trials});
    const bool pairs = s.proxies == "one";

    std::vector<const Outcome*> all;
    for (const auto& outcomes : task.outcomes)
      for (const auto& outcome : outcomes) all.push_back(&outcome);

    work.report += "## " + s.name + "\n\n" + s.space + ", set " + s.set + ": " +
                   (pairs ? std::to_string(all.size()) + " ordered pairs of proxy and target" +
                                (s.pairs_below < 1 ? " whose latencies have an SRCC below " + plain(s.pairs_below) : "")
                          : std::to_string(all.size()) + " targets, " +
                                std::to_string(task.cases.front().sources.size()) + " sources") +
                   (s.samples_source ? " of " + std::to_string(s.samples_source) + " measurements each" : "") +
                   "; method " + s.method + (s.method == "bayes" ? " (prior " + s.prior + ")" : "") + ", " +
                   s.selection + " selection, " + std::to_string(s.trials) + " trials.\n\n";

    if (!pairs) {
      Table table({"target", "SRCC at " + std::to_string(s.samples_target), "+-", "unseen", "expected", "worst trial"});
      for (const auto* outcome : all) {
        std::vector<double> srcc(outcome->srcc.begin(), outcome->srcc.begin() + s.trials);
        std::vector<double> unseen(outcome->unseen.begin(), outcome->unseen.begin() + s.trials);
        std::vector<double> expected(outcome->expected.begin(), outcome->expected.begin() + s.trials);
        const auto& name = task.devices[outcome->target].name;
        const auto mean = mean_interval(srcc);
        summary.set("srcc." + s.name + "." + name, mean.mean);
        table.row({name, fixed(mean.mean), fixed(mean.half), fixed(mean_interval(unseen).mean),
                   fixed(mean_interval(expected).mean), fixed(*std::min_element(srcc.begin(), srcc.end()))});
      }
      work.report += table.markdown() + "\n";
    } else {
      Table table({"samples", "mean SRCC", "worst pair", "pairs >= 0.9"});
      for (int size = 0; size < sizes; ++size) {
        double sum = 0, worst = 1, strong = 0;
        for (const auto* outcome : all) {
          double mean = 0;
          for (int i = 0; i < s.trials; ++i) mean += outcome->srcc[size * s.trials + i] / s.trials;
          sum += mean;
          worst = std::min(worst, mean);
          strong += mean >= kStrong;
        }
        const auto n = static_cast<double>(all.size());
        table.row({std::to_string(task.sizes[size]), fixed(sum / n), fixed(worst), fixed(strong / n)});
        const std::string suffix = s.name + "." + std::to_string(task.sizes[size]);
        summary.set("worst_pair." + suffix, worst);
        summary.set("strong_share." + suffix, strong / n);
      }
      summary.set("pairs." + s.name, static_cast<std::int64_t>(all.size()));
      work.report += table.markdown() + "\n";
    }

    // The means, beside what others have published.
    Table means({"method", "samples", "mean SRCC", "95 % interval"});
    for (int size = 0; size < sizes; ++size) {
      const auto mean = mean_interval(trial_means(task, 0, size));
      if (size > 0) summary.set("curve." + s.name + "." + std::to_string(task.sizes[size]), mean.mean);
      means.row({s.method, std::to_string(task.sizes[size]), fixed(mean.mean), "+- " + fixed(mean.half)});
    }
    for (int variant = 1; variant < n_variants(task); ++variant) {
      const auto mean = mean_interval(trial_means(task, variant, 0));
      std::string key = kVariants[variant];
      std::replace(key.begin(), key.end(), ' ', '_');
      summary.set("srcc_mean_" + key + "." + s.name, mean.mean);
      means.row({s.method + " " + kVariants[variant], std::to_string(s.samples_target), fixed(mean.mean),
                 "+- " + fixed(mean.half)});
    }
    for (std::size_t i = 0; i < s.published_names.size(); ++i) {
      summary.set("published." + s.name + "." + s.published_names[i], s.published_srcc[i]);
      means.row(
          {s.published_names[i] + " (published)", std::to_string(s.samples_target), fixed(s.published_srcc[i]), ""});
    }
    work.report += means.markdown() + "\n";
    if (s.method == "bayes") reliability(work, task, all);
    work.timings.add("ms an adaptation, " + s.name,
                     task.adapt_ms / static_cast<double>(std::max<std::int64_t>(1, task.adaptations)));

    // Arrays for the pictures.
    std::vector<std::string> targets, proxies;
    std::vector<double> srcc, expected, sure, raw, variants;
    for (const auto* outcome : all) {
      targets.push_back(task.devices[outcome->target].name);
      proxies.push_back(outcome->proxy >= 0 ? task.devices[outcome->proxy].name : "");
      raw.push_back(outcome->raw_srcc);
      srcc.insert(srcc.end(), outcome->srcc.begin(), outcome->srcc.end());
      expected.insert(expected.end(), outcome->expected.begin(), outcome->expected.end());
      sure.insert(sure.end(), outcome->sure.begin(), outcome->sure.end());
      for (const auto& variant : outcome->variants) variants.insert(variants.end(), variant.begin(), variant.end());
    }
    auto& arrays = *work.arrays;
    const auto count = static_cast<std::int64_t>(all.size());
    const std::int64_t shape[] = {count, sizes, s.trials};
    const std::int64_t variant_shape[] = {count, n_variants(task), s.trials};
    const std::vector<std::int64_t> samples(task.sizes.begin(), task.sizes.end());
    arrays.write(group + "targets", std::span<const std::string>(targets));
    arrays.write(group + "samples", std::span<const std::int64_t>(samples));
    arrays.write(group + "srcc", std::span<const double>(srcc), shape);
    arrays.write(group + "expected_srcc", std::span<const double>(expected), shape);
    arrays.write(group + "probability_strong", std::span<const double>(sure), shape);
    arrays.write(group + "variant_srcc", std::span<const double>(variants), variant_shape);
    arrays.write(group + "variants", std::span<const std::string>(kVariants.data(), n_variants(task)));
    if (pairs) {
      arrays.write(group + "proxies", std::span<const std::string>(proxies));
      arrays.write(group + "raw_srcc", std::span<const double>(raw));
    }
    if (!s.published_names.empty()) {
      arrays.write(group + "published_names", std::span<const std::string>(s.published_names));
      arrays.write(group + "published_srcc", std::span<const double>(s.published_srcc));
    }
  }

  // Does it know how good it is, and does stopping when it is sure keep its promise?
  static void reliability(Workspace& work, const Task& task, const std::vector<const Outcome*>& all) {
    const auto& s = task.settings;
    std::vector<int> by_size(task.sizes.size());
    for (std::size_t i = 0; i < by_size.size(); ++i) by_size[i] = static_cast<int>(i);
    std::sort(by_size.begin(), by_size.end(), [&](int a, int b) { return task.sizes[a] < task.sizes[b]; });
    double runs = 0, stopped = 0, kept = 0, spent = 0;
    Table table(
        {"samples", "expected - true, mean", "mean |expected - true|", "says >= 0.9 with 90 %", "of these true"});
    for (const int size : by_size) {
      double error = 0, size_of_error = 0, count = 0, says = 0, is = 0;
      for (const auto* outcome : all)
        for (int i = 0; i < s.trials; ++i) {
          const auto at = size * s.trials + i;
          if (std::isnan(outcome->expected[at])) continue;
          ++count;
          error += outcome->expected[at] - outcome->srcc[at];
          size_of_error += std::abs(outcome->expected[at] - outcome->srcc[at]);
          says += outcome->sure[at] >= kSure;
          is += outcome->sure[at] >= kSure && outcome->srcc[at] >= kStrong;
        }
      const std::string suffix = s.name + "." + std::to_string(task.sizes[size]);
      work.summary.set("expected_error." + suffix, count ? size_of_error / count : kNan);
      table.row({std::to_string(task.sizes[size]), fixed(error / count), fixed(size_of_error / count),
                 fixed(says / count), fixed(says ? is / says : kNan)});
    }
    for (const auto* outcome : all)
      for (int i = 0; i < s.trials; ++i) {
        ++runs;
        for (const int size : by_size) {
          const auto at = size * s.trials + i;
          if (task.sizes[size] < kLeastToStop || !(outcome->sure[at] >= kSure)) continue;
          ++stopped;
          spent += task.sizes[size];
          kept += outcome->srcc[at] >= kStrong;
          break;
        }
      }
    work.summary.set("stop.share." + s.name, stopped / runs);
    work.summary.set("stop.samples." + s.name, stopped ? spent / stopped : kNan);
    work.summary.set("stop.kept." + s.name, stopped ? kept / stopped : kNan);
    work.report += table.markdown() + "\nStopping at the first of these sizes, from " + std::to_string(kLeastToStop) +
                   " on, where SRCC >= 0.9 has a probability of 90 %: " + fixed(100 * stopped / runs, 0) +
                   " % of the runs stop, after " + fixed(stopped ? spent / stopped : kNan, 1) +
                   " samples on average; " + fixed(stopped ? 100 * kept / stopped : kNan, 0) +
                   " % of these reach 0.9.\n\n";
  }

  std::vector<Task> tasks_;
  std::mutex timing_;
};

}  // namespace

std::unique_ptr<Experiment> read_few_shot(Config& config, std::uint64_t seed) {
  return std::make_unique<FewShot>(config, seed);
}

}  // namespace oneproxy
