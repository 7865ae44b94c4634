// The accuracy model (engine/space/accuracy_model.h): learnt from networks that were trained, and how well it ranks
// what it has not seen: other networks of that space, deeper ones than it was learnt on, networks of another space, and
// networks that were published. MACs and parameters, what one would rank by without it, stand beside it.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "experiments/experiment.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/predictor/accuracy_fit.h"
#include "oneproxy/engine/predictor/linear_fit.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/search/objective.h"
#include "oneproxy/engine/search/problem.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

using Choices = std::vector<std::uint8_t>;

// A network whose accuracy somebody published.
struct Published {
  std::string name, arch;
  double accuracy = 0;
};

// Values by which networks may be ranked.
struct Rankings {
  std::vector<double> model, macs, parameters;
};

class AccuracyModelKind : public Experiment {
 public:
  AccuracyModelKind(Config& config, std::uint64_t seed) : seed_(seed), data_settings_(DataSettings::read(config)) {
    metric_ = config.text("metric", std::nullopt, "accuracy that is learnt: metric:NAME or metric:SET:NAME");
    n_test_ = config.integer("test_networks", 500, 10, 1000000, "kept back, to be ranked");
    splits_ = static_cast<int>(config.integer("splits", 8, 1, 1000, "repetitions with other networks kept back"));
    source_ = config.text("source", "", "where the accuracies are from; stands in the model's file");
    licence_ = config.text("licence", "", "of the accuracies; stands in the model's file");
    published_space_ = config.text("published_space", "fbnet", "search space of the [[published]] networks");
    published_geometry_ =
        config.text("published_geometry", "", "data set whose shapes count their MACs; \"\": the first");
    for (auto& table : config.tables("published", "a network whose accuracy was published: name, arch, accuracy")) {
      published_.push_back({table.text("name", std::nullopt, "its name"),
                            table.text("arch", std::nullopt, "its architecture"),
                            table.number("accuracy", std::nullopt, 0, 100, "top-1 in %, as published")});
      table.finish();
    }
    check_space_ = config.text("check_space", "", "another space, whose networks are ranked too; \"\": none");
    check_quality_ = config.text("check_quality", "", "their accuracy, over the whole space: predictor:NAME or FILE");
    check_folder_ = config.folder("check_quality");
    check_fix_ = config.texts("check_fix", {}, "part of that space: \"DECISION=CHOICE|CHOICE\"");
    check_networks_ = config.integer("check_networks", 20000, 100, 10000000, "so many random ones");
    if (check_space_.empty() != check_quality_.empty())
      throw Error(config.location("check_space") +
                  ": check_space and check_quality belong together: a space and the accuracy of its networks");
  }

  std::vector<std::string> spaces() const override { return {data_settings_.space}; }

  void prepare(const Store& store) override {
    loaded_ = data_settings_.open(store, seed_);
    layer_places(loaded_->space);
    series_ = loaded_->data.quality(metric_);
    for (std::int64_t i = 0; i < loaded_->data.n(); ++i)
      if (!std::isnan(series_.values[i])) known_.push_back(i);
    if (std::ssize(known_) < n_test_ + 100)
      throw Error("test_networks = " + std::to_string(n_test_) + ": set " + data_settings_.set + " has " +
                  std::to_string(known_.size()) + " accuracies, and 100 are needed to learn; keep fewer back");
    if (!published_.empty()) {
      published_in_.emplace(SearchSpace::load(published_space_, published_geometry_));
      for (const auto& network : published_) published_in_->parse(network.arch);
      require_accuracy_model(*published_in_);
    }
    if (check_space_.empty()) return;
    check_in_.emplace(SearchSpace::load(check_space_));
    layer_places(*check_in_);
    check_objective_ = make_objective({*check_in_, nullptr, store.path(), check_folder_, Backend::cpu}, check_quality_,
                                      "check_quality", Direction::maximise);
    other_data_ = "# " + check_objective_->label + " " + check_objective_->checksum + "\n";
  }

  std::string other_data() const override { return other_data_; }

  void run(Workspace& work) override {
    loaded_->label(*work.arrays);
    work.arrays->set_attribute("/", "unit", series_.unit);
    Table table({"networks", "n", "SRCC of the model", "of MACs", "of parameters", "of a fitted weight a choice"});
    held_out(work, table);
    deeper(work, table);
    AccuracyModel model = fit(known_);
    model.metric = metric_;
    model.unit = series_.unit;
    model.source = source_;
    model.licence = licence_;
    write_model(work, model);
    if (check_in_) other_space(work, table, model);
    work.report +=
        "# Accuracy model learnt on " + loaded_->space.name() + ", " + series_.label + "\n\n" + table.markdown() + "\n";
    if (published_in_) published(work, model);
  }

 private:
  AccuracyModel fit(const std::vector<std::int64_t>& rows) const {
    const auto [choices, values] = of(rows);
    return fit_accuracy_model(loaded_->space, choices, values);
  }

  std::pair<Choices, std::vector<double>> of(const std::vector<std::int64_t>& rows) const {
    std::pair<Choices, std::vector<double>> result;
    for (const auto i : rows) {
      const auto row = loaded_->data.rows().row(i);
      result.first.insert(result.first.end(), row.begin(), row.end());
      result.second.push_back(series_.values[i]);
    }
    return result;
  }

  // choices [n, n_decisions] of any space that the model knows.
  static Rankings rankings(const SearchSpace& space, const AccuracyModel& model, const Choices& choices) {
    const std::size_t width = space.n_decisions();
    Rankings all{accuracies(space, model, choices), {}, {}};
    for (std::size_t i = 0; i < all.model.size(); ++i) {
      const Cost cost = space.cost(std::span(choices).subspan(i * width, width));
      all.macs.push_back(cost.macs);
      all.parameters.push_back(cost.parameters);
    }
    return all;
  }

  static double srcc(const std::vector<double>& a, const std::vector<double>& b) {
    return spearman(a, b, Backend::cpu).value;
  }

  void held_out(Workspace& work, Table& table) {
    Timer timer(work.timings, "networks kept back");
    std::vector<double> own, macs, parameters, weights, errors;
    for (int split = 0; split < splits_; ++split) {
      auto order = random_permutation(std::ssize(known_), random_stream(seed_, Draws::predictor_split, split));
      std::vector<std::int64_t> test, fitting;
      for (std::size_t i = 0; i < order.size(); ++i)
        (static_cast<std::int64_t>(i) < n_test_ ? test : fitting).push_back(known_[order[i]]);
      const auto [choices, values] = of(test);
      const auto ranked = rankings(loaded_->space, fit(fitting), choices);
      const auto [fitting_choices, fitting_values] = of(fitting);
      const auto linear = fit_linear(loaded_->space, fitting_choices, fitting_values);
      std::vector<double> predicted(values.size());
      linear.predict(choices, predicted);
      own.push_back(srcc(ranked.model, values));
      macs.push_back(srcc(ranked.macs, values));
      parameters.push_back(srcc(ranked.parameters, values));
      weights.push_back(srcc(predicted, values));
      double squares = 0;
      for (std::size_t i = 0; i < values.size(); ++i) squares += std::pow(ranked.model[i] - values[i], 2);
      errors.push_back(std::sqrt(squares / static_cast<double>(values.size())));
      if (split > 0) continue;
      write_ranked(*work.arrays, "kept_back", values, ranked.model, series_.label, series_.unit);
    }
    auto& summary = work.summary;
    summary.set("n_networks", static_cast<std::int64_t>(known_.size()));
    summary.set("srcc.kept_back", mean_interval(own).mean);
    summary.set("srcc.kept_back.macs", mean_interval(macs).mean);
    summary.set("srcc.kept_back.parameters", mean_interval(parameters).mean);
    summary.set("srcc.kept_back.weight_a_choice", mean_interval(weights).mean);
    summary.set("rmse.kept_back", mean_interval(errors).mean);
    table.row({loaded_->space.name() + ", kept back, mean of " + std::to_string(splits_), std::to_string(n_test_),
               fixed(mean_interval(own).mean, 4), fixed(mean_interval(macs).mean, 4),
               fixed(mean_interval(parameters).mean, 4), fixed(mean_interval(weights).mean, 4)});
  }

  // Learnt on the shallower half, ranked on the other: what it says of depths that it has not seen.
  void deeper(Workspace& work, Table& table) {
    std::vector<double> layers;
    for (const auto i : known_) layers.push_back(loaded_->space.cost(loaded_->data.rows().row(i)).layers);
    const double middle = quantile(layers, 0.5);
    std::vector<std::int64_t> shallow, deep;
    for (std::size_t i = 0; i < known_.size(); ++i) (layers[i] <= middle ? shallow : deep).push_back(known_[i]);
    const char* key = "srcc.deeper";
    if (std::ssize(shallow) < 100 || deep.size() < 10) {
      work.summary.set(key, std::nan(""));
      work.summary.set_reason(key, "too few networks on one side of " + plain(middle) + " layers");
      return;
    }
    const auto [choices, values] = of(deep);
    const auto ranked = rankings(loaded_->space, fit(shallow), choices);
    work.summary.set(key, srcc(ranked.model, values));
    table.row({"more than " + plain(middle) + " layers, learnt on the others", std::to_string(deep.size()),
               fixed(srcc(ranked.model, values), 4), fixed(srcc(ranked.macs, values), 4),
               fixed(srcc(ranked.parameters, values), 4), "-"});
  }

  void write_model(Workspace& work, const AccuracyModel& model) const {
    OutputFile file(work.folder + "/accuracy_model.toml");
    file.write("# Learnt by kind = \"accuracy_model\"; the equations are in engine/space/accuracy_model.h.\n" +
               to_toml(model));
    file.finish();
    work.summary.set("decay", model.decay);
  }

  // That of a number without a unit is "1", as elsewhere in HDF5 files.
  static std::string unit_of(const std::string& unit) { return unit.empty() ? "1" : unit; }

  void write_ranked(LabelledArrays& arrays, const std::string& group, const std::vector<double>& values,
                    const std::vector<double>& model, const std::string& label, const std::string& unit) const {
    arrays.numbered_axis(group + "/network", std::ssize(values), "network that the model has not seen");
    arrays.write(group + "/accuracy", values, {"network"}, {label, unit_of(unit)});
    arrays.write(group + "/model", model, {"network"}, {"accuracy model", unit_of(series_.unit)});
  }

  void other_space(Workspace& work, Table& table, const AccuracyModel& model) {
    Timer timer(work.timings, "another space");
    SubSpace part = SubSpace::of(*check_in_);
    for (const auto& text : check_fix_) part.fix(text);
    const SearchProblem problem{part, nullptr, {*check_objective_}};
    const auto choices = random_architectures(problem, check_networks_, seed_);
    std::vector<double> values(choices.size() / check_in_->n_decisions());
    check_objective_->evaluate(choices, values);
    const auto ranked = rankings(*check_in_, model, choices);
    const auto linear = fit_linear(*check_in_, choices, values);
    std::vector<double> fitted(values.size());
    linear.predict(choices, fitted);
    const std::string key = "srcc." + check_in_->name();
    work.summary.set(key, srcc(ranked.model, values));
    work.summary.set(key + ".macs", srcc(ranked.macs, values));
    work.summary.set(key + ".parameters", srcc(ranked.parameters, values));
    table.row({part.describe() + ", " + check_objective_->label, std::to_string(values.size()),
               fixed(srcc(ranked.model, values), 4), fixed(srcc(ranked.macs, values), 4),
               fixed(srcc(ranked.parameters, values), 4), fixed(srcc(fitted, values), 4) + " (of themselves)"});
    write_ranked(*work.arrays, "other_space", values, ranked.model, check_objective_->label, check_objective_->unit);
    work.arrays->set_attribute("/", "other_space", check_in_->name());
  }

  void published(Workspace& work, const AccuracyModel& model) {
    Choices choices;
    std::vector<double> values;
    std::vector<std::string> names;
    for (const auto& network : published_) {
      const auto own = published_in_->parse(network.arch);
      choices.insert(choices.end(), own.begin(), own.end());
      values.push_back(network.accuracy);
      names.push_back(network.name);
    }
    const auto ranked = rankings(*published_in_, model, choices);
    Table table({"published network", "top-1 [%], published", "model", "MACs [million]", "layers"});
    const std::size_t width = published_in_->n_decisions();
    for (std::size_t i = 0; i < names.size(); ++i)
      table.row({names[i], plain(values[i]), fixed(ranked.model[i], 2), fixed(ranked.macs[i] / 1e6, 0),
                 plain(published_in_->cost(std::span(choices).subspan(i * width, width)).layers)});
    auto& summary = work.summary;
    summary.set("srcc.published", srcc(ranked.model, values));
    summary.set("srcc.published.macs", srcc(ranked.macs, values));
    work.report += "Published networks of " + published_in_->name() + ", SRCC of the model " +
                   fixed(srcc(ranked.model, values), 2) + ", of MACs " + fixed(srcc(ranked.macs, values), 2) + ":\n\n" +
                   table.markdown();
    auto& arrays = *work.arrays;
    arrays.axis("published/name", names, {"published network", ""});
    arrays.write("published/accuracy", values, {"name"}, {"published top-1 accuracy", "%"});
    arrays.write("published/model", ranked.model, {"name"}, {"accuracy model", unit_of(series_.unit)});
  }

  std::uint64_t seed_;
  DataSettings data_settings_;
  std::string metric_, source_, licence_, published_space_, published_geometry_, check_space_, check_quality_,
      check_folder_, other_data_;
  std::int64_t n_test_ = 0, check_networks_ = 0;
  int splits_ = 1;
  std::vector<Published> published_;
  std::vector<std::string> check_fix_;
  std::unique_ptr<SpaceData> loaded_;
  Series series_;
  std::vector<std::int64_t> known_;  // rows with an accuracy
  std::optional<SearchSpace> published_in_, check_in_;
  std::optional<Objective> check_objective_;
};

}  // namespace

std::unique_ptr<Experiment> read_accuracy_model(Config& config, std::uint64_t seed) {
  return std::make_unique<AccuracyModelKind>(config, seed);
}

}  // namespace oneproxy
