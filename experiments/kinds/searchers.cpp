// The search methods of the field on the same objectives, with the same budgets of distinct evaluations, against the
// truth: which method for which space?
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "experiments/experiment.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/search/front.h"
#include "oneproxy/engine/search/methods/auto.h"
#include "oneproxy/engine/search/methods/exact.h"
#include "oneproxy/engine/search/methods/exhaustive.h"
#include "oneproxy/engine/share/shared_units.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kQuantiles[] = {0.10, 0.25, 0.50, 0.75, 0.90};

// A method with its own keys: "evolutionary: published = true, population = 50".
struct Contender {
  std::string name;  // as results name it
  const SearchMethodKind* kind = nullptr;
  std::unique_ptr<SearchMethod> method;
};

// One latency with its limits and the truth under them.
struct Ground {
  std::string device;
  std::unique_ptr<SearchProblem> problem;
  std::vector<Limits> limits;
  SearchResult truth;
  std::vector<double> best;  // [n_limits] of the goal; NaN: not known beforehand
  ReferencePoint reference;
  double hypervolume = kNan;
};

struct Outcome {
  std::vector<double> quality;  // [n_limits]; NaN: nothing was found
  double hypervolume = kNan, seconds = 0;
  std::int64_t evaluated = 0;
};

class Searchers : public Experiment {
 public:
  Searchers(Config& config, std::uint64_t seed)
      : seed_(seed), data_settings_(DataSettings::read(config, SpaceParts::taken)) {
    quality_ = config.text("quality", std::nullopt,
                           "what is maximised, the goal: metric:NAME, metric:SET:NAME, predictor:NAME or FILE, "
                           "table:NAME or FILE, model:macs");
    latencies_ = config.texts("latencies", {},
                              "what is minimised, one search each: device:NAME, proxy:NAME, "
                              "predictor:NAME, table:NAME; device:all and proxy:all are those of the set");
    folders_ = {config.folder("quality"), config.folder("latencies")};
    const auto limits =
        config.limits("limits_ms", 0, 1e15,
                      "limits on latency; [] takes quantiles 0.1, 0.25, 0.5, 0.75 and 0.9 over the set, or over random "
                      "architectures where the space is larger");
    const bool of_costs = std::any_of(latencies_.begin(), latencies_.end(),
                                      [](const std::string& name) { return name.starts_with("model:"); });
    limits_ms_ = values_in_unit(limits, of_costs ? "" : "ms", config.location("limits_ms"));
    best_known_ = config.numbers("best_known", {}, -1e300, 1e300,
                                 "of the goal at each of limits_ms, where the truth can not be computed");
    fix_ = config.texts("fix", {}, "parts of the space: \"DECISION=CHOICE|CHOICE\", as often as wanted");
    methods_ = config.texts("methods", {"evolutionary", "random"},
                            "what competes, with keys of its own: \"evolutionary: published = true\"");
    budgets_ =
        config.integers("budgets", {100, 1000, 10000}, 1, std::int64_t{1} << 40, "distinct evaluations for each limit");
    trials_ = static_cast<int>(config.integer("trials", 10, 1, 10000, "repetitions with other seeds"));
    if (budgets_.empty()) throw Error(config.location("budgets") + ": give at least one number of evaluations");
    if (!best_known_.empty() && best_known_.size() != limits_ms_.size())
      throw Error(config.location("best_known") + ": " + count_of(std::ssize(best_known_), "value") + " for " +
                  count_of(std::ssize(limits_ms_), "limit") + "; give one for each of limits_ms");
    std::sort(budgets_.begin(), budgets_.end());
    read_contenders(config.location("methods"));
  }

  std::vector<std::string> spaces() const override { return {data_settings_.space}; }

  void prepare(const Store& store) override {
    const auto known = store.spaces();
    const bool measured = std::find(known.begin(), known.end(), data_settings_.space) != known.end();
    space_.emplace(SearchSpace::load(data_settings_.space_reference, data_settings_.geometry));
    part_.emplace(SubSpace::of(*space_));
    for (const auto& text : fix_) part_->fix(text);
    if (measured) loaded_ = data_settings_.open(store, seed_);
    store_ = store.path();
    if (latencies_.empty()) throw Error("latencies: give at least one, for example [\"device:all\"]");
    expand_latencies();
    for (const auto& what : latencies_) {
      auto objectives = make_objectives(what);
      for (const auto& objective : objectives) {
        if (objective.model) keep_predictable(*objective.model, *part_);
        if (!objective.checksum.empty()) other_data_ += "# " + objective.label + " " + objective.checksum + "\n";
      }
    }
    for (const auto& one : contenders_)
      if (!one.kind->version.empty()) other_data_ += "# method " + one.kind->name + " " + one.kind->version + "\n";
  }

  std::string other_data() const override { return other_data_; }

  std::string why_not_shared() const override { return ""; }

  void run(Workspace& work) override {
    if (loaded_) loaded_->label(*work.arrays);
    if (!loaded_) label_space(*work.arrays, *space_);
    {
      Timer timer(work.timings, "the truth");
      for (const auto& what : latencies_) grounds_.push_back(ground(what));
    }
    {
      Timer timer(work.timings, "searches");
      SharedUnits units(work.sharing, work.identity);
      compete(units);
    }
    if (work.sharing.is_part()) return;
    if (std::any_of(grounds_.begin(), grounds_.end(), [](const Ground& g) { return std::isnan(g.hypervolume); }))
      take_best_found();
    write(work);
  }

 private:
  void read_contenders(const std::string& where) {
    if (methods_.empty()) throw Error(where + ": give at least one method");
    for (const auto& text : methods_) {
      try {
        contenders_.push_back(contender(text));
      } catch (const Error& error) {
        throw Error(where + ": \"" + text + "\": " + error.what());
      }
      for (std::size_t c = 0; c + 1 < contenders_.size(); ++c)
        if (key(contenders_[c].name) == key(contenders_.back().name))
          throw Error(where + ": \"" + text + "\" is there twice; results could not tell them apart");
    }
  }

  static Contender contender(const std::string& text) {
    const auto colon = text.find(':');
    Contender own;
    const std::string name =
        text.substr(0, text.find_last_not_of(' ', colon == std::string::npos ? colon : colon - 1) + 1);
    own.kind = &search_method(name);
    own.name = name;
    if (!own.kind->takes_evaluations)
      throw Error(name + " keeps to no budget of evaluations; it is the truth that others are held against");
    std::vector<std::string> keys;
    if (colon != std::string::npos) {
      std::string rest = text.substr(colon + 1);
      for (std::size_t at = 0; at <= rest.size();) {
        const auto end = std::min(rest.find(',', at), rest.size());
        std::string key = rest.substr(at, end - at);
        key.erase(std::remove(key.begin(), key.end(), ' '), key.end());
        if (!key.empty()) keys.push_back(key), own.name += " " + key;
        at = end + 1;
      }
    }
    Config config = Config::load("", keys);
    own.method = own.kind->read(config);
    config.finish();
    return own;
  }

  void expand_latencies() {
    std::vector<std::string> all;
    for (const auto& what : latencies_) {
      const auto colon = what.find(':');
      const std::string kind = what.substr(0, colon);
      if (loaded_ && what.substr(std::min(what.size(), colon)) == ":all" && (kind == "device" || kind == "proxy"))
        for (const auto& name : loaded_->data.expand({"all"}, "latencies")) all.push_back(kind + ":" + name);
      else
        all.push_back(what);
    }
    latencies_ = all;
  }

  std::vector<Objective> make_objectives(const std::string& latency) const {
    const auto make = [&](const std::string& what, const std::string& key, const std::string& folder,
                          Direction direction) {
      const ObjectiveSources sources{*space_, loaded_ ? &loaded_->data : nullptr, store_, folder, Backend::cpu};
      return make_objective(sources, what, key, direction);
    };
    std::vector<Objective> objectives{make(quality_, "quality", folders_[0], Direction::maximise),
                                      make(latency, "latencies", folders_[1], Direction::minimise)};
    objectives[0].name = "quality";
    objectives[1].name = "latency_ms";
    return objectives;
  }

  Ground ground(const std::string& latency) const {
    Ground own;
    own.device = latency.substr(latency.find(':') + 1);
    own.problem = std::make_unique<SearchProblem>(
        SearchProblem{*part_, loaded_ ? &loaded_->data : nullptr, make_objectives(latency)});
    for (const double limit : limits_ms_.empty() ? limits_at(*own.problem, kQuantiles, seed_) : limits_ms_)
      own.limits.push_back({{kNan, limit}});
    SearchQuestion question;
    question.limits = own.limits;
    Evaluator evaluator(*own.problem, question);
    if (exhaustive_size(*own.problem) <= kQuick)
      own.truth = ExhaustiveSearch().search(evaluator);
    else if (adds_up(*own.problem))
      own.truth = ExactSearch().search(evaluator);
    for (std::size_t l = 0; l < own.limits.size(); ++l) {
      const Solution* best = own.truth.best.empty() ? nullptr : own.truth.best_of(l);
      own.best.push_back(best ? best->values[0] : best_known_.empty() ? kNan : best_known_[l]);
    }
    if (!own.truth.front.empty()) measure_by(own, own.truth.front);
    return own;
  }

  // Hypervolumes are shares of this front's, from its own worst corner.
  static void measure_by(Ground& own, const std::vector<Solution>& front) {
    const Front all = as_front(front);
    own.reference = {all.back().latency_ms, all.front().quality};
    own.hypervolume = hypervolume(all, own.reference);
  }
  static Front as_front(const std::vector<Solution>& solutions) {
    Front front;
    for (const auto& s : solutions) front.push_back({0, s.values[1], s.values[0]});
    return front;
  }

  std::int64_t place(std::size_t ground, std::size_t contender, std::size_t budget, int trial) const {
    return static_cast<std::int64_t>(((ground * contenders_.size() + contender) * budgets_.size() + budget) * trials_) +
           trial;
  }

  // Each search runs in one thread, and depends on nothing else.
  void compete(SharedUnits& units) {
    outcomes_.resize(grounds_.size() * contenders_.size() * budgets_.size() * trials_);
    fronts_.resize(outcomes_.size());
    std::vector<std::int64_t> side_by_side, one_at_a_time;
    for (std::int64_t i = 0; i < std::ssize(outcomes_); ++i)
      (contender_of(i).kind->one_at_a_time ? one_at_a_time : side_by_side).push_back(i);
    for (const auto* places : {&side_by_side, &one_at_a_time}) {
      const bool parallel = places == &side_by_side;
      // In turn: a search of 10,000 evaluations takes as long as a hundred of 100.
      const UnitStage stage{parallel ? "searches" : "searches one at a time",
                            "searching",
                            "searches",
                            std::ssize(*places),
                            true,
                            parallel};
      const auto results = units.run(stage, [&](std::int64_t unit) { return search((*places)[unit]); });
      for (std::int64_t unit = 0; unit < stage.n; ++unit)
        if (!results[unit].numbers.empty()) take(results[unit], (*places)[unit]);
    }
  }

  const Ground& ground_of(std::int64_t place) const {
    return grounds_[static_cast<std::size_t>(place) / trials_ / budgets_.size() / contenders_.size()];
  }

  // The numbers are in the order in which take() reads them.
  UnitResult search(std::int64_t place) const {
    const auto trial = static_cast<int>(place % trials_);
    const std::size_t b = static_cast<std::size_t>(place) / trials_ % budgets_.size();
    const Ground& own = ground_of(place);
    SearchQuestion question;
    question.limits = own.limits;
    question.seed = seed_ + static_cast<std::uint64_t>(trial);
    question.budget.evaluations = budgets_[b] * std::ssize(own.limits);
    const auto begin = std::chrono::steady_clock::now();
    Evaluator evaluator(*own.problem, question);
    const SearchResult found = contender_of(place).method->search(evaluator);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    UnitResult result{{seconds, static_cast<double>(evaluator.n_evaluated())}};
    auto& numbers = result.numbers;
    for (std::size_t l = 0; l < own.limits.size(); ++l) {
      const Solution* best = found.best_of(l);
      numbers.push_back(best ? best->values[0] : kNan);
    }
    if (!std::isnan(own.hypervolume)) {
      numbers.push_back(hypervolume(as_front(found.front), own.reference) / own.hypervolume);
      return result;
    }
    for (const auto& solution : found.front) {
      numbers.insert(numbers.end(), solution.choices.begin(), solution.choices.end());
      numbers.insert(numbers.end(), solution.values.begin(), solution.values.end());
    }
    return result;
  }

  void take(const UnitResult& result, std::int64_t place) {
    const Ground& own = ground_of(place);
    Outcome& outcome = outcomes_[place];
    auto next = result.numbers.begin();
    const auto end = result.numbers.end();
    outcome.seconds = *next++;
    outcome.evaluated = static_cast<std::int64_t>(*next++);
    for (std::size_t l = 0; l < own.limits.size(); ++l) outcome.quality.push_back(*next++);
    if (!std::isnan(own.hypervolume)) {
      outcome.hypervolume = *next;
      return;
    }
    const std::ptrdiff_t n_decisions = space_->n_decisions(), n_objectives = std::ssize(own.problem->objectives);
    while (next != end) {
      Solution solution;
      for (auto i = n_decisions; i > 0; --i) solution.choices.push_back(static_cast<std::uint8_t>(*next++));
      solution.values.assign(next, next + n_objectives);
      next += n_objectives;
      fronts_[place].push_back(std::move(solution));
    }
  }

  const Contender& contender_of(std::int64_t place) const {
    return contenders_[static_cast<std::size_t>(place) / trials_ / budgets_.size() % contenders_.size()];
  }

  // Where the truth is not known, the front of all that any search found stands for it.
  void take_best_found() {
    for (std::size_t g = 0; g < grounds_.size(); ++g) {
      Ground& own = grounds_[g];
      if (!std::isnan(own.hypervolume)) continue;
      const auto first = place(g, 0, 0, 0), end = place(g + 1, 0, 0, 0);
      std::vector<Solution> all;
      for (auto i = first; i < end; ++i) all.insert(all.end(), fronts_[i].begin(), fronts_[i].end());
      if (all.empty()) continue;
      measure_by(own, front_of(*own.problem, all, Backend::cpu));
      for (auto i = first; i < end; ++i) {
        outcomes_[i].hypervolume = hypervolume(as_front(fronts_[i]), own.reference) / own.hypervolume;
        for (std::size_t l = 0; l < own.limits.size(); ++l)
          if (best_known_.empty() && !(outcomes_[i].quality[l] <= own.best[l])) own.best[l] = outcomes_[i].quality[l];
      }
    }
  }

  // Of one contender and budget over all latencies, limits and trials.
  struct Record {
    std::vector<double> regret, hypervolume, seconds, evaluated;
    std::int64_t nothing = 0, searches = 0;
  };
  Record record(std::size_t c, std::size_t b) const {
    Record own;
    for (std::size_t g = 0; g < grounds_.size(); ++g)
      for (int t = 0; t < trials_; ++t) {
        const Outcome& outcome = outcomes_[place(g, c, b, t)];
        own.hypervolume.push_back(outcome.hypervolume);
        own.seconds.push_back(outcome.seconds);
        own.evaluated.push_back(static_cast<double>(outcome.evaluated) /
                                static_cast<double>(grounds_[g].limits.size()));
        for (std::size_t l = 0; l < outcome.quality.size(); ++l) {
          ++own.searches;
          own.nothing += std::isnan(outcome.quality[l]);
          if (!std::isnan(outcome.quality[l])) own.regret.push_back(grounds_[g].best[l] - outcome.quality[l]);
        }
      }
    return own;
  }

  static std::string key(const std::string& name) {
    std::string text = name;
    std::replace(text.begin(), text.end(), ' ', '_');
    std::replace(text.begin(), text.end(), '.', '_');
    return text;
  }

  std::string truth_text() const {
    const auto& certainty = grounds_.front().truth.certainty;
    if (!certainty.empty()) return "the truth (" + certainty + ")";
    return best_known_.empty() ? "the best that any of these searches found"
                               : "the best known values of the configuration";
  }

  void write(Workspace& work) {
    auto& summary = work.summary;
    summary.set("part", part_->describe());
    summary.set("part_size", to_decimal(part_->size()));
    summary.set("quality", grounds_.front().problem->goal().label);
    summary.set("regret_against", truth_text());
    const std::string unit = grounds_.front().problem->goal().unit;
    Table table({"method", "evaluations a limit", "used", "regret" + (unit.empty() ? "" : " [" + unit + "]"), "worst",
                 "optimal", "nothing found", "hypervolume"});
    std::vector<double> regret, low, high, volume;
    for (std::size_t c = 0; c < contenders_.size(); ++c)
      for (std::size_t b = 0; b < budgets_.size(); ++b) {
        const Record own = record(c, b);
        const std::string at = "." + key(contenders_[c].name) + "." + std::to_string(budgets_[b]);
        const auto mean = [](std::span<const double> values) { return statistics(values).mean; };
        const double worst = own.regret.empty() ? kNan : *std::max_element(own.regret.begin(), own.regret.end());
        const auto optimal = std::count_if(own.regret.begin(), own.regret.end(), [](double r) { return r <= 0; });
        summary.set("regret" + at, mean(own.regret));
        if (own.regret.empty()) summary.set_reason("regret" + at, "nothing was found within any limit");
        summary.set("regret_worst" + at, worst);
        if (own.regret.empty()) summary.set_reason("regret_worst" + at, "nothing was found within any limit");
        summary.set("violations" + at, static_cast<double>(own.nothing) / static_cast<double>(own.searches));
        summary.set("hypervolume" + at, mean(own.hypervolume));
        summary.set("evaluated" + at, mean(own.evaluated));
        table.row({contenders_[c].name, std::to_string(budgets_[b]), fixed(mean(own.evaluated), 0),
                   brief(mean(own.regret)), brief(worst),
                   fixed(100.0 * static_cast<double>(optimal) / static_cast<double>(own.searches), 0) + " %",
                   fixed(100.0 * static_cast<double>(own.nothing) / static_cast<double>(own.searches), 0) + " %",
                   fixed(mean(own.hypervolume), 4)});
        work.timings.add(
            "one search of " + contenders_[c].name + ", " + std::to_string(budgets_[b]) + " evaluations a limit",
            mean(own.seconds));
        const auto trials = statistics(own.regret);
        regret.push_back(trials.mean);
        low.push_back(trials.q10);
        high.push_back(trials.q90);
        volume.push_back(mean(own.hypervolume));
      }
    write_arrays(*work.arrays, regret, low, high, volume);
    work.report += std::to_string(contenders_.size()) + " search methods on " + part_->describe() + " (" +
                   to_decimal(part_->size()) + " architectures): " + grounds_.front().problem->goal().label +
                   " against " + count_of(std::ssize(grounds_), "device") + " under " +
                   count_of(std::ssize(grounds_.front().limits), "limit") + ", " + count_of(trials_, "seed") +
                   ". Regret: against " + truth_text() +
                   ", mean and worst over latencies, limits and seeds where something was found. Hypervolume: share of "
                   "that front's, "
                   "of all that a search met.\n\n" +
                   table.markdown() + "\n" + by_limit(summary);
  }

  static std::string quality_text(double value) { return std::abs(value) < 1000 ? fixed(value, 4) : brief(value); }

  // Mean quality at the largest budget.
  std::string by_limit(Summary& summary) const {
    if (limits_ms_.empty() || grounds_.size() != 1) return "";
    std::vector<std::string> header{"method, " + std::to_string(budgets_.back()) + " evaluations a limit"};
    const Ground& own = grounds_.front();
    for (const auto& limits : own.limits) header.push_back("within " + limits.text() + " ms");
    Table table(header);
    std::vector<std::string> truth{own.truth.best.empty() ? "best known" : "the truth"};
    for (const double best : own.best) truth.push_back(quality_text(best));
    table.row(truth);
    for (std::size_t c = 0; c < contenders_.size(); ++c) {
      std::vector<std::string> cells{contenders_[c].name};
      for (std::size_t l = 0; l < own.limits.size(); ++l) {
        std::vector<double> qualities;
        for (int t = 0; t < trials_; ++t)
          qualities.push_back(outcomes_[place(0, c, budgets_.size() - 1, t)].quality[l]);
        const auto trials = statistics(qualities);
        const std::string at = "quality." + key(contenders_[c].name) + "." + own.limits[l].text();
        summary.set(at, trials.mean);
        if (std::isnan(trials.mean)) summary.set_reason(at, "nothing was found within the limit");
        cells.push_back(quality_text(trials.mean));
      }
      table.row(cells);
    }
    return "Mean quality at the largest budget:\n\n" + table.markdown();
  }

  void write_arrays(LabelledArrays& arrays, const std::vector<double>& regret, const std::vector<double>& low,
                    const std::vector<double>& high, const std::vector<double>& volume) const {
    std::vector<std::string> names, devices;
    for (const auto& one : contenders_) names.push_back(one.name);
    for (const auto& one : grounds_) devices.push_back(one.device);
    const auto& goal = grounds_.front().problem->goal();
    const std::string unit = goal.unit.empty() ? "1" : goal.unit;
    arrays.axis("searchers", names, {"search method", ""});
    arrays.axis("search_budgets", budgets_, {"evaluations a limit", "1"});
    arrays.axis("devices", devices, {"what is limited", ""});
    arrays.numbered_axis("limit", std::ssize(grounds_.front().limits), "limit, of each device its own");
    arrays.numbered_axis("trial", trials_, "repetition with another seed");
    const std::vector<std::string> summed = {"searchers", "search_budgets"};
    arrays.write("regret/mean", regret, summed, {"regret: " + goal.label + " lost, mean", unit});
    arrays.write("regret/q10", low, summed, {"regret, 10 % quantile", unit});
    arrays.write("regret/q90", high, summed, {"regret, 90 % quantile", unit});
    arrays.write("hypervolume/mean", volume, summed, {"share of the true front's hypervolume, mean", "1"});
    std::vector<double> limits, best, quality, volumes;
    std::vector<std::int64_t> evaluated;
    for (const auto& own : grounds_)
      for (std::size_t l = 0; l < own.limits.size(); ++l)
        limits.push_back(own.limits[l].bounds[1]), best.push_back(own.best[l]);
    for (const auto& own : outcomes_) {
      quality.insert(quality.end(), own.quality.begin(), own.quality.end());
      volumes.push_back(own.hypervolume);
      evaluated.push_back(own.evaluated);
    }
    const std::vector<std::string> of_limits = {"devices", "limit"},
                                   of_runs = {"devices", "searchers", "search_budgets", "trial"};
    auto of_qualities = of_runs;
    of_qualities.push_back("limit");
    const auto& limited = grounds_.front().problem->objectives[1];
    arrays.write("limits_ms", limits, of_limits, {"limit", limited.unit.empty() ? "1" : limited.unit});
    arrays.write("best", best, of_limits, {goal.label + " of the truth within the limit", unit});
    arrays.write("runs/quality", quality, of_qualities, {goal.label + " found within the limit", unit});
    arrays.write("runs/hypervolume", volumes, of_runs, {"share of the true front's hypervolume", "1"});
    arrays.write("runs/evaluated", evaluated, of_runs, {"architectures evaluated", "1"});
  }

  std::uint64_t seed_;
  DataSettings data_settings_;
  std::string quality_, store_, other_data_;
  std::vector<std::string> latencies_, fix_, methods_, folders_;
  std::vector<double> limits_ms_, best_known_;
  std::vector<std::int64_t> budgets_;
  int trials_ = 0;
  std::vector<Contender> contenders_;
  std::optional<SearchSpace> space_;
  std::optional<SubSpace> part_;
  std::unique_ptr<SpaceData> loaded_;
  std::vector<Ground> grounds_;
  std::vector<Outcome> outcomes_;              // [grounds, contenders, budgets, trials]
  std::vector<std::vector<Solution>> fronts_;  // likewise, where the truth is not known
};

}  // namespace

std::unique_ptr<Experiment> read_searchers(Config& config, std::uint64_t seed) {
  return std::make_unique<Searchers>(config, seed);
}

}  // namespace oneproxy
