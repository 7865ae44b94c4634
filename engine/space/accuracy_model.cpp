#include "oneproxy/engine/space/accuracy_model.h"

#include <cmath>
#include <filesystem>

#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kStages = 7;

struct StageNumber {
  const char* key;
  const char* meaning;
  double AccuracyModel::Stage::*value;
};
constexpr StageNumber kNumbers[] = {
    {"first_expansion", "first layer: gain for each log(expansion / groups)", &AccuracyModel::Stage::first_expansion},
    {"first_kernel", "first layer: gain of kernel 5", &AccuracyModel::Stage::first_kernel},
    {"first_squeeze", "first layer: gain of squeeze-and-excitation", &AccuracyModel::Stage::first_squeeze},
    {"repeated", "second layer: gain at expansion 1, kernel 3", &AccuracyModel::Stage::repeated},
    {"expansion", "second layer: gain for each log(expansion / groups)", &AccuracyModel::Stage::expansion},
    {"kernel", "second layer: gain of kernel 5", &AccuracyModel::Stage::kernel},
    {"squeeze_excitation", "second layer: gain of squeeze-and-excitation", &AccuracyModel::Stage::squeeze_excitation},
};

bool computes(const Operation& layer) { return layer.kind == "mbconv"; }

// A decision of a chain, and what is known before its choice is made.
bool begins_stage(const Placement& placement) {
  return placement.in_channels != placement.out_channels || placement.stride != 1;
}

// Why the model does not know the space; "" where it does.
std::string fault(const SearchSpace& space, std::vector<LayerPlace>& places) {
  places.assign(space.n_decisions(), {-1, 0});
  const int first = space.resolutions().empty() ? 0 : 1;
  int stages = 0, position = 0;
  for (int d = first; d < space.n_decisions(); ++d) {
    const auto& decision = space.decisions()[d];
    if (decision.from >= 0 || space.placements(d, 0).size() != 1) return "is no chain of layers";
    int most = 1;
    for (const auto& choice : decision.choices) {
      const auto& kind = choice.operation.kind;
      if (kind != "mbconv" && kind != "skip" && kind != "none") return "has layers that are no inverted residuals";
      most = std::max(most, choice.operation.repeats);
    }
    if (d == first || begins_stage(space.placements(d, 0).front())) {
      ++stages;
      position = 0;
    }
    places[d] = {stages - 1, position};
    position += most;
  }
  if (stages < kStages - 2 || stages > kStages) return "has " + count_of(stages, "stage") + ", not five to seven";
  if (stages < kStages)
    for (auto& place : places)
      if (place.stage >= 0) ++place.stage;
  return "";
}

}  // namespace

double AccuracyModel::gain(int stage, int position, const Operation& layer) const {
  if (!computes(layer)) return 0;
  const Stage& s = stages[stage];
  const double x = std::log(static_cast<double>(layer.expansion) / layer.groups);
  const double y = std::log(layer.kernel / 3.0) / std::log(5.0 / 3.0), z = layer.squeeze_excitation;
  double sum = 0, base = s.expansion > 0 ? s.first_expansion * s.repeated / s.expansion : s.repeated;
  for (int j = position; j < position + layer.repeats; ++j)
    sum += j == 0 ? base + s.first_expansion * x + s.first_kernel * y + s.first_squeeze * z
                  : std::pow(decay, j - 1) * (s.repeated + s.expansion * x + s.kernel * y + s.squeeze_excitation * z);
  return sum;
}

std::vector<LayerPlace> layer_places(const SearchSpace& space) {
  std::vector<LayerPlace> places;
  const auto why = space.has_costs() ? fault(space, places) : "is no chain of layers";
  if (!why.empty())
    throw Error(std::string(kAccuracyModel) + ": the space " + space.name() + " " + why +
                "; use a measured quality, predictor:FILE, table:FILE or model:macs");
  return places;
}

bool has_accuracy_model(const SearchSpace& space) {
  std::vector<LayerPlace> places;
  return space.has_costs() && space.resolutions().empty() && fault(space, places).empty();
}

std::string proposed_quality(const SearchSpace& space) {
  if (has_accuracy_model(space)) return kAccuracyModel;
  return space.has_costs() ? "model:macs" : "predictor:NAME";
}

void require_accuracy_model(const SearchSpace& space) {
  if (!space.resolutions().empty())
    throw Error(std::string(kAccuracyModel) + " says nothing of the input's resolution, which is a decision of space " +
                space.name() + "; use predictor:FILE, table:FILE or model:macs");
  layer_places(space);
}

std::vector<double> accuracy_gains(const SearchSpace& space, const AccuracyModel& model) {
  const auto places = layer_places(space);
  std::vector<double> gains;
  for (int d = 0; d < space.n_decisions(); ++d)
    for (const auto& choice : space.decisions()[d].choices)
      gains.push_back(places[d].stage < 0 ? 0 : model.gain(places[d].stage, places[d].position, choice.operation));
  return gains;
}

std::vector<double> accuracies(const SearchSpace& space, const AccuracyModel& model,
                               std::span<const std::uint8_t> choices) {
  const auto gains = accuracy_gains(space, model);
  const std::size_t width = space.n_decisions();
  std::vector<double> values(choices.size() / width, model.intercept);
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t d = 0, first = 0; d < width; first += space.radices()[d], ++d)
      values[i] += gains[first + choices[i * width + d]];
  return values;
}

const AccuracyModel& shipped_accuracy_model() {
  static const AccuracyModel model =
      read_accuracy_model((std::filesystem::path(home_folder()) / "configs/accuracy/accel_nasbench.toml").string());
  return model;
}

AccuracyModel read_accuracy_model(const std::string& path) {
  Config file = Config::load(path, {});
  AccuracyModel model;
  model.space = file.text("space", std::nullopt, "search space that it was learnt on");
  model.metric = file.text("metric", std::nullopt, "accuracy that it was learnt on");
  model.unit = file.text("unit", std::nullopt, "of the accuracy");
  model.source = file.text("source", std::nullopt, "of what it was learnt on");
  model.licence = file.text("licence", std::nullopt, "of what it was learnt on");
  model.intercept = file.number("intercept", std::nullopt, -1e9, 1e9, "accuracy of a network without layers");
  model.decay = file.number("decay", std::nullopt, 0, 1, "gain of a layer over that of the one before it");
  for (auto& table : file.tables("stage", "gains of the layers of one stage")) {
    auto& stage = model.stages.emplace_back();
    for (const auto& number : kNumbers)
      stage.*number.value = table.number(number.key, std::nullopt, 0, 1e9, number.meaning);
    table.finish();
  }
  file.finish();
  if (model.stages.size() != kStages)
    throw Error(path + ": has " + count_of(std::ssize(model.stages), "[[stage]]") + "; a model has seven");
  return model;
}

std::string to_toml(const AccuracyModel& model) {
  const auto quoted = [](const std::string& text) { return "\"" + text + "\"\n"; };
  std::string text = "space = " + quoted(model.space) + "metric = " + quoted(model.metric) +
                     "unit = " + quoted(model.unit) + "source = " + quoted(model.source) +
                     "licence = " + quoted(model.licence) + "intercept = " + plain(model.intercept) +
                     "\ndecay = " + plain(model.decay) + "\n";
  for (const auto& stage : model.stages) {
    text += "\n[[stage]]\n";
    for (const auto& number : kNumbers) text += std::string(number.key) + " = " + fixed(stage.*number.value, 4) + "\n";
  }
  return text;
}

}  // namespace oneproxy
