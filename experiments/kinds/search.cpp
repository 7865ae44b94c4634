// Best architectures of one device under latency limits, by any method of search behind the same interface: exhaustive,
// exact, annealing or evolutionary. What is not exact is compared with the truth where that can be had.
#include <algorithm>
#include <cctype>
#include <cmath>

#include "experiments/cli/commands.h"
#include "experiments/experiment.h"
#include "experiments/runner.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/score/score_run.h"
#include "oneproxy/engine/search/annealing.h"
#include "oneproxy/engine/search/evolutionary.h"
#include "oneproxy/engine/search/exact.h"
#include "oneproxy/engine/search/exchange.h"
#include "oneproxy/engine/search/exhaustive.h"
#include "oneproxy/engine/search/front.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// Without a count of its own, a comparison with the truth scores at most so many architectures.
constexpr std::uint64_t kCompareMost = std::uint64_t{1} << 24;
constexpr std::int64_t kRandomForLimits = 10000;

// An index of up to 128 bit: a number, or a decimal in quotes where it passes 64.
ArchIndex read_index(Config& config, const std::string& key, const std::string& meaning) {
  const auto text = config.text(key, "0", meaning);
  try {
    return from_decimal(text);
  } catch (const Error& error) {
    throw Error(config.place(key) + ": " + key + " = " + error.what());
  }
}

class Search : public Experiment {
 public:
  Search(Config& config, std::uint64_t seed) : seed_(seed), data_settings_(DataSettings::read(config)) {
    method_ =
        config.one_of("method", "exhaustive", {"exhaustive", "exact", "annealing", "evolutionary"},
                      "exhaustive scores all; exact needs sums over decisions; the others find the best they can");
    quality_name_ =
        config.text("quality", std::nullopt,
                    "what is maximised: metric:NAME, metric:SET:NAME, predictor:NAME or FILE, table:NAME or "
                    "FILE, model:macs");
    latency_name_ =
        config.text("latency", std::nullopt,
                    "what is limited: device:NAME (measured), proxy:NAME (linear predictor), predictor:NAME "
                    "or FILE, table:NAME or FILE, model:macs");
    limits_ms_ = config.numbers("limits_ms", {}, 0, 1e15,
                                "latency limits (or MACs); [] takes quantiles 0.1, 0.25, 0.5, 0.75 over the set, or "
                                "over random architectures where there is none");
    fix_ = config.texts("fix", {}, "parts of the space: \"DECISION=CHOICE|CHOICE\", as often as wanted");
    alike_ = config.flag("alike", false, "only stages whose blocks are all the same");
    exhaustive_.precision =
        parse_precision(config.one_of("precision", "fp32", {"fp64", "fp32", "tf32", "bf16"},
                                      "of MLP scores; exhaustive results are proven in fp64, or said not to be"));
    exhaustive_.begin = read_index(config, "begin", "exhaustive: first index (in quotes), or place in random order");
    exhaustive_.count = read_index(config, "count", "exhaustive: so many architectures (in quotes); 0 is to the end");
    exhaustive_.shuffled = config.flag("shuffled", false, "exhaustive: distinct random architectures, by seed");
    exhaustive_.seed = seed;
    annealing_.seconds =
        config.number("seconds", 0.0, 0, 1e9, "annealing: time for all limits; 0 counts steps instead");
    annealing_.chains = static_cast<int>(config.integer("chains", 60, 1, 1000000, "annealing: chains a limit"));
    annealing_.steps = static_cast<int>(config.integer("steps", 4000, 1, 1000000000, "annealing: steps of a chain"));
    annealing_.precision = exhaustive_.precision;
    annealing_.seed = seed;
    certify_ =
        config.one_of("certify", "none", {"none", "single", "pairs"},
                      "then search all exchanges of one digit (stage, layer), or of any two, until none improves");
    evolution_.population = static_cast<int>(config.integer("population", 100, 2, 1000000, "evolutionary: population"));
    evolution_.generations =
        static_cast<int>(config.integer("generations", 50, 0, 1000000, "evolutionary: generations"));
    evolution_.parent_share = config.number("parent_share", 0.25, 0, 1, "evolutionary: best part that has children");
    evolution_.mutation_share =
        config.number("mutation_share", 0.5, 0, 1, "evolutionary: children by mutation; the others by crossover");
    evolution_.mutation_rate = config.number("mutation_rate", 0.1, 0, 1, "evolutionary: mutation of a decision");
    evolution_.patience = static_cast<int>(
        config.integer("patience", 50, 1, 1000000, "evolutionary: batches without success before a limit is given up"));
    evolution_.seed = seed;
    if (annealing_.seconds > 0 && method_ != "annealing")
      throw Error(config.place("seconds") + ": seconds = " + plain(annealing_.seconds) +
                  " is the budget of method annealing; " + method_ + " ends by itself");
    latency_folder_ = config.folder("latency");
    quality_folder_ = config.folder("quality");
  }

  std::vector<std::string> spaces() const override { return {data_settings_.space}; }

  void prepare(const Store& store) override {
    const auto known = store.spaces();
    const bool measured = std::find(known.begin(), known.end(), data_settings_.space) != known.end();
    space_.emplace(SearchSpace::load(data_settings_.space, data_settings_.geometry));
    part_.emplace(*space_);
    for (const auto& text : fix_) part_->fix(text);
    if (alike_) part_->keep_alike();
    if (measured) loaded_ = data_settings_.open(store, seed_);
    store_ = store.path();
    const auto latency = objective(latency_name_, "latency", Backend::cpu);
    const auto quality = objective(quality_name_, "quality", Backend::cpu);
    for (const auto* of : {&latency, &quality}) {
      if (of->model) keep_predictable(*of->model, *part_);
      if (of->checksum.size()) other_data_ += "# " + of->label + " " + of->checksum + "\n";
    }
  }

  std::string other_data() const override { return other_data_; }

  void run(Workspace& work) override {
    if (loaded_) loaded_->label(*work.arrays);
    work.arrays->set_attribute("/", "space", space_->name());
    const SearchProblem problem{*part_, loaded_ ? &loaded_->data : nullptr,
                                objective(latency_name_, "latency", work.backend),
                                objective(quality_name_, "quality", work.backend)};
    if (limits_ms_.empty()) limits_ms_ = quantiles(problem);
    limits_ms_ = distinct_limits(limits_ms_);
    exhaustive_.checkpoint = work.checkpoint;
    SearchResult result;
    std::optional<SearchResult> truth;
    {
      Timer timer(work.timings, method_ + " search");
      result = search(problem, work.backend);
    }
    if (method_ != "exhaustive" && method_ != "exact" && exhaustive_size(problem) <= kCompareMost) {
      Timer timer(work.timings, "exhaustive search, to compare");
      truth = search_exhaustively(problem, limits_ms_, {}, work.backend);
    }
    std::vector<ExchangeResult> certificates;
    if (certify_ != "none") certificates = certify(work, problem, result);
    write(work, problem, result, truth, certificates);
  }

 private:
  Objective objective(const std::string& name, const std::string& key, Backend backend) const {
    const auto& folder = key == "latency" ? latency_folder_ : quality_folder_;
    return make_objective({*space_, loaded_ ? &loaded_->data : nullptr, store_, folder, backend}, name, key);
  }

  std::vector<double> quantiles(const SearchProblem& problem) const {
    const auto choices = loaded_ && part_->is_whole() ? loaded_->data.rows().choices
                                                      : random_architectures(problem, kRandomForLimits, seed_);
    std::vector<double> latency(choices.size() / space_->n_decisions()), limits;
    problem.latency.evaluate(choices, latency);
    for (const double q : {0.10, 0.25, 0.50, 0.75}) limits.push_back(quantile(latency, q));
    return limits;
  }

  SearchResult search(const SearchProblem& problem, Backend backend) const {
    if (method_ == "exhaustive") return search_exhaustively(problem, limits_ms_, exhaustive_, backend);
    if (method_ == "exact") return search_exactly(problem, limits_ms_);
    if (method_ == "annealing") return search_by_annealing(problem, limits_ms_, annealing_, backend);
    return search_evolutionarily(problem, limits_ms_, evolution_, backend);
  }

  std::vector<ExchangeResult> certify(Workspace& work, const SearchProblem& problem, SearchResult& result) const {
    if (!problem.covers_space())
      throw Error("certify = \"" + certify_ + "\" needs objectives that cover the space; \"" + problem.latency.label +
                  "\" or \"" + problem.quality.label + "\" is known on the rows of a set only");
    Timer timer(work.timings, "certificates by exchange");
    std::vector<ExchangeResult> certificates;
    for (std::size_t l = 0; l < limits_ms_.size(); ++l) {
      certificates.emplace_back();
      if (result.best[l].choices.empty()) continue;
      certificates.back() = improve_by_exchange(problem, result.best[l], limits_ms_[l], certify_ == "single" ? 1 : 2,
                                                exhaustive_.precision, work.backend);
      result.n_evaluated += certificates.back().n_scored;
      result.best[l] = certificates.back().solution;
    }
    return certificates;
  }

  void write(Workspace& work, const SearchProblem& problem, const SearchResult& result,
             const std::optional<SearchResult>& truth, const std::vector<ExchangeResult>& certificates) const {
    auto& summary = work.summary;
    summary.set("method", method_);
    summary.set("quality", problem.quality.label);
    if (problem.quality.stand_in) summary.set("quality_is_stand_in", true);
    summary.set("latency", problem.latency.label);
    summary.set("part", part_->describe());
    summary.set("part_size", to_decimal(part_->size()));
    summary.set("certainty", result.certainty);
    summary.set("evaluated", result.n_evaluated);
    summary.set("front_size", static_cast<std::int64_t>(result.front.size()));
    std::vector<std::string> header = {"limit", "best " + problem.quality.label,
                                       "latency [" + problem.latency.unit + "]", "architecture"};
    if (truth) header.insert(header.begin() + 2, {"exhaustive", "regret"});
    if (!certificates.empty()) header.push_back("no better exchange of");
    Table table(header);
    for (std::size_t i = 0; i < limits_ms_.size(); ++i) {
      const Solution& best = result.best[i];
      const bool found = !best.choices.empty();
      const std::string limit = plain(limits_ms_[i]);
      summary.set("quality." + limit, found ? best.quality : std::nan(""));
      summary.set("latency_ms." + limit, found ? best.latency_ms : std::nan(""));
      if (found) {
        summary.set("arch." + limit, space_->to_string(best.choices));
      } else {
        summary.set_reason("quality." + limit, "no architecture within the limit was found");
        summary.set_reason("latency_ms." + limit, "no architecture within the limit was found");
      }
      std::vector<std::string> cells = {limit, found ? plain(best.quality) : "none found",
                                        found ? plain(best.latency_ms) : "-",
                                        found ? "`" + space_->to_string(best.choices) + "`" : "-"};
      if (truth) {
        const Solution& exact = truth->best[i];
        const bool comparable = found && !exact.choices.empty();
        const double lost = comparable ? exact.quality - best.quality : std::nan("");
        summary.set("exhaustive_quality." + limit, exact.choices.empty() ? std::nan("") : exact.quality);
        summary.set("regret." + limit, lost);
        if (!comparable)
          summary.set_reason("regret." + limit, "one of the searches has no architecture within the limit");
        cells.insert(cells.begin() + 2,
                     {exact.choices.empty() ? "none" : plain(exact.quality), comparable ? plain(lost) : "-"});
      }
      if (!certificates.empty()) {
        const auto& certificate = certificates[i];
        cells.push_back(!found ? "-"
                               : std::string(certificate.digits == 1 ? "one digit" : "two digits") + ", " +
                                     std::to_string(certificate.n_certificate) + " scored" +
                                     (certificate.exact ? ""
                                                        : " (" + std::string(to_string(exhaustive_.precision)) +
                                                              " scores, not proven)"));
        if (found) {
          summary.set("certified_exchanges." + limit, static_cast<std::int64_t>(certificate.digits));
          summary.set("certificate_scored." + limit, certificate.n_certificate);
          summary.set("certificate_is_exact." + limit, certificate.exact);
        }
      }
      table.row(cells);
    }
    write_front(*work.arrays, "front", result.front);
    work.arrays->set_attribute("/", "quality", problem.quality.label);
    work.arrays->set_attribute("/", "quality_unit", problem.quality.unit);
    work.arrays->set_attribute("/", "latency", problem.latency.label);
    if (truth) {
      write_front(*work.arrays, "exhaustive_front", truth->front);
      compare_fronts(work, result, *truth);
    }
    std::string method = method_;
    method[0] = static_cast<char>(std::toupper(method[0]));
    work.report += method + " search, " + part_->describe() + " (" + to_decimal(part_->size()) +
                   " architectures): " + problem.quality.label + " [" + problem.quality.unit + "]" +
                   (problem.quality.stand_in ? ", a stand-in for accuracy," : "") + " against " +
                   problem.latency.label + " [" + problem.latency.unit + "]. " + std::to_string(result.n_evaluated) +
                   " evaluations, front of " + std::to_string(result.front.size()) +
                   ".\n\nHow sure: " + result.certainty + ".\n\n" + table.markdown();
  }

  static void compare_fronts(Workspace& work, const SearchResult& ours, const SearchResult& truth) {
    auto as_front = [](const std::vector<Solution>& solutions) {
      Front front;
      for (const auto& s : solutions) front.push_back({0, s.latency_ms, s.quality});
      return front;
    };
    const Front found = as_front(ours.front), all = as_front(truth.front);
    if (all.empty()) return;
    const ReferencePoint reference{all.back().latency_ms, all.front().quality};
    const double whole = hypervolume(all, reference);
    work.summary.set("recall", recall(found, all));
    if (whole > 0) work.summary.set("hv_ratio", hypervolume(found, reference) / whole);
  }

  static void write_front(H5File& arrays, const std::string& group, const std::vector<Solution>& front) {
    std::vector<double> latency, quality;
    std::vector<std::uint8_t> choices;
    for (const auto& solution : front) {
      latency.push_back(solution.latency_ms);
      quality.push_back(solution.quality);
      choices.insert(choices.end(), solution.choices.begin(), solution.choices.end());
    }
    arrays.write(group + "/latency_ms", std::span<const double>(latency));
    arrays.write(group + "/quality", std::span<const double>(quality));
    const auto n = static_cast<std::int64_t>(front.size());
    const std::int64_t shape[] = {n, n ? static_cast<std::int64_t>(choices.size()) / n : 0};
    arrays.write(group + "/choices", std::span<const std::uint8_t>(choices), shape);
  }

  std::uint64_t seed_;
  DataSettings data_settings_;
  std::string method_, quality_name_, latency_name_, certify_, latency_folder_, quality_folder_, store_, other_data_;
  std::vector<double> limits_ms_;
  std::vector<std::string> fix_;
  bool alike_ = false;
  ExhaustiveSettings exhaustive_;
  AnnealingSettings annealing_;
  EvolutionSettings evolution_;
  std::optional<SearchSpace> space_;
  std::optional<SubSpace> part_;
  std::unique_ptr<SpaceData> loaded_;
};

}  // namespace

std::string search_space(SearchOptions options) {
  const auto quoted = [](const std::string& text) {
    if (text.find('\'') != std::string::npos)
      throw Error("'" + text + "': a quote has no place in the name of a predictor, a device or a decision");
    return "'" + text + "'";
  };
  std::vector<std::string> keys = {"kind=search",
                                   "name=" + options.space + "_" + options.method,
                                   "space=" + quoted(options.space),
                                   "method=" + quoted(options.method),
                                   "latency=" + quoted(options.latency),
                                   "quality=" + quoted(options.quality)};
  if (!options.limits.empty()) keys.push_back("limits_ms=[" + options.limits + "]");
  if (!options.seconds.empty()) keys.push_back("seconds=" + options.seconds);
  if (!options.store.empty()) keys.push_back("store=" + quoted(options.store));
  std::string fixed;
  for (const auto& text : options.fix) fixed += (fixed.empty() ? "" : ",") + quoted(text);
  if (!fixed.empty()) keys.push_back("fix=[" + fixed + "]");
  options.run.overrides.insert(options.run.overrides.begin(), keys.begin(), keys.end());
  return run_experiment(options.run);
}

std::unique_ptr<Experiment> read_search(Config& config, std::uint64_t seed) {
  return std::make_unique<Search>(config, seed);
}

}  // namespace oneproxy
