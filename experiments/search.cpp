// Best architectures of one device under latency limits, by exhaustive or evolutionary search behind the
// same interface; evolutionary results are compared with the exhaustive ones where these can be had.
#include <cmath>

#include "engine/report/table.h"
#include "engine/search/evolutionary.h"
#include "engine/search/exhaustive.h"
#include "engine/search/front.h"
#include "experiments/experiment.h"
#include "kernels/error.h"

namespace oneproxy {
namespace {

class Search : public Experiment {
 public:
  Search(Config& config, std::uint64_t seed) : seed_(seed), data_settings_(DataSettings::read(config)) {
    method_ = config.one_of("method", "exhaustive", {"exhaustive", "evolutionary"}, "how to search");
    quality_name_ =
        config.text("quality", std::nullopt, "what is maximised: metric:NAME, metric:SET:NAME or model:macs");
    latency_name_ = config.text("latency", std::nullopt,
                                "what is limited: device:NAME (measured), proxy:NAME (linear predictor) or model:macs");
    limits_ms_ = config.numbers("limits_ms", {}, 0, 1e15,
                                "latency limits (or MACs); [] takes quantiles 0.1, 0.25, 0.5, 0.75 over the set");
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
  }

  std::vector<std::string> spaces() const override { return {data_settings_.space}; }

  void prepare(const Store& store) override {
    loaded_ = data_settings_.open(store, seed_);
    latency_objective(loaded_->data, latency_name_, Backend::cpu);
    quality_objective(loaded_->data, quality_name_);
  }

  void run(Workspace& work) override {
    loaded_->label(*work.arrays);
    const SearchProblem problem{loaded_->data, latency_objective(loaded_->data, latency_name_, work.backend),
                                quality_objective(loaded_->data, quality_name_)};
    if (limits_ms_.empty()) {
      std::vector<double> latency(loaded_->data.n());
      problem.latency.evaluate(loaded_->data.rows().choices, latency);
      for (const double q : {0.10, 0.25, 0.50, 0.75}) limits_ms_.push_back(quantile(latency, q));
    }
    limits_ms_ = distinct_limits(limits_ms_);
    SearchResult result;
    std::optional<SearchResult> exhaustive;
    {
      Timer timer(work.timings, method_ + " search");
      result = method_ == "exhaustive" ? search_exhaustively(problem, limits_ms_, work.backend)
                                       : search_evolutionarily(problem, limits_ms_, evolution_, work.backend);
    }
    if (method_ != "exhaustive" && exhaustive_size(problem) > 0) {
      Timer timer(work.timings, "exhaustive search, to compare");
      exhaustive = search_exhaustively(problem, limits_ms_, work.backend);
    }
    write(work, problem, result, exhaustive);
  }

 private:
  void write(Workspace& work, const SearchProblem& problem, const SearchResult& result,
             const std::optional<SearchResult>& exhaustive) const {
    auto& summary = work.summary;
    summary.set("method", method_);
    summary.set("quality", problem.quality.label);
    if (problem.quality.stand_in) summary.set("quality_is_stand_in", true);
    summary.set("latency", problem.latency.label);
    summary.set("evaluated", result.n_evaluated);
    summary.set("front_size", static_cast<std::int64_t>(result.front.size()));
    std::vector<std::string> header = {"limit", "best " + problem.quality.label,
                                       "latency [" + problem.latency.unit + "]", "architecture"};
    if (exhaustive) header.insert(header.begin() + 2, {"exhaustive", "regret"});
    Table table(header);
    for (std::size_t i = 0; i < limits_ms_.size(); ++i) {
      const Solution& best = result.best[i];
      const bool found = !best.choices.empty();
      const std::string limit = plain(limits_ms_[i]);
      summary.set("quality." + limit, found ? best.quality : std::nan(""));
      summary.set("latency_ms." + limit, found ? best.latency_ms : std::nan(""));
      if (!found) {
        summary.set_reason("quality." + limit, "no architecture within the limit was found");
        summary.set_reason("latency_ms." + limit, "no architecture within the limit was found");
      }
      std::vector<std::string> cells = {limit, found ? plain(best.quality) : "none found",
                                        found ? plain(best.latency_ms) : "-",
                                        found ? "`" + loaded_->space.to_string(best.choices) + "`" : "-"};
      if (exhaustive) {
        const Solution& truth = exhaustive->best[i];
        const bool comparable = found && !truth.choices.empty();
        const double lost = comparable ? truth.quality - best.quality : std::nan("");
        summary.set("exhaustive_quality." + limit, truth.choices.empty() ? std::nan("") : truth.quality);
        summary.set("regret." + limit, lost);
        if (!comparable)
          summary.set_reason("regret." + limit, "one of the searches has no architecture within the limit");
        cells.insert(cells.begin() + 2,
                     {truth.choices.empty() ? "none" : plain(truth.quality), comparable ? plain(lost) : "-"});
      }
      table.row(cells);
    }
    write_front(*work.arrays, "front", result.front);
    work.arrays->set_attribute("/", "quality", problem.quality.label);
    work.arrays->set_attribute("/", "quality_unit", problem.quality.unit);
    work.arrays->set_attribute("/", "latency", problem.latency.label);
    if (exhaustive) {
      write_front(*work.arrays, "exhaustive_front", exhaustive->front);
      compare_fronts(work, result, *exhaustive);
    }
    work.report +=
        (method_ == "exhaustive" ? "Exhaustive search of " : "Evolutionary search (best found, not proven) of ") +
        data_settings_.space + ": " + problem.quality.label + " [" + problem.quality.unit + "]" +
        (problem.quality.stand_in ? ", not a measured quality," : "") + " against " + problem.latency.label + " [" +
        problem.latency.unit + "], " + std::to_string(result.n_evaluated) + " evaluations, front of " +
        std::to_string(result.front.size()) + ".\n\n" + table.markdown();
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
  std::string method_, quality_name_, latency_name_;
  std::vector<double> limits_ms_;
  EvolutionSettings evolution_;
  std::unique_ptr<SpaceData> loaded_;
};

}  // namespace

std::unique_ptr<Experiment> read_search(Config& config, std::uint64_t seed) {
  return std::make_unique<Search>(config, seed);
}

}  // namespace oneproxy
