#include "experiments/kinds/search_report.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/search/confidence.h"
#include "oneproxy/engine/search/hypervolume.h"

namespace oneproxy {
namespace {

constexpr const char* kNoneWithin = "no architecture within the limit was found";

class SearchReport {
 public:
  SearchReport(Workspace& work, const Evaluator& evaluator, const SearchOutcome& outcome)
      : work_(work), evaluator_(evaluator), problem_(evaluator.problem()), outcome_(outcome) {}

  void write() {
    head();
    for (std::size_t l = 0; l < evaluator_.limits().size(); ++l) {
      summarise_best(l);
      if (outcome_.truth) summarise_regret(l);
      if (!outcome_.certificates.empty()) summarise_certificate(l);
    }
    arrays();
    summarise_hypervolume();
    if (outcome_.truth) compare_fronts();
    report();
  }

 private:
  const Objective& objective(std::size_t i) const { return problem_.objectives[i]; }
  std::size_t n_objectives() const { return problem_.objectives.size(); }
  std::string limit_key(std::size_t l) const { return "." + evaluator_.limits()[l].text(); }

  void head() {
    auto& summary = work_.summary;
    summary.set("method", outcome_.method);
    for (std::size_t i = 0; i < n_objectives(); ++i) {
      const std::string key = objective(i).name == "latency_ms" ? "latency" : objective(i).name;
      summary.set(key, objective(i).label);
      if (i == 0 && objective(i).is_stand_in) summary.set(key + "_is_stand_in", true);
    }
    summary.set("part", problem_.part.describe());
    summary.set("part_size", to_decimal(problem_.part.size()));
    summary.set("certainty", outcome_.result.certainty);
    if (outcome_.confidence > 0) summary.set("confidence", outcome_.confidence);
    for (const auto& one : problem_.objectives)
      if (one.posterior) summary.set("confidence_devices", one.posterior->calibration.n_devices);
    summary.set("evaluated", evaluator_.n_evaluated());
    if (!evaluator_.n_evaluated_is_exact()) summary.set("evaluated_is_upper_bound", true);
    summary.set("front_size", static_cast<std::int64_t>(outcome_.result.front.size()));
  }

  void summarise_best(std::size_t l) {
    auto& summary = work_.summary;
    const auto& best = outcome_.result.best[l];
    if (best.empty())
      for (const auto& one : problem_.objectives) {
        summary.set(one.name + limit_key(l), std::nan(""));
        const auto found = outcome_.contradictions.find(l);
        summary.set_reason(one.name + limit_key(l),
                           found == outcome_.contradictions.end() ? kNoneWithin : found->second);
      }
    for (std::size_t r = 0; r < best.size(); ++r) {
      const std::string key = limit_key(l) + (r == 0 ? "" : "." + std::to_string(r + 1));
      for (std::size_t i = 0; i < n_objectives(); ++i) summary.set(objective(i).name + key, best[r].values[i]);
      summary.set("arch" + key, problem_.part.space().to_string(best[r].choices));
      for (std::size_t i = 0; i < n_objectives(); ++i) {
        if (!objective(i).posterior) continue;
        const auto kept = kept_by(best[r], i, evaluator_.limits()[l].bounds[i]);
        summary.set(objective(i).name + "_deviation" + key, kept.deviation);
        if (!std::isnan(kept.probability)) summary.set(objective(i).name + "_probability" + key, kept.probability);
      }
    }
  }

  KeptLimit kept_by(const Solution& solution, std::size_t i, double limit) const {
    return kept_limit(objective(i), solution.choices, solution.values[i], limit);
  }

  // "24.8", or "24.8 +- 1.3, P(<= 25) = .56" where that is known.
  std::string value_cell(const Solution& solution, std::size_t i, std::size_t l) const {
    const double value = solution.values[i], limit = evaluator_.limits()[l].bounds[i];
    if (!objective(i).posterior) return key_number(value);
    const auto kept = kept_by(solution, i, limit);
    std::string text = key_number(value) + " +- " + brief(kept.deviation);
    if (!std::isnan(kept.probability))
      text += std::string(", P(") + (objective(i).maximised() ? ">= " : "<= ") + key_number(limit) +
              ") = " + fixed(kept.probability, 2);
    return text;
  }

  // What the deviations and probabilities are, for people.
  std::string how_uncertain() const {
    std::string text;
    for (const auto& one : problem_.objectives) {
      if (!one.posterior) continue;
      const auto devices = one.posterior->calibration.n_devices;
      text += one.label +
              ": +- is the standard deviation of one measurement around the prediction, P the probability " +
              "that it keeps the limit" +
              (devices > 0
                   ? ", learnt from the errors at answers of searches on " + std::to_string(devices) + " source devices"
                   : ", by stated errors: there were too few source devices to calibrate it") +
              (outcome_.confidence > 0
                   ? "; the limits hold with confidence " + plain(outcome_.confidence) + ", " +
                         fixed(one.posterior->calibration.spreads(outcome_.confidence), 2) + " deviations within"
                   : "; the limits are on the prediction, and --confidence 0.9 makes them hold") +
              ".\n\n";
    }
    return text;
  }

  // What the result loses in the goal against the truth; NaN where one of them found nothing.
  double regret_at(std::size_t l) const {
    const Solution *ours = outcome_.result.best_of(l), *exact = outcome_.truth->best_of(l);
    if (!ours || !exact) return std::nan("");
    return objective(0).maximised() ? exact->values[0] - ours->values[0] : ours->values[0] - exact->values[0];
  }

  void summarise_regret(std::size_t l) {
    const Solution* exact = outcome_.truth->best_of(l);
    work_.summary.set("exhaustive_" + objective(0).name + limit_key(l), exact ? exact->values[0] : std::nan(""));
    const double regret = regret_at(l);
    work_.summary.set("regret" + limit_key(l), regret);
    if (std::isnan(regret))
      work_.summary.set_reason("regret" + limit_key(l), "one of the searches has no architecture within the limit");
  }

  void summarise_certificate(std::size_t l) {
    if (outcome_.result.best[l].empty()) return;
    const auto& certificate = outcome_.certificates[l];
    work_.summary.set("certified_exchanges" + limit_key(l), static_cast<std::int64_t>(certificate.digits));
    work_.summary.set("certificate_scored" + limit_key(l), certificate.n_certificate);
    work_.summary.set("certificate_is_exact" + limit_key(l), certificate.exact);
  }

  void write_front(const std::string& group, const std::vector<Solution>& front) {
    auto& arrays = *work_.arrays;
    std::vector<std::uint8_t> choices;
    for (const auto& solution : front) choices.insert(choices.end(), solution.choices.begin(), solution.choices.end());
    arrays.axis(group + "/architecture", architecture_strings(problem_.part.space(), choices),
                {"architecture of the front", ""});
    arrays.write(group + "/choices", choices, {"architecture", "decision"}, {"choice of each decision", "1"});
    for (std::size_t i = 0; i < n_objectives(); ++i) {
      std::vector<double> values;
      for (const auto& solution : front) values.push_back(solution.values[i]);
      arrays.write(group + "/" + objective(i).name, values, {"architecture"}, {objective(i).label, unit(i)});
      if (!objective(i).posterior) continue;
      std::vector<double> deviations;
      for (const auto& solution : front) deviations.push_back(kept_by(solution, i, std::nan("")).deviation);
      arrays.write(group + "/" + objective(i).name + "_deviation", deviations, {"architecture"}, deviation(i));
    }
  }

  // That of a number without a unit is "1", as elsewhere in HDF5 files.
  std::string unit(std::size_t i) const { return objective(i).unit.empty() ? "1" : objective(i).unit; }

  About deviation(std::size_t i) const {
    return {"standard deviation of one measurement of " + objective(i).label + " around its prediction", unit(i)};
  }

  // "all of fbnet, 984770902183611232881 architectures" only where that is so; else how many of them were looked at.
  std::string searched() const {
    const std::string size = to_decimal(problem_.part.size()), part = problem_.part.describe();
    const auto& covered = outcome_.result.n_covered;
    const std::string looked_at = covered ? to_decimal(*covered) : std::to_string(evaluator_.n_evaluated());
    if (looked_at == size) return part + ", " + size + " architectures";
    return (covered || evaluator_.n_evaluated_is_exact() ? "" : "at most ") + looked_at + " of the " + size +
           " architectures of " + (problem_.part.is_whole() ? problem_.part.space().name() : part);
  }

  // The solutions within limits, one after the other.
  void write_best() {
    std::vector<std::string> limits;
    std::vector<std::int64_t> places;
    std::vector<std::uint8_t> choices;
    std::vector<std::vector<double>> values(n_objectives()), bounds(n_objectives()), deviations(n_objectives()),
        probabilities(n_objectives());
    for (std::size_t l = 0; l < evaluator_.limits().size(); ++l)
      for (std::size_t r = 0; r < outcome_.result.best[l].size(); ++r) {
        const auto& solution = outcome_.result.best[l][r];
        limits.push_back(evaluator_.limits()[l].text());
        places.push_back(static_cast<std::int64_t>(r) + 1);
        choices.insert(choices.end(), solution.choices.begin(), solution.choices.end());
        for (std::size_t i = 0; i < n_objectives(); ++i) {
          values[i].push_back(solution.values[i]);
          bounds[i].push_back(evaluator_.limits()[l].bounds[i]);
          if (!objective(i).posterior) continue;
          const auto kept = kept_by(solution, i, evaluator_.limits()[l].bounds[i]);
          deviations[i].push_back(kept.deviation);
          probabilities[i].push_back(kept.probability);
        }
      }
    if (limits.empty()) return;
    auto& arrays = *work_.arrays;
    arrays.numbered_axis("best/answer", std::ssize(limits), "answer, limit by limit, the best of each first");
    arrays.write("best/architecture", architecture_strings(problem_.part.space(), choices), "answer",
                 {"architecture", ""});
    arrays.write("best/limit", limits, "answer", {"limits that the answer keeps", ""});
    arrays.write("best/place", places, {"answer"}, {"place among the answers of its limit", "1"});
    arrays.write("best/choices", choices, {"answer", "decision"}, {"choice of each decision", "1"});
    for (std::size_t i = 0; i < n_objectives(); ++i) {
      const std::string name = "best/" + objective(i).name;
      arrays.write(name, values[i], {"answer"}, {objective(i).label, unit(i)});
      arrays.write(name + "_limit", bounds[i], {"answer"}, {"limit on " + objective(i).label, unit(i)});
      if (!objective(i).posterior) continue;
      arrays.write(name + "_deviation", deviations[i], {"answer"}, deviation(i));
      arrays.write(name + "_probability", probabilities[i], {"answer"},
                   {"probability that " + objective(i).label + " keeps its limit", "1"});
    }
  }

  void arrays() {
    auto& arrays = *work_.arrays;
    std::vector<std::string> names, labels, units, directions;
    for (const auto& one : problem_.objectives) {
      names.push_back(one.name);
      labels.push_back(one.label);
      units.push_back(one.unit);
      directions.push_back(one.maximised() ? "maximise" : "minimise");
    }
    arrays.axis("objectives/name", names, {"objective, the goal first", ""});
    arrays.write("objectives/label", labels, "name", {"what the objective is", ""});
    arrays.write("objectives/unit", units, "name", {"unit of the objective", ""});
    arrays.write("objectives/direction", directions, "name", {"which way is better", ""});
    arrays.set_attribute("/", "searched", searched());
    arrays.set_attribute("/", "certainty", outcome_.result.certainty);
    write_front("front", outcome_.result.front);
    write_best();
    if (outcome_.truth) write_front("exhaustive_front", outcome_.truth->front);
  }

  void summarise_hypervolume() {
    const auto& front = outcome_.result.front;
    if (front.empty()) return;
    const auto corner = worst_corner(problem_, outcome_.truth ? outcome_.truth->front : front);
    work_.summary.set("hypervolume", hypervolume(problem_, front, corner));
    for (std::size_t i = 0; i < n_objectives(); ++i)
      work_.summary.set("hypervolume_reference." + objective(i).name, corner[i]);
  }

  void compare_fronts() {
    const auto& truth = outcome_.truth->front;
    if (truth.empty()) return;
    std::int64_t reached = 0;
    for (const auto& point : truth)
      reached += std::any_of(outcome_.result.front.begin(), outcome_.result.front.end(),
                             [&](const Solution& own) { return own.values == point.values; });
    work_.summary.set("recall", static_cast<double>(reached) / static_cast<double>(truth.size()));
    const auto corner = worst_corner(problem_, truth);
    const double whole = hypervolume(problem_, truth, corner);
    if (whole > 0) work_.summary.set("hv_ratio", hypervolume(problem_, outcome_.result.front, corner) / whole);
  }

  // As `latency` of the configuration; anything else is called by its own name.
  bool is_latency(std::size_t i) const { return objective(i).name == "latency_ms" && objective(i).unit == "ms"; }

  // "latency_ms <= 25, energy <= 40 mJ"; of a limit on the latency alone the number.
  std::string limit_cell(std::size_t l) const {
    const auto& limits = evaluator_.limits()[l];
    std::string text;
    int count = 0;
    for (std::size_t i = 0; i < n_objectives(); ++i) {
      if (std::isnan(limits.bounds[i])) continue;
      ++count;
      text += (text.empty() ? "" : ", ") + objective(i).name + (objective(i).maximised() ? " >= " : " <= ") +
              key_number(limits.bounds[i]) +
              (is_latency(i) || objective(i).unit.empty() ? "" : " " + objective(i).unit);
    }
    return count == 1 && !std::isnan(limits.bounds[1]) && is_latency(1) ? key_number(limits.bounds[1])
           : count == 0                                                 ? "none"
                                                                        : text;
  }

  std::string certificate_cell(std::size_t l) const {
    if (outcome_.result.best[l].empty()) return "-";
    const auto& certificate = outcome_.certificates[l];
    return std::string(certificate.digits == 1 ? "one digit" : "two digits") + ", " +
           std::to_string(certificate.n_certificate) + " scored" +
           (certificate.exact
                ? ""
                : " (" + std::string(to_string(evaluator_.question().precision)) + " scores, not proven)");
  }

  static std::string heading(const Objective& one) {
    return one.label + (one.unit.empty() ? "" : " [" + one.unit + "]");
  }

  std::string table() const {
    std::vector<std::string> header = {"limit", "best " + objective(0).label};
    if (outcome_.truth) header.insert(header.end(), {"exhaustive", "regret"});
    for (std::size_t i = 1; i < n_objectives(); ++i)
      header.push_back(n_objectives() == 2 && is_latency(i) ? "latency [" + objective(i).unit + "]"
                                                            : heading(objective(i)));
    header.push_back("architecture");
    if (!outcome_.certificates.empty()) header.push_back("no better exchange of");
    Table table(header);
    for (std::size_t l = 0; l < evaluator_.limits().size(); ++l) {
      const auto& best = outcome_.result.best[l];
      for (std::size_t r = 0; r < std::max<std::size_t>(best.size(), 1); ++r) {
        const bool found = r < best.size();
        std::vector<std::string> cells = {limit_cell(l), found ? key_number(best[r].values[0]) : "none found"};
        if (outcome_.truth) {
          const Solution* exact = outcome_.truth->best_of(l);
          const double regret = regret_at(l);
          cells.push_back(r > 0 ? "" : exact ? key_number(exact->values[0]) : "none");
          cells.push_back(r > 0 ? "" : std::isnan(regret) ? "-" : key_number(regret));
        }
        for (std::size_t i = 1; i < n_objectives(); ++i) cells.push_back(found ? value_cell(best[r], i, l) : "-");
        cells.push_back(found ? "`" + problem_.part.space().to_string(best[r].choices) + "`" : "-");
        if (!outcome_.certificates.empty()) cells.push_back(r == 0 ? certificate_cell(l) : "");
        table.row(cells);
      }
    }
    return table.markdown();
  }

  void report() {
    std::string method = outcome_.method;
    method[0] = static_cast<char>(std::toupper(method[0]));
    std::replace(method.begin(), method.end(), '_', ' ');
    std::string against;
    for (std::size_t i = 1; i < n_objectives(); ++i)
      against += (i > 1 ? " and " : "") + objective(i).label + " [" + objective(i).unit + "]";
    work_.report += method + " search, " + searched() + ": " + objective(0).label + " [" + objective(0).unit + "]" +
                    (objective(0).is_stand_in ? ", a stand-in for accuracy," : "") + " against " + against + ". " +
                    std::to_string(evaluator_.n_evaluated()) + " evaluations, front of " +
                    std::to_string(outcome_.result.front.size()) + ".\n\nHow sure: " + outcome_.result.certainty +
                    ".\n\n" + how_uncertain() + table();
  }

  Workspace& work_;
  const Evaluator& evaluator_;
  const SearchProblem& problem_;
  const SearchOutcome& outcome_;
};

}  // namespace

void write_search(Workspace& work, const Evaluator& evaluator, const SearchOutcome& outcome) {
  SearchReport(work, evaluator, outcome).write();
}

}  // namespace oneproxy
