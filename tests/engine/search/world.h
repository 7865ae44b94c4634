#pragma once
// What tests of search methods need: a space with its measurements, objectives over it, and a question asked in one
// line.
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/search/method.h"
#include "oneproxy/kernels/base/random.h"

namespace oneproxy {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// An MLP as training would leave it, with weights drawn.
inline Objective random_mlp(const SearchSpace& space, int width, std::uint64_t seed,
                            Direction direction = Direction::maximise) {
  MlpPredictor mlp;
  mlp.space = space.name();
  mlp.radices.assign(space.radices().begin(), space.radices().end());
  mlp.target = "drawn";
  mlp.first_width = width;
  const Philox random{seed, 77};
  std::uint64_t draw = 0;
  const auto fill = [&](std::vector<double>& values, std::size_t n, double size) {
    for (std::size_t i = 0; i < n; ++i) values.push_back((2 * random.uniform(draw++) - 1) * size);
  };
  const int rows = std::accumulate(mlp.radices.begin(), mlp.radices.end(), 0);
  fill(mlp.rows, static_cast<std::size_t>(rows) * width, 0.5);
  fill(mlp.first_bias, width, 0.3);
  for (const int outputs : {width, 1}) {
    Dense layer{width, outputs, {}, {}};
    fill(layer.weights, static_cast<std::size_t>(width) * outputs, std::sqrt(3.0 / width));
    fill(layer.bias, outputs, 0.1);
    mlp.layers.push_back(layer);
  }
  auto model = std::make_shared<const Predictor>(mlp);
  return {"drawn",
          "drawn",
          "points",
          direction,
          false,
          model,
          [mlp](std::span<const std::uint8_t> choices, std::span<double> values) { mlp.predict(choices, values); }};
}

// A space with what a search needs to run over it.
struct World {
  explicit World(const std::string& name) : store(shipped_store()), space(SearchSpace::load(name)), part(space) {
    data.emplace(store, space, "help");
  }
  Objective objective(const std::string& what, Direction direction) const {
    return make_objective({space, &*data, store.path(), "", Backend::cpu}, what, "quality", direction);
  }
  // The goal first.
  SearchProblem problem(const Objective& goal, const std::string& latency) const {
    return {part, &*data, {goal, objective(latency, Direction::minimise)}};
  }
  SearchProblem problem(const std::string& quality, const std::string& latency) const {
    return problem(objective(quality, Direction::maximise), latency);
  }
  Store store;
  SearchSpace space;
  SubSpace part;
  std::optional<Measurements> data;
};

inline std::vector<Limits> latency_limits(const std::vector<double>& bounds) {
  std::vector<Limits> limits;
  for (const double bound : bounds) limits.push_back({{kNan, bound}});
  return limits;
}

// What a method that begins from proposals is given here: for each of the limits random architectures.
inline std::vector<std::vector<std::vector<std::uint8_t>>> random_starts(const SearchProblem& problem,
                                                                         std::size_t n_limits) {
  const auto flat = random_architectures(problem, 300, 11);
  std::vector<std::vector<std::uint8_t>> one;
  const auto width = static_cast<std::ptrdiff_t>(problem.part.space().n_decisions());
  for (auto i = flat.begin(); i != flat.end(); i += width) one.emplace_back(i, i + width);
  return std::vector(n_limits, one);
}

inline SearchResult run(const SearchMethod& method, const SearchProblem& problem, const std::vector<Limits>& limits,
                        std::uint64_t seed = 1, int n_best = 1) {
  SearchQuestion question;
  question.limits = limits;
  question.seed = seed;
  question.n_best = n_best;
  question.starts = random_starts(problem, limits.size());
  Evaluator evaluator(problem, question);
  return method.search(evaluator);
}

inline std::vector<double> values_of(const Objective& objective, std::span<const std::uint8_t> choices, std::size_t n) {
  std::vector<double> values(n);
  objective.evaluate(choices, values);
  return values;
}

inline SearchQuestion question_of(const std::vector<double>& latency_bounds, std::int64_t evaluations,
                                  std::uint64_t seed = 1) {
  SearchQuestion question;
  for (const double bound : latency_bounds)
    question.limits.push_back({{std::numeric_limits<double>::quiet_NaN(), bound}});
  question.budget.evaluations = evaluations;
  question.precision = Precision::fp64;
  question.seed = seed;
  return question;
}

struct Outcome {
  SearchResult result;
  std::int64_t evaluated = 0;
};
inline Outcome outcome_of(const SearchMethod& method, const SearchProblem& problem, const SearchQuestion& question) {
  Evaluator evaluator(problem, question);
  auto result = method.search(evaluator);
  return {std::move(result), evaluator.n_evaluated()};
}

}  // namespace oneproxy
