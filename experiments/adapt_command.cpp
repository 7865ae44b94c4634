#include "experiments/adapt_command.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>

#include "engine/adapt/proposal.h"
#include "engine/base/hdf5.h"
#include "engine/base/log.h"
#include "engine/base/provenance.h"
#include "engine/base/resources.h"
#include "engine/data/csv.h"
#include "engine/report/table.h"
#include "experiments/fleet.h"
#include "kernels/error.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kSourceSamples = 1000;  // of each device: more change nothing
constexpr int kProposals = 64;                 // looked at when advising how many more to measure
constexpr double kUnsteady = 0.2;              // relative spread of repeats that is worth a warning

// Columns of a plan that a person need not fill in.
const std::vector<std::string> kPlanColumns = {"order", "index", "decisions", "macs"};

struct Measured {
  std::vector<std::uint8_t> choices;  // [n, n_decisions], each architecture once
  std::vector<double> latency_ms;     // [n] median of the repeats, NaN where all failed
  std::vector<std::string> remarks;
};

double median_of(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  const auto half = v.size() / 2;
  return v.size() % 2 ? v[half] : (v[half - 1] + v[half]) / 2;
}

// In the order of the file. Without `latencies`, only architectures are read.
Measured read_measured(const SearchSpace& space, const std::string& file, bool latencies, double to_ms) {
  const CsvTable table = read_csv(file);
  if (table.column("arch") < 0 || (latencies && table.column("latency_ms") < 0))
    throw Error(file + ": the header should be arch,latency_ms[,repeat]; `oneproxy plan` writes such a file");
  for (const auto& column : table.columns)
    if (column != "arch" && column != "latency_ms" && column != "repeat" &&
        std::find(kPlanColumns.begin(), kPlanColumns.end(), column) == kPlanColumns.end())
      throw Error(file + ": unknown column '" + column + "'; the header should be arch,latency_ms[,repeat]");
  std::map<std::vector<std::uint8_t>, std::size_t> place;
  std::vector<std::vector<std::uint8_t>> archs;
  std::vector<std::vector<double>> repeats;
  std::int64_t failed = 0;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    std::vector<std::uint8_t> choices;
    try {
      choices = space.parse(table.rows[i][table.column("arch")]);
    } catch (const Error& error) {
      throw Error(table.place(i) + ": " + error.what());
    }
    const auto [found, fresh] = place.emplace(choices, archs.size());
    if (fresh) {
      archs.push_back(choices);
      repeats.emplace_back();
    }
    if (!latencies) continue;
    const std::string& text = table.rows[i][table.column("latency_ms")];
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || text == "-1" || (end != text.c_str() && std::isnan(value))) {
      ++failed;
      continue;
    }
    if (end == text.c_str() || *end != '\0' || !(value > 0) || std::isinf(value))
      throw Error(table.place(i) + ": latency_ms = '" + text +
                  "' should be a positive number of milliseconds; write nothing for a failed measurement");
    repeats[found->second].push_back(value * to_ms);
  }
  Measured measured;
  for (std::size_t i = 0; i < archs.size(); ++i) {
    measured.choices.insert(measured.choices.end(), archs[i].begin(), archs[i].end());
    const auto& own = repeats[i];
    measured.latency_ms.push_back(own.empty() ? std::numeric_limits<double>::quiet_NaN() : median_of(own));
    if (own.size() > 1) {
      const auto [least, most] = std::minmax_element(own.begin(), own.end());
      if (*most - *least > kUnsteady * measured.latency_ms.back())
        measured.remarks.push_back("repeats of " + space.to_string(archs[i]) + " range from " + brief(*least) + " to " +
                                   brief(*most) + " ms: the device is unsteady; the median counts");
    }
  }
  if (failed > 0) measured.remarks.push_back(std::to_string(failed) + " lines have no latency and are left out");
  return measured;
}

// The model before any measurement of the target.
struct Prepared {
  std::unique_ptr<SearchSpace> space;
  std::unique_ptr<ArchitectureFeatures> features;
  std::vector<SourceDevice> sources;
  std::vector<SourcePredictor> predictors;
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
    prepared.predictors.push_back(fit_source(*prepared.features, prepared.sources.back()));
  }
  return prepared;
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
  const BayesModel model(*prepared.features, prepared.predictors, bayes);
  Measured measured;
  if (!options.measured.empty()) measured = read_measured(space, options.measured, false, 1);
  const auto chosen = propose(model, selection, options.k, options.seed, measured.choices);
  if (std::filesystem::exists(options.out))
    throw Error(options.out + ": is there already, and may hold measurements; give another --out");
  std::ofstream out(options.out);
  out << "arch,latency_ms,repeat,order,index,macs,decisions\n";
  const std::size_t decisions = space.radices().size();
  for (int i = 0; i < options.k; ++i) {
    const auto one = std::span(chosen).subspan(i * decisions, decisions);
    out << csv_field(space.to_string(one)) << ",,1," << i + 1 << "," << to_decimal(space.index(one)) << ","
        << brief(space.cost(one).macs) << "," << csv_field(readable(space, one)) << "\n";
  }
  out.flush();
  if (!out) throw Error(options.out + ": can not be written; is the folder there and the disk not full?");
  return options.out + ": " + std::to_string(options.k) + " architectures of " + space.name() + " (" +
         options.selection + ", " + std::to_string(prepared.predictors.size()) +
         " source devices)\nMeasure them in this order, one may stop anywhere; fill in latency_ms, a line for each "
         "repeat. Measure one\narchitecture again now and then: if it drifts, so do the others. Then:\n  oneproxy "
         "adapt "
         "--space " +
         space.name() + " --measurements " + options.out + "\n";
}

std::string adapt_to_measurements(const AdaptOptions& options) {
  const double to_ms = options.unit == "s" ? 1000 : options.unit == "us" ? 1e-3 : 1;
  const auto prepared = prepare(options.space, options.geometry, options.set, options.store, options.sources,
                                options.device, options.seed);
  const auto& space = *prepared.space;
  const auto& features = *prepared.features;
  const auto measured = read_measured(space, options.measurements, true, to_ms);
  BayesOptions bayes;
  bayes.split_sources = options.split_sources;
  bayes.prior = options.prior == "stated" ? PriorChoice::stated : PriorChoice::flat;
  std::optional<BlockPrior> prior;
  std::string prior_name = options.prior;
  if (options.prior == "learnt") {
    if (prepared.sources.size() >= 3)
      prior = learn_prior(features, prepared.sources, bayes, options.seed);
    else
      prior_name = "flat (a learnt one needs 3 source devices)";
  }
  const BayesModel model(features, prepared.predictors, bayes, prior);
  const auto z = model.design(features.rows(measured.choices));
  const auto adapted = model.adapt(z, measured.latency_ms);
  const auto expected = model.expected_srcc(adapted);
  const auto next = propose(model, Selection::a_optimal, kProposals, options.seed, measured.choices);
  const auto advice = advise(model, adapted, expected, options.threshold, options.confidence, next);
  for (const auto& remark : measured.remarks) log_warning(remark);
  for (const auto& remark : adapted.remarks) log_warning(remark);

  const auto known =
      std::count_if(measured.latency_ms.begin(), measured.latency_ms.end(), [](double v) { return !std::isnan(v); });
  std::string text = options.measurements + ": " + std::to_string(known) + " architectures of " + space.name() + ", " +
                     std::to_string(prepared.predictors.size()) + " source devices, prior " + prior_name + "\n";
  if (adapted.from_prior) {
    text += "Not adapted (see the warning): measure more architectures.\n";
  } else {
    text += "expected SRCC with the device's latencies: " + fixed(expected.value) +
            " (10 % to 90 %: " + fixed(expected.low) + " to " + fixed(expected.high) +
            ")\nSRCC >= " + plain(options.threshold) + " with probability " +
            fixed(expected.probability(options.threshold), 2) + ": ";
    if (advice.stop)
      text += "stop measuring\n";
    else if (advice.more > 0)
      text += "measure " + std::to_string(advice.more) + " more (oneproxy plan --space " + space.name() + " --k " +
              std::to_string(advice.more) + " --measured " + options.measurements + " --out more.csv)\n";
    else
      text += "not to be had with " + std::to_string(kProposals) + " more, which would give " +
              fixed(advice.reachable) + ": the measurements are noisy; repeat them and look at the spread\n";
  }
  if (!options.out.empty()) {
    const std::string part = options.out + ".part";
    H5File file(part, H5Mode::create);
    file.set_attribute("/", "format", std::string("oneproxy-adapted"));
    file.set_attribute("/", "version", version());
    file.set_attribute("/", "space", space.name());
    file.set_attribute("/", "unit", std::string("ms"));
    file.set_attribute("/", "n_measured", static_cast<std::int64_t>(known));
    file.set_attribute("/", "expected_srcc", expected.value);
    file.set_attribute("/", "prior", prior_name);
    if (features.physics().additive()) {
      const auto linear = model.linear(adapted);
      const std::vector<std::int64_t> radices(linear.radices.begin(), linear.radices.end());
      file.write("linear/weights", std::span<const double>(linear.weights));
      file.write("linear/radices", std::span<const std::int64_t>(radices));
      file.set_attribute("linear", "bias", linear.bias);
      text += options.out + ": linear predictor, " + std::to_string(linear.weights.size()) + " weights in ms\n";
    } else {
      const auto table = model.table(adapted);
      file.write("table/latency_ms", std::span<const double>(table));
      text += options.out + ": predicted latency of all " + std::to_string(table.size()) + " architectures, by index\n";
    }
    file.close();
    std::filesystem::rename(part, options.out);
  }
  return text;
}

}  // namespace oneproxy
