// Best architectures under limits, by any method of search behind the same interface (engine/search/method.h). What is
// not proven is compared with the truth where that can be had.
#include <algorithm>
#include <cmath>

#include "experiments/experiment.h"
#include "experiments/kinds/confidence_key.h"
#include "experiments/kinds/search_report.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/optimizer/proposals.h"
#include "oneproxy/engine/score/reduce_range.h"
#include "oneproxy/engine/search/asked_objectives.h"
#include "oneproxy/engine/search/confidence.h"
#include "oneproxy/engine/search/front.h"
#include "oneproxy/engine/search/methods/auto.h"
#include "oneproxy/engine/search/methods/exhaustive.h"
#include "oneproxy/engine/space/accuracy_model.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kQuantiles[] = {0.10, 0.25, 0.50, 0.75};

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const auto& method : search_methods()) names.push_back(method.name);
  return names;
}

std::string method_descriptions() {
  std::string text;
  for (const auto& method : search_methods())
    text += (text.empty() ? "" : "; ") + method.name + ": " + method.description;
  return text;
}

class Search : public Experiment {
 public:
  Search(Config& config, std::uint64_t seed)
      : seed_(seed), data_settings_(DataSettings::read(config, SpaceParts::taken)) {
    method_ = config.one_of("method", "exhaustive", method_names(), method_descriptions());
    read_objectives(config);
    fix_ = config.texts("fix", {}, "parts of the space: \"DECISION=CHOICE|CHOICE\", as often as wanted");
    uniform_stages_ = config.flag("uniform_stages", false, "only stages whose blocks are all the same");
    question_.seed = seed;
    question_.precision =
        parse_precision(config.one_of("precision", "fp32", {"fp64", "fp32", "tf32", "bf16"},
                                      "of MLP scores; exhaustive results are proven in fp64, or said not to be"));
    question_.sharing.seconds = config.number_outside_identity(
        "checkpoint_seconds", 30, 0, 1e9, "exhaustive: between two checkpoints, from which a killed search goes on");
    question_.n_best =
        static_cast<int>(config.integer("best", 1, 1, 1000, "so many best architectures for each of the limits"));
    certify_ =
        config.one_of("certify", "none", {"none", "single", "pairs"},
                      "then search all exchanges of one digit (stage, layer), or of any two, until none improves");
    confidence_ = read_confidence(config);
    if (confidence_ > 0 && certify_ != "none")
      throw Error(config.location("certify") + ": certify = \"" + certify_ +
                  "\" looks for exchanges within the predicted limits, not within those that hold with a confidence; "
                  "remove one of certify and confidence");
    read_budget(config);
    optimizer_ = config.path("optimizer", "",
                             "file of a trained optimizer, whose proposals from_starts (and auto) "
                             "begin from");
    optimizer_quality_ =
        config.text("optimizer_quality", "", "which of its qualities is meant, where it was trained for several");
    proposals_ = static_cast<int>(config.integer("proposals", 256, 1, 1000000, "of the optimizer, for each limit"));
    if (!optimizer_.empty() && method_ != "from_starts" && method_ != "auto")
      throw Error(config.location("optimizer") + ": method " + method_ +
                  " does not begin from proposals; take method = \"from_starts\" or \"auto\", or no optimizer");
    if (optimizer_.empty() && method_ == "from_starts")
      throw Error(config.location("method") +
                  ": method from_starts begins from an optimizer's proposals; give "
                  "optimizer = FILE, as `oneproxy train-optimizer` writes it");
    for (const auto& kind : search_methods()) {
      auto read = kind.read(config);  // all of them, so that `oneproxy list search` shows their keys
      if (kind.name == method_) searcher_ = std::move(read);
    }
  }

  std::vector<std::string> spaces() const override { return {data_settings_.space}; }

  void prepare(const Store& store) override {
    space_.emplace(SearchSpace::load(data_settings_.space_reference, data_settings_.geometry));
    if (asked_.size() == 1 && asked_.front().key == "latency" && has_accuracy_model(*space_))
      asked_.insert(asked_.begin(), {kAccuracyModel, "quality", Direction::maximise, {}, "quality"});
    if (asked_.size() < 2 || asked_.size() > kMaxObjectives)
      throw Error(
          "the search has " + count_of(std::ssize(asked_), "objective") +
          "; give quality and latency, or two or three objectives = [\"max ...\", \"min ...\"], the goal first");
    const bool measured = has_measurements(store);
    part_.emplace(SubSpace::of(*space_));
    for (const auto& text : fix_) part_->fix(text);
    if (uniform_stages_) part_->keep_uniform_stages();
    if (measured) loaded_ = data_settings_.open(store, seed_);
    store_ = store.path();
    if (!optimizer_.empty()) {
      const auto saved = load_optimizer(optimizer_);
      check_optimizer(saved, *space_, optimizer_);
      other_data_ += "# optimizer " + checksum(saved) + "\n";
    }
    const auto objectives = make_objectives(Backend::cpu);
    if (const auto warning = stand_in_warning(objectives.front(), asked_.front().what); !warning.empty())
      log_warning(warning);
    for (const auto& objective : objectives) {
      if (objective.model) keep_predictable(*objective.model, *part_);
      if (!objective.checksum.empty()) other_data_ += "# " + objective.label + " " + objective.checksum + "\n";
      if (const auto reason = why_no_kernels(objective); !reason.empty())
        no_kernels_ = objective.label + " " + reason + ": such a search is quick, and not shared; run it alone";
    }
    if (const auto& version = search_method(method_).version; !version.empty())
      other_data_ += "# method " + method_ + " " + version + "\n";
  }

  std::string other_data() const override { return other_data_; }

  std::string why_not_shared() const override {
    if (method_ != "exhaustive")
      return "method = \"" + method_ + "\" does not share its work; method = \"exhaustive\" does";
    if (confidence_ > 0) return "a search with confidence asks many questions, whose work is not shared; leave it out";
    return no_kernels_;
  }

  void run(Workspace& work) override {
    if (loaded_) loaded_->label(*work.arrays);
    if (!loaded_) label_space(*work.arrays, *space_);
    const SearchProblem problem{*part_, loaded_ ? &loaded_->data : nullptr, make_objectives(work.backend)};
    question_.backend = work.backend;
    work.sharing.seconds = question_.sharing.seconds;
    question_.sharing = work.sharing;
    question_.limits = limits_for(problem);
    if (confidence_ > 0) share_budget(question_);
    require_possible(problem, question_.limits, asked_);
    if (!optimizer_.empty()) propose_starts(work, problem);
    Evaluator evaluator(problem, question_);
    SearchOutcome outcome;
    outcome.method = method_;
    outcome.confidence = confidence_;
    {
      Timer timer(work.timings, method_ + " search");
      outcome.result = search_with_confidence(*searcher_, evaluator, confidence_);
    }
    if (work.sharing.is_part()) return;
    const auto& certainty = outcome.result.certainty;  // of a sample it says nothing of the rest
    const bool proven =
        !certainty.starts_with("exact among") && (search_method(method_).proves || certainty.starts_with("exact"));
    if (!proven && exhaustive_size(problem) <= kQuick) {
      Timer timer(work.timings, "exhaustive search, to compare");
      SearchQuestion asked = question_;
      asked.sharing = {};
      asked.n_best = 1;
      Evaluator all(problem, asked);
      outcome.truth = search_with_confidence(ExhaustiveSearch(), all, confidence_);
    }
    if (confidence_ == 0) name_contradictions(problem, proven, outcome);
    if (certify_ != "none") certify(work, evaluator, outcome);
    write_search(work, evaluator, outcome);
  }

 private:
  // Whether the store has the set, without which a search of predictors and tables does. One that is needed and is not
  // there is an error where it is opened.
  bool has_measurements(const Store& store) const {
    const auto has = [](const std::vector<std::string>& names, const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (!has(store.spaces(), data_settings_.space)) return false;
    const auto needed = [](const AskedObjective& one) {
      return one.what.starts_with("device:") || one.what.starts_with("metric:") || one.what.starts_with("proxy:");
    };
    return has(store.sets(data_settings_.space), data_settings_.set) ||
           std::any_of(asked_.begin(), asked_.end(), needed);
  }

  void read_objectives(Config& config) {
    const std::string quality =
        config.text("quality", "",
                    "what is maximised, the goal: metric:NAME, metric:SET:NAME, predictor:NAME or FILE, table:NAME or "
                    "FILE, model:accuracy (the default where a space has it), model:macs");
    const std::string latency = config.text("latency", "",
                                            "what is minimised: device:NAME (measured), proxy:NAME (linear predictor), "
                                            "predictor:NAME or FILE, table:NAME or FILE, model:macs");
    const auto limits = config.limits("limits_ms", 0, 1e15,
                                      "limits on latency, one a search; [] takes quantiles 0.1, 0.25, 0.5, 0.75 over "
                                      "the set, or over random architectures where there is none");
    const auto limit_unit = common_unit(limits, config.location("limits_ms"));
    std::vector<double> limits_ms;
    for (const auto& limit : limits) limits_ms.push_back(limit.value);
    const auto others = config.texts(
        "objectives", {},
        "further objectives with their limits, \"min table:energy <= 40\"; or all of them, the goal first");
    const std::string where = config.location("objectives");
    if (!quality.empty())
      asked_.push_back({quality, "quality", Direction::maximise, {}, "quality", where, config.folder("quality")});
    if (!latency.empty())
      asked_.push_back({latency, "latency_ms", Direction::minimise, limits_ms, "latency", config.location("limits_ms"),
                        config.folder("latency"), limit_unit});
    else if (!limits_ms.empty())
      throw Error(config.location("limits_ms") +
                  ": limits_ms limits latency, which is not given; write the limit with its "
                  "objective, \"min NAME <= " +
                  plain(limits_ms[0]) + "\"");
    for (const auto& text : others) {
      auto parsed = parse_objective(text, where);
      asked_.push_back({parsed.what, parsed.name, parsed.direction, std::move(parsed.limits), "objectives", where,
                        config.folder("objectives"), parsed.limit_unit});
    }
    check_objectives(asked_);
  }

  void read_budget(Config& config) {
    question_.budget.seconds =
        config.number("seconds", 0.0, 0, 1e9, "time for all limits; 0: the method's own settings say when it ends");
    question_.budget.evaluations = config.integer("evaluations", 0, 0, std::int64_t{1} << 40,
                                                  "likewise distinct architectures, the same on any machine");
    require_budget(search_method(method_), question_.budget, config.location("seconds"),
                   config.location("evaluations"));
  }

  std::vector<Objective> make_objectives(Backend backend) const {
    return oneproxy::make_objectives({*space_, loaded_ ? &loaded_->data : nullptr, store_, "", backend}, asked_);
  }

  // What a trained optimizer proposes for each of the limits.
  void propose_starts(Workspace& work, const SearchProblem& problem) {
    Timer timer(work.timings, "proposals of the optimizer");
    question_.starts = proposals_for(problem, question_.limits, load_optimizer(optimizer_), optimizer_quality_,
                                     proposals_, seed_, optimizer_);
  }

  // As asked for; of nothing asked for, quantiles of the second objective.
  std::vector<Limits> limits_for(const SearchProblem& problem) const {
    std::vector<Limits> all = limits_of(asked_);
    if (!all.empty()) return all;
    for (const double value : limits_at(problem, kQuantiles, seed_)) {
      Limits limits{std::vector<double>(problem.objectives.size(), std::nan(""))};
      limits.bounds[1] = value;
      if (all.empty() || all.back().text() != limits.text()) all.push_back(std::move(limits));
    }
    return all;
  }

  // "energy <= 40 mJ"
  static std::string limit_on(const Objective& one, double bound) {
    return one.name + (one.maximised() ? " >= " : " <= ") + plain(bound) + (one.unit.empty() ? "" : " " + one.unit);
  }

  // Where it is proven that no architecture keeps some limits together: which two of them contradict each other.
  void name_contradictions(const SearchProblem& problem, bool proven, SearchOutcome& outcome) const {
    if (outcome.result.certainty.starts_with("thinned")) return;  // may have lost what keeps them
    if (!proven && !outcome.truth) return;
    const SearchResult& sure = proven ? outcome.result : *outcome.truth;
    for (std::size_t l = 0; l < question_.limits.size(); ++l) {
      const auto& bounds = question_.limits[l].bounds;
      std::vector<std::size_t> bounded;
      for (std::size_t i = 0; i < bounds.size(); ++i)
        if (!std::isnan(bounds[i])) bounded.push_back(i);
      if (!sure.best[l].empty() || bounded.size() < 2) continue;
      for (std::size_t j = 1; j < bounded.size(); ++j)
        for (std::size_t i = 0; i < j; ++i) {
          const std::size_t a = bounded[i], b = bounded[j];
          if (bounded.size() > 2 && !contradict(problem, proven, question_.limits[l], a, b)) continue;
          outcome.contradictions[l] = limit_on(problem.objectives[a], bounds[a]) + " and " +
                                      limit_on(problem.objectives[b], bounds[b]) +
                                      " contradict each other: no "
                                      "architecture of " +
                                      problem.part.describe() + " keeps both";
        }
      if (!outcome.contradictions.contains(l))
        outcome.contradictions[l] = "each two of its limits can be kept, all three can not";
      log_warning(asked_.back().place + ": " + outcome.contradictions[l] + "; relax one of them");
    }
  }

  // Whether no architecture keeps the two alone, by the method that proved it for all.
  bool contradict(const SearchProblem& problem, bool proven, const Limits& limits, std::size_t a, std::size_t b) const {
    SearchQuestion asked = question_;
    asked.sharing = {};
    asked.n_best = 1;
    asked.limits = {Limits{std::vector<double>(limits.bounds.size(), std::nan(""))}};
    for (const std::size_t i : {a, b}) asked.limits[0].bounds[i] = limits.bounds[i];
    Evaluator evaluator(problem, asked);
    return (proven ? searcher_->search(evaluator) : ExhaustiveSearch().search(evaluator)).best[0].empty();
  }

  void certify(Workspace& work, Evaluator& evaluator, SearchOutcome& outcome) const {
    if (!evaluator.problem().has_kernels())
      throw Error("certify = \"" + certify_ +
                  "\" needs objectives that the scoring kernels run over the space; one of "
                  "them is known on the rows of a set only, or is a table of every architecture");
    Timer timer(work.timings, "certificates by exchange");
    for (std::size_t l = 0; l < evaluator.limits().size(); ++l) {
      outcome.certificates.emplace_back();
      auto& best = outcome.result.best[l];
      if (best.empty()) continue;
      outcome.certificates.back() = improve_by_exchange(evaluator, best.front(), l, certify_ == "single" ? 1 : 2);
      best.front() = outcome.certificates.back().solution;
    }
  }

  std::uint64_t seed_;
  DataSettings data_settings_;
  std::string method_, certify_, store_, other_data_;
  std::string no_kernels_;                     // why the scoring kernels can not run it; "" where they can
  std::string optimizer_, optimizer_quality_;  // file; "": none proposes starts
  int proposals_ = 256;
  double confidence_ = 0;  // 0: limits on the predicted values
  std::vector<AskedObjective> asked_;
  std::vector<std::string> fix_;
  bool uniform_stages_ = false;
  SearchQuestion question_;
  std::unique_ptr<SearchMethod> searcher_;
  std::optional<SearchSpace> space_;
  std::optional<SubSpace> part_;
  std::unique_ptr<SpaceData> loaded_;
};

}  // namespace

std::unique_ptr<Experiment> read_search(Config& config, std::uint64_t seed) {
  return std::make_unique<Search>(config, seed);
}

}  // namespace oneproxy
