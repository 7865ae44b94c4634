#include "experiments/cli/adapt_command.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>

#include "experiments/kinds/fleet.h"
#include "oneproxy/engine/adapt/design/proposal.h"
#include "oneproxy/engine/adapt/fine_tune.h"
#include "oneproxy/engine/adapt/method.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/median.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/provenance.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/device/drift.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/train/network.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kSourceSamples = 1000;  // of each device: more change nothing
constexpr int kProposals = 64;                 // looked at when advising how many more to measure
constexpr int kFirst = 10;                     // architectures advised where too few or equal ones say nothing
constexpr double kUnsteady = 0.2;              // relative spread of repeats that is worth a warning
constexpr double kDrift = 0.05;                // relative size of a drift that is worth a warning

// What a person should know of the file.
std::vector<std::string> remarks_on(const SearchSpace& space, const MeasuredArchitectures& measured, bool drift) {
  std::vector<std::string> remarks;
  const std::size_t decisions = space.radices().size();
  for (std::size_t i = 0; i < measured.repeats.size(); ++i) {
    const auto& own = measured.repeats[i];
    if (own.size() < 2 || drift) continue;
    const auto [least, most] = std::minmax_element(own.begin(), own.end());
    if (*most - *least > kUnsteady * measured.latency_ms[i])
      remarks.push_back("repeats of " + space.to_string(std::span(measured.choices).subspan(i * decisions, decisions)) +
                        " range from " + brief(*least) + " to " + brief(*most) +
                        " ms: the device is unsteady; the median counts");
  }
  if (measured.n_failed > 0)
    remarks.push_back(count_of(measured.n_failed, "line") + (measured.n_failed == 1
                                                                 ? " has no latency and is left out"
                                                                 : " have no latency and are left out"));
  return remarks;
}

// Slips that count for next to nothing, by the architectures' own names.
std::vector<std::string> remarks_on_outliers(const SearchSpace& space, const MeasuredArchitectures& measured,
                                             const AdaptedPredictor& adapted) {
  std::vector<std::string> remarks;
  std::vector<double> known;
  for (const double latency : measured.latency_ms)
    if (!std::isnan(latency)) known.push_back(latency);
  const std::size_t decisions = space.radices().size();
  for (const auto i : adapted.outliers())
    remarks.push_back(space.to_string(std::span(measured.choices).subspan(i * decisions, decisions)) + " took " +
                      plain(measured.latency_ms[i]) + " ms, " + brief(measured.latency_ms[i] / median_of(known)) +
                      " times the median: it counts for next to nothing; measure it again");
  return remarks;
}

std::string words(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& one : all) text += " " + shell_word(one);
  return text;
}

// The start of a call of the other command for the same space and sources.
template <class Options>
std::string call(const std::string& command, const Options& options) {
  const PlanOptions usual;
  std::string text = "oneproxy " + command + " --space " + shell_word(options.space);
  if (options.geometry != usual.geometry) text += " --geometry " + shell_word(options.geometry);
  if (options.set != usual.set) text += " --set " + shell_word(options.set);
  if (options.store != usual.store) text += " --store " + shell_word(options.store);
  if (options.sources != usual.sources) text += " --sources" + words(options.sources);
  return text;
}

// more.csv, or the first of more2.csv, more3.csv, ... that is not there.
std::string free_file() {
  std::string file = "more.csv";
  for (int i = 2; std::filesystem::exists(file); ++i) file = "more" + std::to_string(i) + ".csv";
  return file;
}

// What gives `more` architectures beyond those measured.
std::string call_for_more(const AdaptOptions& options, int more) {
  return call("plan", options) + " --k " + std::to_string(more) + (options.drift ? " --reference 5" : "") +
         " --measured" + words(options.measurements) + " --out " + free_file();
}

// The first metric of the store that a search may maximise, that of the geometry before others; else the MACs, where
// the space has any.
std::string quality_in(const std::string& store_path, const SearchSpace& space) {
  const std::string base = "help";  // the set of a search, if it is not told another one
  const std::string none = space.has_costs() ? "model:macs" : "predictor:NAME";
  if (!std::filesystem::exists(store_path)) return none;  // a store is not needed without sources
  const Store store(store_path);
  auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!has(store.spaces(), space.name()) || !has(store.sets(space.name()), base)) return none;
  std::string quality = none;
  for (const auto& set : store.sets(space.name()))
    for (const auto& metric : store.metrics(space.name(), set)) {
      if (store.metric(space.name(), set, metric).text("direction").starts_with("minimi")) continue;
      const std::string name = "metric:" + (set == base ? "" : set + ":") + metric;
      if (metric == space.geometry()) return name;
      if (quality == none) quality = name;
    }
  return quality;
}

// What is known before any measurement of the target.
struct Prepared {
  std::unique_ptr<SearchSpace> space;
  std::unique_ptr<ArchitectureFeatures> features;
  std::vector<SourceDevice> sources;
};

Prepared prepare(const std::string& space, const std::string& geometry, const std::string& set,
                 const std::string& store_path, const std::vector<std::string>& names, const std::string& target,
                 std::uint64_t seed) {
  Prepared prepared;
  prepared.space = std::make_unique<SearchSpace>(SearchSpace::load(space, geometry));
  prepared.features = std::make_unique<ArchitectureFeatures>(*prepared.space);
  if (names == std::vector<std::string>{"none"}) return prepared;
  const Store store(store_path.empty() ? shipped_store() : store_path);
  const auto spaces = store.spaces();
  if (std::find(spaces.begin(), spaces.end(), prepared.space->name()) == spaces.end())
    throw Error(store.path() + " has no measurements of space " + prepared.space->name() +
                "; `--sources none` does without source devices");
  const Measurements data(store, *prepared.space, set);
  std::uint32_t stream = 0;
  const auto known = data.devices(), expanded = data.expand(names, "--sources");
  if (auto is = [&](const std::string& name) { return name == target; };
      !target.empty() && std::none_of(known.begin(), known.end(), is) &&
      std::none_of(expanded.begin(), expanded.end(), is))
    log_info("--device " + target + " is not in set " + set + " of " + space + ": all sources are used");
  for (const auto& name : expanded) {
    check_interrupt();
    if (name == target) {
      log_warning(name + " is the target: it is left out of the sources");
      continue;
    }
    prepared.sources.push_back(source_device(data, data.device(name), kSourceSamples, seed, stream++));
  }
  return prepared;
}

std::vector<SourcePredictor> predictors_of(const Prepared& prepared) {
  std::vector<SourcePredictor> predictors;
  for (const auto& source : prepared.sources) {
    check_interrupt();
    predictors.push_back(fit_source(*prepared.features, source));
  }
  return predictors;
}

// A method with what it refers to.
struct Ready {
  std::unique_ptr<BayesModel> model;
  std::unique_ptr<AdaptationMethod> method;
  std::string prior;  // of bayes
};

Ready make_method(const AdaptOptions& options, const Prepared& prepared) {
  Ready ready;
  const auto& features = *prepared.features;
  if (options.method == "bayes") {
    BayesOptions bayes;
    bayes.split_sources = options.split_sources;
    bayes.prior = options.prior == "stated" ? PriorChoice::stated : PriorChoice::flat;
    std::optional<BlockPrior> prior;
    ready.prior = options.prior.empty() ? "learnt" : options.prior;
    if (ready.prior == "learnt") {
      if (prepared.sources.size() >= 3)
        prior = learn_prior(features, prepared.sources, bayes, options.seed);
      else
        ready.prior = "flat (a learnt one needs 3 source devices)";
    }
    ready.model = std::make_unique<BayesModel>(features, predictors_of(prepared), bayes, prior);
    ready.method = make_bayes(*ready.model);
    return ready;
  }
  if (options.method == "adaproxy") {
    ready.method = make_adaproxy(features, prepared.sources, Norm::l2);
    return ready;
  }
  FineTuneSettings settings;
  settings.seed = options.seed;
  std::vector<MlpPredictor> networks;
  for (const auto& source : prepared.sources) {
    check_interrupt();
    log_info("pretraining on " + source.name);
    networks.push_back(pretrain(*prepared.space, source, settings));
  }
  ready.method = make_finetune(*prepared.space, std::move(networks), settings);
  return ready;
}

void check_options(const AdaptOptions& options) {
  if (options.method != "bayes" && (!options.prior.empty() || options.split_sources))
    throw Error("--prior and --split-sources belong to --method bayes; " + options.method + " has neither");
  if (options.method == "finetune" && !torch_compiled())
    throw Error(
        "--method finetune trains with LibTorch, which this build is without; run tools/fetch_torch.py and build "
        "again, or use bayes or adaproxy");
  if (!options.out.empty() && std::filesystem::path(options.out).extension() != ".h5")
    throw Error("--out " + options.out + ": give it the ending .h5, by which a file is told from a name in a store");
  if (!options.archs.empty() && options.predictions.empty())
    throw Error("--archs " + options.archs + " says what to predict; give --predictions FILE.csv to write it to");
  if (options.into.empty() != options.name.empty())
    throw Error("--into STORE and --name NAME belong together: a predictor has a name in a store");
}

// Target, unit and record of a predictor: where it comes from, so that nobody has to guess later.
void describe(SpaceModel& model, const AdaptOptions& options, const Prepared& prepared, const Ready& ready,
              const ExpectedSrcc& expected, std::int64_t known) {
  const std::string device = !options.device.empty() ? options.device
                             : !options.name.empty() ? options.name
                                                     : std::filesystem::path(options.out).stem().string();
  std::string sources;
  for (const auto& source : prepared.sources) sources += (sources.empty() ? "" : ", ") + source.name;
  std::vector<std::string> files, checksums;
  for (const std::filesystem::path file : options.measurements) {
    files.push_back(file.filename().string());
    std::ifstream in(file, std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    checksums.push_back(sha256_hex(content));
  }
  std::visit(
      [&](auto& m) {
        m.target = "latency on " + device;
        m.unit = "ms";
        m.record["source"] = join(files) + ", " + count_of(known, "measurement") + ", " + options.method;
        m.record["licence"] = std::string("private");
        m.record["method"] = options.method;
        m.record["n_measured"] = known;
        m.record["sources"] = sources;
        m.record["measurements_sha256"] = join(checksums);
        m.record["version"] = version();
        m.record["geometry"] = prepared.space->geometry();
        if (!ready.prior.empty()) m.record["prior"] = ready.prior;
        if (!std::isnan(expected.value)) m.record["expected_srcc"] = expected.value;
      },
      model);
}

// Writes the predictor where it is asked for; what it is, and how to search with it.
std::string keep(const SpaceModel& model, const AdaptOptions& options, const SearchSpace& space) {
  const bool network = std::holds_alternative<MlpPredictor>(model), indexed = !has_kernels(model);
  std::string form = "network";
  if (const auto* table = std::get_if<AdditivePredictor>(&model))
    form = table->n_tables() == 1
               ? "one weight a choice"
               : "one weight a choice, a table for each of " + std::to_string(table->n_tables()) + " resolutions";
  if (indexed) form = "latency of each of " + to_decimal(space.size()) + " architectures";
  const std::string kind = network ? "predictor:" : "table:";
  // A metric is known on the rows of a set only, which `exhaustive` looks at.
  auto search = [&](const std::string& latency, const std::string& quality, const std::string& store) {
    return ". Search with it, for example:\n  oneproxy search --space " + shell_word(space.reference()) +
           (store.empty() ? "" : " --store " + shell_word(store)) + " --latency " + shell_word(kind + latency) +
           " --quality " + shell_word(quality) +
           (indexed || quality.starts_with("metric:") ? " --method exhaustive" : "") + "\n";
  };
  std::string text;
  if (!options.out.empty()) {
    save_model(options.out, model);
    const std::string quality = quality_in(options.store.empty() ? shipped_store() : options.store, space);
    text += options.out + ": " + form +
            search(options.out, quality, quality.starts_with("metric:") ? options.store : std::string());
  }
  if (!options.into.empty()) {
    std::vector<std::string> names;
    if (std::filesystem::exists(options.into))
      names = network ? predictor_names(options.into, space.name()) : table_names(options.into, space.name());
    add_model(options.into, shipped_store(), options.name, model);
    if (std::find(names.begin(), names.end(), options.name) != names.end())
      log_info(options.into + ": " + kind + options.name + " of " + space.name() + " was there and is replaced");
    text += options.into + ": " + kind + options.name + ", " + form +
            search(options.name, quality_in(options.into, space), options.into);
  }
  return text;
}

// What the references in between say of the device; divides their drift out where that is asked for.
std::string steady(MeasuredArchitectures& measured, const AdaptOptions& options) {
  const Drift drift = find_drift(measured);
  if (drift.references.empty()) {
    if (options.drift)
      throw Error(
          join(options.measurements) +
          ": --drift needs an architecture that was measured at least 3 times with others in between, and there "
          "is none; `oneproxy plan --reference 5` writes such a plan");
    return "";
  }
  const std::string range = "the device drifted from " + fixed(drift.least, 2) + " to " + fixed(drift.most, 2) +
                            " times its middle speed while it was measured";
  if (options.drift) {
    measured = without_drift(measured, drift);
    return range + "; divided out\n";
  }
  if (drift.most > drift.least * (1 + kDrift)) log_warning(range + "; --drift divides that out");
  return "";
}

// Predicted latencies with error bars, beside what was measured.
std::string write_predictions(const AdaptedPredictor& adapted, const Prepared& prepared,
                              const MeasuredArchitectures& measured, const AdaptOptions& options) {
  const auto& space = *prepared.space;
  const std::size_t decisions = space.radices().size();
  const Architectures at(*prepared.features,
                         options.archs.empty() ? measured.choices : read_architectures(space, {options.archs}));
  std::map<std::vector<std::uint8_t>, double> known;
  for (std::int64_t i = 0; i < measured.n(); ++i) {
    const auto one = std::span(measured.choices).subspan(i * decisions, decisions);
    known[{one.begin(), one.end()}] = measured.latency_ms[i];
  }
  auto number = [](double value) { return std::isnan(value) ? std::string() : plain(value); };
  const auto latency = adapted.latency_ms(at), deviation = adapted.deviation_ms(at);
  OutputFile out(options.predictions);
  out.write("arch,latency_ms,deviation_ms,measured_ms\n");
  for (std::int64_t i = 0; i < at.n(); ++i) {
    const auto own = known.find({at.row(i).begin(), at.row(i).end()});
    out.write(csv_field(space.to_string(at.row(i))) + "," + number(latency[i]) + "," + number(deviation[i]) + "," +
              (own == known.end() ? "" : number(own->second)) + "\n");
  }
  out.finish();
  return options.predictions + ": predicted latencies of " + count_of(at.n(), "architecture") +
         (adapted.adapted() && at.n() && !std::isnan(deviation[0])
              ? ", with the standard deviation of what a measurement without noise would be"
              : "") +
         "\n";
}

std::string readable(const SearchSpace& space, std::span<const std::uint8_t> choices) {
  std::string text;
  for (int d = 0; d < space.n_decisions(); ++d)
    text +=
        (d ? "; " : "") + space.decisions()[d].name + " = " + space.decisions()[d].choices[choices[d]].operation.name;
  return text;
}

}  // namespace

std::string plan_measurements(const PlanOptions& options) {
  const auto selection = parse_selection(options.selection);
  if (options.k < 1) throw Error("--k " + std::to_string(options.k) + ": ask for at least one architecture");
  if (std::filesystem::exists(options.out))
    throw Error(options.out + ": is there already, and may hold measurements; give another --out");
  const auto prepared =
      prepare(options.space, options.geometry, options.set, options.store, options.sources, "", options.seed);
  const auto& space = *prepared.space;
  BayesOptions bayes;
  bayes.prior = PriorChoice::stated;  // a design trusts no fitted prior
  const BayesModel model(*prepared.features, predictors_of(prepared), bayes);
  std::vector<std::uint8_t> measured;
  if (!options.measured.empty()) measured = read_architectures(space, options.measured);
  check_interrupt();
  const auto chosen = propose(model, selection, options.k, options.seed, measured);
  check_interrupt();
  OutputFile out(options.out);
  out.write("arch,latency_ms,repeat,order,index,macs,decisions\n");
  const std::size_t decisions = space.radices().size();
  int order = 0;
  auto line = [&](int i, int repeat) {
    const auto one = std::span(chosen).subspan(i * decisions, decisions);
    out.write(csv_field(space.to_string(one)) + ",," + std::to_string(repeat) + "," + std::to_string(++order) + "," +
              to_decimal(space.index(one)) + "," + (space.has_costs() ? brief(space.cost(one).macs) : "") + "," +
              csv_field(readable(space, one)) + "\n");
  };
  int repeats = 1;
  for (int i = 0; i < options.k; ++i) {
    line(i, 1);
    const bool last = i + 1 == options.k;
    if (options.reference > 0 && i > 0 && (i % options.reference == 0 || last)) line(0, ++repeats);
  }
  out.finish();
  std::vector<std::string> files;
  for (const auto& file : options.measured)
    if (read_csv(file).column("latency_ms") >= 0) files.push_back(file);  // others name architectures alone
  files.push_back(options.out);
  return options.out + ": " + count_of(options.k, "architecture") + " of " + space.name() + " (" + options.selection +
         ", " + count_of(std::ssize(prepared.sources), "source device") +
         ")\nMeasure them in this order, one may stop anywhere; fill in latency_ms, a line for each "
         "repeat.\n" +
         (options.reference > 0 ? "The first comes again and again, to show whether the device drifts. Then:\n"
                                : "Measure in one go: devices drift (--reference 5 lets `adapt` see it). Then:\n") +
         "  " + call("adapt", options) + " --measurements" + words(files) + (options.reference > 0 ? " --drift" : "") +
         "\n";
}

std::string adapt_to_measurements(const AdaptOptions& options) {
  check_options(options);
  const auto prepared = prepare(options.space, options.geometry, options.set, options.store, options.sources,
                                options.device, options.seed);
  const auto& space = *prepared.space;
  auto measured = read_measurements(space, options.measurements, options.unit);
  for (const auto& remark : remarks_on(space, measured, options.drift)) log_warning(remark);
  const std::string on_drift = steady(measured, options);
  check_interrupt();
  const auto ready = make_method(options, prepared);
  check_interrupt();
  const Architectures architectures(*prepared.features, measured.choices);
  std::vector<std::int64_t> rows(measured.n());
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  const auto adapted = ready.method->adapt(architectures, rows, measured.latency_ms);
  check_interrupt();
  if (!adapted->adapted() && !(options.out.empty() && options.into.empty() && options.predictions.empty()))
    throw Error(join(options.measurements) + ": " + adapted->why_not_adapted() +
                ": nothing is written; measure more architectures (" + call_for_more(options, kFirst) + ")");
  const auto expected = adapted->expected_srcc();
  const auto advice =
      adapted->advice(options.threshold, options.confidence, kProposals, measured.choices, options.seed);
  check_interrupt();
  for (const auto& remark : remarks_on_outliers(space, measured, *adapted)) log_warning(remark);
  for (const auto& remark : adapted->remarks()) log_warning(remark);

  const std::int64_t known = measured.n_known();
  std::string text = join(options.measurements) + ": " + count_of(known, "architecture") + " of " + space.name() +
                     ", " + count_of(std::ssize(prepared.sources), "source device") + ", " +
                     (options.method == "bayes" ? "prior " + ready.prior : "method " + options.method) + "\n" +
                     on_drift;
  if (!adapted->adapted()) {
    text += "Not adapted (see the warning): measure more architectures.\n";
  } else if (!advice) {
    text +=
        "Method " + options.method + " does not know how well it will rank: keep some measurements back and compare.\n";
  } else {
    text += "expected SRCC with the device's latencies: " + fixed(expected.value) +
            " (10 % to 90 %: " + fixed(expected.low) + " to " + fixed(expected.high) +
            ")\nSRCC >= " + plain(options.threshold) + " with probability " +
            fixed(expected.probability(options.threshold), 2) + ": ";
    if (advice->stop)
      text += "stop measuring\n";
    else if (advice->more > 0)
      text += "measure " + std::to_string(advice->more) + " more (" + call_for_more(options, advice->more) + ")\n";
    else
      text += "not to be had with " + std::to_string(kProposals) + " more, which would give " +
              fixed(advice->reachable) + ": the measurements are noisy; repeat them and look at the spread\n";
  }
  if (!options.predictions.empty()) text += write_predictions(*adapted, prepared, measured, options);
  if (options.out.empty() && options.into.empty()) return text;
  SpaceModel model = adapted->space_model();
  describe(model, options, prepared, ready, expected, known);
  return text + keep(model, options, space);
}

}  // namespace oneproxy
