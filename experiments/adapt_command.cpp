#include "experiments/adapt_command.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>

#include "engine/adapt/fine_tune.h"
#include "engine/adapt/method.h"
#include "engine/adapt/proposal.h"
#include "engine/base/interrupt.h"
#include "engine/base/log.h"
#include "engine/base/output_file.h"
#include "engine/base/provenance.h"
#include "engine/base/resources.h"
#include "engine/base/sha256.h"
#include "engine/data/csv.h"
#include "engine/device/drift.h"
#include "engine/device/measurement_csv.h"
#include "engine/predictor/library.h"
#include "engine/predictor/network.h"
#include "engine/report/table.h"
#include "experiments/fleet.h"
#include "kernels/error.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kSourceSamples = 1000;  // of each device: more change nothing
constexpr int kProposals = 64;                 // looked at when advising how many more to measure
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
    remarks.push_back(std::to_string(measured.n_failed) + " lines have no latency and are left out");
  return remarks;
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
  const Measurements data(store, *prepared.space, set);
  std::uint32_t stream = 0;
  for (const auto& name : data.expand(names, "--sources")) {
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
  for (const auto& source : prepared.sources) predictors.push_back(fit_source(*prepared.features, source));
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
  const std::string file = std::filesystem::path(options.measurements).filename().string();
  std::ifstream in(options.measurements, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::visit(
      [&](auto& m) {
        m.target = "latency on " + device;
        m.unit = "ms";
        m.record["source"] = file + ", " + std::to_string(known) + " measurements, " + options.method;
        m.record["licence"] = std::string("private");
        m.record["method"] = options.method;
        m.record["n_measured"] = known;
        m.record["sources"] = sources;
        m.record["measurements_sha256"] = sha256_hex(content);
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
  if (const auto* table = std::get_if<TablePredictor>(&model))
    form = table->n_tables() == 1
               ? "one weight a choice"
               : "one weight a choice, a table for each of " + std::to_string(table->n_tables()) + " resolutions";
  if (indexed) form = "latency of each of " + to_decimal(space.size()) + " architectures";
  const std::string kind = network ? "predictor:" : "table:", call = "  oneproxy search --space " + space.name();
  const std::string rest = " --quality model:macs" + std::string(indexed ? " --method exhaustive" : "") + "\n";
  std::string text;
  if (!options.out.empty()) {
    save_model(options.out, model);
    text += options.out + ": " + form + ". Search with it, for example:\n" + call + " --latency " + kind + options.out +
            rest;
  }
  if (!options.into.empty()) {
    add_model(options.into, shipped_store(), options.name, model);
    text += options.into + ": " + kind + options.name + ", " + form + ". Search with it, for example:\n" + call +
            " --store " + options.into + " --latency " + kind + options.name + rest;
  }
  return text;
}

// What the references in between say of the device; divides their drift out where that is asked for.
std::string steady(MeasuredArchitectures& measured, const AdaptOptions& options) {
  const Drift drift = find_drift(measured);
  if (drift.references.empty()) {
    if (options.drift)
      throw Error("--drift needs an architecture that was measured at least 3 times with others in between, which " +
                  options.measurements + " has not; `oneproxy plan --reference 5` writes such a plan");
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
                         options.archs.empty() ? measured.choices : read_architectures(space, options.archs));
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
  return options.predictions + ": predicted latencies of " + std::to_string(at.n()) + " architectures" +
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
  const auto prepared =
      prepare(options.space, options.geometry, options.set, options.store, options.sources, "", options.seed);
  const auto& space = *prepared.space;
  BayesOptions bayes;
  bayes.prior = PriorChoice::stated;  // a design trusts no fitted prior
  const BayesModel model(*prepared.features, predictors_of(prepared), bayes);
  std::vector<std::uint8_t> measured;
  if (!options.measured.empty()) measured = read_architectures(space, options.measured);
  const auto chosen = propose(model, selection, options.k, options.seed, measured);
  if (std::filesystem::exists(options.out))
    throw Error(options.out + ": is there already, and may hold measurements; give another --out");
  OutputFile out(options.out);
  out.write("arch,latency_ms,repeat,order,index,macs,decisions\n");
  const std::size_t decisions = space.radices().size();
  int order = 0;
  auto line = [&](int i, int repeat) {
    const auto one = std::span(chosen).subspan(i * decisions, decisions);
    out.write(csv_field(space.to_string(one)) + ",," + std::to_string(repeat) + "," + std::to_string(++order) + "," +
              to_decimal(space.index(one)) + "," + brief(space.cost(one).macs) + "," + csv_field(readable(space, one)) +
              "\n");
  };
  int repeats = 1;
  for (int i = 0; i < options.k; ++i) {
    line(i, 1);
    const bool last = i + 1 == options.k;
    if (options.reference > 0 && i > 0 && (i % options.reference == 0 || last)) line(0, ++repeats);
  }
  out.finish();
  return options.out + ": " + std::to_string(options.k) + " architectures of " + space.name() + " (" +
         options.selection + ", " + std::to_string(prepared.sources.size()) +
         " source devices)\nMeasure them in this order, one may stop anywhere; fill in latency_ms, a line for each "
         "repeat.\n" +
         (options.reference > 0 ? "The first comes again and again, to show whether the device drifts. Then:\n"
                                : "Measure in one go: devices drift (--reference 5 lets `adapt` see it). Then:\n") +
         "  oneproxy adapt --space " + space.name() + " --measurements " + options.out +
         (options.reference > 0 ? " --drift" : "") + "\n";
}

std::string adapt_to_measurements(const AdaptOptions& options) {
  check_options(options);
  const auto prepared = prepare(options.space, options.geometry, options.set, options.store, options.sources,
                                options.device, options.seed);
  const auto& space = *prepared.space;
  auto measured = read_measurements(space, options.measurements, options.unit);
  for (const auto& remark : remarks_on(space, measured, options.drift)) log_warning(remark);
  const std::string on_drift = steady(measured, options);
  const auto ready = make_method(options, prepared);
  const Architectures architectures(*prepared.features, measured.choices);
  std::vector<std::int64_t> rows(measured.n());
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  const auto adapted = ready.method->adapt(architectures, rows, measured.latency_ms);
  const auto expected = adapted->expected_srcc();
  const auto advice =
      adapted->advice(options.threshold, options.confidence, kProposals, measured.choices, options.seed);
  for (const auto& remark : adapted->remarks()) log_warning(remark);

  const std::int64_t known = measured.n_known();
  std::string text = options.measurements + ": " + std::to_string(known) + " architectures of " + space.name() + ", " +
                     std::to_string(prepared.sources.size()) + " source devices, " +
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
      text += "measure " + std::to_string(advice->more) + " more (oneproxy plan --space " + space.name() + " --k " +
              std::to_string(advice->more) + " --measured " + options.measurements + " --out more.csv)\n";
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
