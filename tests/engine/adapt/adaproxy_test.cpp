#include "oneproxy/engine/adapt/adaproxy/adaproxy.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/rank/rank.h"
#include "tests/fixtures/adaproxy_cases.h"
#include "tests/support/compare.h"

namespace oneproxy {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr Norm kNorms[] = {Norm::l1, Norm::l2, Norm::linf};

// One-hot codes of random architectures, zero-sum proxy weights, a target that differs by factors and offsets.
struct Draw {
  std::vector<std::uint8_t> radices;
  std::int64_t n;
  std::uint64_t seed;
  bool small_integers = false;  // full of ties
};

double normal(const Philox& random, std::uint64_t draw) {
  return std::sqrt(-2 * std::log(1 - random.uniform(2 * draw))) *
         std::cos(6.283185307179586 * random.uniform(2 * draw + 1));
}

AdaproxyProblem problem_of(const std::vector<std::uint8_t>& radices, const std::vector<std::uint8_t>& choices,
                           std::vector<double> w0, std::vector<double> y, Norm norm) {
  AdaproxyProblem problem;
  problem.n = static_cast<std::int64_t>(y.size());
  problem.dims = static_cast<std::int64_t>(w0.size());
  problem.x.assign(y.size() * w0.size(), 0);
  for (std::size_t i = 0, k = 0; i < y.size(); ++i) {
    std::size_t column = i * w0.size();
    for (const std::uint8_t radix : radices) {
      problem.x[column + choices[k++]] = 1;
      column += radix;
    }
  }
  problem.w0 = std::move(w0);
  problem.y = std::move(y);
  problem.norm = norm;
  return problem;
}

AdaproxyProblem random_problem(const Draw& draw, Norm norm) {
  const Philox picks{draw.seed, 0}, values{draw.seed, 1};
  std::vector<std::uint8_t> choices;
  std::vector<double> w0, target;
  std::uint64_t p = 0, v = 0;
  const auto number = [&] {
    return draw.small_integers ? static_cast<double>(values.below(v++, 5)) - 2 : normal(values, v++);
  };
  for (const std::uint8_t radix : draw.radices) {
    double sum = 0;
    for (int c = 0; c < radix; ++c) sum += w0.emplace_back(number());
    for (int c = 0; c < radix && !draw.small_integers; ++c) w0[w0.size() - 1 - c] -= sum / radix;
  }
  for (const double w : w0) {
    target.push_back(w * (1 + 0.5 * number()));
    target.back() += 0.2 * number();
  }
  std::vector<double> y;
  for (std::int64_t i = 0; i < draw.n; ++i) {
    double value = draw.small_integers ? 0 : 0.1 * number();
    std::size_t column = 0;
    for (const std::uint8_t radix : draw.radices) {
      choices.push_back(static_cast<std::uint8_t>(picks.below(p++, radix)));
      value += target[column + choices.back()];
      column += radix;
    }
    y.push_back(value);
  }
  const double mean = std::accumulate(y.begin(), y.end(), 0.0) / y.size();
  double squares = 0;
  for (double& value : y) squares += (value - mean) * (value - mean);
  for (double& value : y) value = (value - mean) / std::sqrt(squares / y.size());
  return problem_of(draw.radices, choices, std::move(w0), std::move(y), norm);
}

MatrixXd matrix_z(const AdaproxyProblem& problem) {
  MatrixXd z(problem.n, problem.dims);
  for (Eigen::Index i = 0; i < z.rows(); ++i) {
    for (Eigen::Index j = 0; j < z.cols(); ++j) z(i, j) = problem.x[i * problem.dims + j] * problem.w0[j];
  }
  return z;
}

// -gradient of the quadratic part in b lies in lambda times the subdifferential of the norm; a and c are stationary.
void expect_optimal(const AdaproxyProblem& problem, const AdaproxySolution& s, const std::string& what) {
  SCOPED_TRACE(what);
  const MatrixXd z = matrix_z(problem);
  const double n = static_cast<double>(problem.n);
  const Eigen::Map<const VectorXd> b(s.b.data(), problem.dims), y(problem.y.data(), problem.n);
  const VectorXd residual = y - z * b - s.a * z.rowwise().sum() - VectorXd::Constant(problem.n, s.c);
  const VectorXd pull = 2 / n * z.transpose() * residual;
  const double scale = z.colwise().norm().maxCoeff() * (1 + b.lpNorm<Eigen::Infinity>());
  const double tolerance = 1e-12 * scale + 1e-9 * s.lambda;
  EXPECT_NEAR(residual.sum() / n, 0, 1e-12 * scale);
  EXPECT_NEAR(2 / n * z.rowwise().sum().dot(residual), 0, tolerance * std::sqrt(n));
  EXPECT_NEAR(s.objective, residual.squaredNorm() / n + s.lambda * norm_value(problem.norm, s.b), 1e-12);
  EXPECT_LE(s.relative_gap, 1e-10);

  const double t = b.lpNorm<Eigen::Infinity>();
  if (problem.norm == Norm::l2) {
    if (t == 0) {
      EXPECT_LE(pull.norm(), s.lambda + tolerance);
    } else {
      EXPECT_LE((pull - s.lambda * b / b.norm()).lpNorm<Eigen::Infinity>(), tolerance);
    }
    return;
  }
  if (problem.norm == Norm::linf) {
    EXPECT_LE(pull.lpNorm<1>(), s.lambda + tolerance * static_cast<double>(problem.dims));
  }
  for (Eigen::Index j = 0; j < b.size(); ++j) {
    if (problem.norm == Norm::l1) {
      EXPECT_LE(std::abs(pull[j]), s.lambda + tolerance) << "column " << j;
      if (b[j] != 0) {
        EXPECT_NEAR(pull[j], b[j] < 0 ? -s.lambda : s.lambda, tolerance) << "column " << j;
      }
    } else if (std::abs(b[j]) < t) {
      EXPECT_NEAR(pull[j], 0, tolerance) << "column " << j;
    } else if (t > 0) {
      EXPECT_GE(pull[j] * (b[j] < 0 ? -1 : 1), -tolerance) << "column " << j;
    }
  }
}

std::vector<Draw> draws() {
  std::vector<Draw> all = {{std::vector<std::uint8_t>(6, 5), 60, 1},
                           {std::vector<std::uint8_t>(6, 5), 110, 2},
                           {std::vector<std::uint8_t>(22, 9), 60, 3},
                           {{2}, 5, 4},
                           {{3, 3}, 3, 5}};
  for (std::uint64_t seed = 10; seed < 40; ++seed) {
    all.push_back({{2, 3, 2, 4, 5}, static_cast<std::int64_t>(4 + seed), seed, seed % 2 == 0});
  }
  return all;
}

TEST(AdaproxySolver, EveryStepIsOptimalAndTheStartDoesNotMatter) {
  for (const Draw& draw : draws()) {
    for (const Norm norm : kNorms) {
      const AdaproxyProblem problem = random_problem(draw, norm);
      const AdaproxySolver solver(problem);
      AdaproxySolution solution = solver.solve(solver.lambda_max());
      EXPECT_EQ(norm_value(norm, solution.b), 0);
      for (int k = 1; k < kAdaproxyLambdaSteps; ++k) {
        const double lambda = solver.lambda_max() * std::pow(10.0, -k / 5.0);
        solution = solver.solve(lambda, solution);
        const std::string what =
            "seed " + std::to_string(draw.seed) + " p " + to_string(norm) + " k " + std::to_string(k);
        expect_optimal(problem, solution, what);
        if (k % 8 == 0) {
          const double tolerance = 1e-8 * norm_value(Norm::linf, solution.b);
          EXPECT_TRUE(test::close_values(solver.solve(lambda).b, solution.b, tolerance)) << what;
        }
        if (HasFailure()) return;
      }
    }
  }
}

TEST(AdaproxySolver, LambdaMaxIsTheSmallestWithoutCorrection) {
  for (const Norm norm : kNorms) {
    const AdaproxySolver solver(random_problem({std::vector<std::uint8_t>(6, 5), 60, 7}, norm));
    EXPECT_EQ(norm_value(norm, solver.solve(solver.lambda_max()).b), 0);
    EXPECT_GT(norm_value(norm, solver.solve(0.999 * solver.lambda_max()).b), 0);
  }
}

TEST(AdaproxySolver, AgreesWithCvxpy) {
  for (const AdaproxyFixtureProblem& fixture : adaproxy_fixtures()) {
    for (const AdaproxyFixture& expected : fixture.solutions) {
      const AdaproxySolver solver(problem_of(fixture.radices, fixture.choices, fixture.w0, fixture.y, expected.norm));
      const AdaproxySolution actual = solver.solve(expected.lambda);
      SCOPED_TRACE(std::string("p ") + to_string(expected.norm) + " lambda " + std::to_string(expected.lambda));
      EXPECT_NEAR(actual.objective, expected.objective, 1e-7 * expected.objective);
      // The second problem of the fixture is flat: cvxpy's b is good to about the root of its tolerance.
      EXPECT_TRUE(test::close_values(actual.b, expected.b, 2e-5 * norm_value(Norm::linf, expected.b)));
    }
  }
}

// All faces of the norm ball of a tiny problem, each minimised on its own: the best objective, then the least ||b||_2.
VectorXd best_of_all_faces(const MatrixXd& a, const VectorXd& r, Norm norm, double mu) {
  const Eigen::Index dims = a.cols();
  VectorXd best = VectorXd::Zero(dims);
  double best_value = r.squaredNorm() / 2;
  const int faces = static_cast<int>(std::pow(3, dims));
  for (int face = 1; face < faces; ++face) {
    VectorXd sign(dims);
    for (Eigen::Index j = 0, rest = face; j < dims; ++j, rest /= 3) sign[j] = static_cast<double>(rest % 3) - 1;
    MatrixXd basis;
    if (norm == Norm::l1) {
      basis = sign.asDiagonal();
    } else {
      basis = MatrixXd::Identity(dims, dims) - MatrixXd(sign.cwiseAbs().asDiagonal());
      basis.conservativeResize(dims, dims + 1);
      basis.col(dims) = sign / std::max(1.0, sign.norm());
    }
    VectorXd q = VectorXd::Zero(basis.cols());
    if (norm == Norm::l1) q = mu * sign.cwiseAbs();
    if (norm == Norm::linf) q[dims] = mu / std::max(1.0, sign.norm());
    const MatrixXd m = a * basis;
    Eigen::CompleteOrthogonalDecomposition<MatrixXd> factors;
    factors.setThreshold(1e-10);
    factors.compute(m);
    const MatrixXd inverse = factors.pseudoInverse();
    const VectorXd b = basis * (inverse * (r - inverse.transpose() * q));
    const double value =
        (r - a * b).squaredNorm() / 2 + mu * norm_value(norm, {b.data(), static_cast<std::size_t>(dims)});
    const double margin = 1e-11 * best_value;
    if (value < best_value - margin || (value < best_value + margin && b.norm() < best.norm() * (1 - 1e-9))) best = b;
    best_value = std::min(best_value, value);
  }
  return best;
}

TEST(AdaproxySolver, TakesTheOptimumOfLeastNormOfAllFaces) {
  const std::vector<std::vector<std::uint8_t>> spaces = {{2, 2, 2}, {2, 3}, {3, 2, 2}, {2, 2}};
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    for (const Norm norm : {Norm::l1, Norm::linf}) {
      const AdaproxyProblem problem = random_problem({spaces[seed % 4], 12, 100 + seed}, norm);
      const AdaproxySolver solver(problem);
      const MatrixXd z = matrix_z(problem);
      MatrixXd outside(problem.n, 2);
      outside << VectorXd::Ones(problem.n), z.rowwise().sum();
      const MatrixXd q = outside.householderQr().householderQ() * MatrixXd::Identity(problem.n, 2);
      const MatrixXd project = MatrixXd::Identity(problem.n, problem.n) - q * q.transpose();
      const Eigen::Map<const VectorXd> y(problem.y.data(), problem.n);
      for (const double share : {0.5, 0.1, 0.01}) {
        const double lambda = share * solver.lambda_max();
        const VectorXd expected = best_of_all_faces(project * z, project * y, norm, lambda * problem.n / 2.0);
        const AdaproxySolution actual = solver.solve(lambda);
        EXPECT_TRUE(test::close_values(actual.b, {expected.data(), static_cast<std::size_t>(expected.size())},
                                       1e-6 * expected.lpNorm<Eigen::Infinity>()))
            << "seed " << seed << " p " << to_string(norm) << " share " << share;
      }
    }
  }
}

// Equal columns share a correction equally.
TEST(AdaproxySolver, SharesACorrectionAmongEqualColumns) {
  for (const Norm norm : kNorms) {
    AdaproxyProblem problem = random_problem({{4, 5}, 30, 9}, norm);
    AdaproxyProblem twice = problem;
    twice.dims = problem.dims + 1;
    twice.x.clear();
    for (std::int64_t i = 0; i < problem.n; ++i) {
      const auto row = problem.x.begin() + i * problem.dims;
      twice.x.insert(twice.x.end(), row, row + problem.dims);
      twice.x.push_back(*row);
    }
    twice.w0.push_back(twice.w0[0]);
    const AdaproxySolver solver(twice);
    const AdaproxySolution solution = solver.solve(0.05 * solver.lambda_max());
    EXPECT_NEAR(solution.b.front(), solution.b.back(), 1e-10) << to_string(norm);
  }
}

TEST(AdaproxySolver, LeavesColumnsWithoutSamplesAndConstantColumnsAlone) {
  for (const Norm norm : kNorms) {
    AdaproxyProblem problem = random_problem({{4, 5}, 30, 11}, norm);
    for (std::int64_t i = 0; i < problem.n; ++i) {
      for (const auto& [column, value] : {std::pair{1, 0.0}, {6, 0.0}, {3, 1.0}})
        problem.x[i * problem.dims + column] = value;
    }
    const AdaproxySolver solver(problem);
    const AdaproxySolution solution = solver.solve(0.01 * solver.lambda_max());
    for (const int column : {1, 3, 6}) EXPECT_EQ(solution.b[column], 0) << to_string(norm);
    EXPECT_GT(norm_value(norm, solution.b), 0);
  }
}

TEST(AdaproxySolver, NeedsNoCorrectionWhereTheProxyExplainsAll) {
  for (const Norm norm : kNorms) {
    AdaproxyProblem problem = random_problem({{4, 5}, 30, 12}, norm);
    const VectorXd u = matrix_z(problem).rowwise().sum();
    for (std::int64_t i = 0; i < problem.n; ++i) problem.y[i] = 3 * u[i] - 1;
    const AdaproxySolver solver(problem);
    EXPECT_EQ(solver.lambda_max(), 0);
    const AdaproxySolution solution = solver.solve(0);
    EXPECT_NEAR(solution.a, 3, 1e-12);
    EXPECT_NEAR(solution.c, -1, 1e-12);
    EXPECT_EQ(norm_value(norm, solution.b), 0);
  }
}

TEST(AdaproxySolver, WorksWithoutASpreadOfTheProxy) {
  for (const Norm norm : kNorms) {
    AdaproxyProblem problem = random_problem({{2, 2}, 20, 13}, norm);
    problem.w0 = {1, 1, 2, 2};  // X w0 = 3 everywhere
    const AdaproxySolver solver(problem);
    const AdaproxySolution solution = solver.solve(0.01 * solver.lambda_max());
    EXPECT_EQ(solution.a, 0);
    expect_optimal(problem, solution, to_string(norm));
  }
}

// A device and its samples for adapt_adaproxy.
struct World {
  AdditivePredictor proxy, target;
  TrainingSamples training;
  ValidationSamples validation;
  std::vector<std::uint8_t> fresh;
};

World make_world(std::uint64_t seed) {
  World world;
  const Philox random{seed, 2};
  std::uint64_t draw = 0;
  world.proxy = {"cells", std::vector<std::uint8_t>(6, 5), "", "ms", {}, {7}, {}};
  for (int j = 0; j < 30; ++j) world.proxy.weights.push_back(normal(random, draw++));
  world.target = world.proxy;
  for (double& w : world.target.weights) {
    w *= 1 + 0.8 * normal(random, draw++);
    w += 0.3 * normal(random, draw++);
  }
  world.target.bias = {40};
  const auto sample = [&](int n) {
    std::vector<std::uint8_t> choices;
    for (int i = 0; i < 6 * n; ++i) choices.push_back(static_cast<std::uint8_t>(random.below(1'000'000 + draw++, 5)));
    return choices;
  };
  world.training.choices = sample(60);
  world.validation.choices = sample(10);
  world.fresh = sample(300);
  world.training.values.resize(60);
  world.validation.values.resize(10);
  world.target.predict(world.training.choices, world.training.values);
  world.target.predict(world.validation.choices, world.validation.values);
  return world;
}

std::vector<double> predict(const AdditivePredictor& predictor, const std::vector<std::uint8_t>& choices) {
  std::vector<double> scores(choices.size() / predictor.radices.size());
  predictor.predict(choices, scores);
  return scores;
}

TEST(AdaptAdaproxy, RecoversATargetThatIsLinearInTheChoices) {
  for (const Norm norm : kNorms) {
    const World world = make_world(1);
    const AdaproxyResult result = adapt_adaproxy(world.proxy, 2, world.training, world.validation, norm);
    const auto truth = predict(world.target, world.fresh), predicted = predict(result.predictor, world.fresh);
    EXPECT_GT(spearman(predicted, truth, Backend::cpu).value, 0.9999) << to_string(norm);
    EXPECT_TRUE(test::close_values(predicted, truth, 0.02)) << to_string(norm);  // ms of 40
    EXPECT_EQ(result.validation_srcc, 1);
    EXPECT_EQ(result.lambda_step, kAdaproxyLambdaSteps - 1);  // ties go to the smallest lambda
  }
}

TEST(AdaptAdaproxy, PredictorIsTheTrainingFitInMilliseconds) {
  const World world = make_world(2);
  const AdaproxyResult result = adapt_adaproxy(world.proxy, 2, world.training, world.validation, Norm::l2);
  const auto& latency = world.training.values;
  const double mean = std::accumulate(latency.begin(), latency.end(), 0.0) / latency.size();
  double squares = 0;
  for (const double value : latency) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / latency.size());
  for (std::size_t j = 0; j < 30; ++j) {
    const double expected = deviation * (result.solution.a + result.solution.b[j]) * world.proxy.weights[j] / 2;
    EXPECT_NEAR(result.predictor.weights[j], expected, 1e-12) << j;
  }
  EXPECT_NEAR(result.predictor.bias[0], mean + deviation * result.solution.c, 1e-12);
}

TEST(AdaptAdaproxy, UnitsOfTheTargetDoNotMatter) {
  for (const Norm norm : kNorms) {
    World world = make_world(3);
    const Philox random{3, 9};
    for (std::size_t i = 0; i < 60; ++i) world.training.values[i] += 3 * random.uniform(i);
    const AdaproxyResult ms = adapt_adaproxy(world.proxy, 2, world.training, world.validation, norm);
    for (double& value : world.training.values) value /= 1000;
    for (double& value : world.validation.values) value /= 1000;
    const AdaproxyResult s = adapt_adaproxy(world.proxy, 2, world.training, world.validation, norm);
    EXPECT_EQ(ms.lambda_step, s.lambda_step);
    EXPECT_EQ(ms.validation_srcc, s.validation_srcc);
    const auto in_ms = predict(ms.predictor, world.fresh), in_s = predict(s.predictor, world.fresh);
    EXPECT_GT(spearman(in_ms, in_s, Backend::cpu).value, 1 - 1e-9);
  }
}

TEST(AdaptAdaproxy, UndefinedValidationRanksBelowEveryNumber) {
  World world = make_world(4);
  for (std::size_t i = 0; i < 60; ++i) world.validation.choices[i] = world.validation.choices[i % 6];
  const AdaproxyResult result = adapt_adaproxy(world.proxy, 2, world.training, world.validation, Norm::l1);
  EXPECT_TRUE(std::isnan(result.validation_srcc));
  EXPECT_EQ(result.predictor.weights.size(), 30u);
}

TEST(AdaptAdaproxy, RefusesIllPosedInput) {
  const World good = make_world(5);
  const auto refuses = [&](const auto& change) {
    World world = good;
    double deviation = 2;
    change(world, deviation);
    EXPECT_THROW(adapt_adaproxy(world.proxy, deviation, world.training, world.validation, Norm::l2), Error);
  };
  refuses([](World& w, double&) { w.training.choices.resize(12), w.training.values.resize(2); });
  refuses([](World& w, double&) { w.validation.choices.resize(6), w.validation.values.resize(1); });
  refuses([](World& w, double&) { w.training.values[7] = std::numeric_limits<double>::quiet_NaN(); });
  refuses([](World& w, double&) { w.validation.values[7] = std::numeric_limits<double>::infinity(); });
  refuses([](World& w, double&) { w.training.values.assign(60, 3.3); });
  refuses([](World& w, double&) { w.training.choices[100] = 5; });
  refuses([](World& w, double&) { w.validation.choices.pop_back(); });
  refuses([](World& w, double&) { w.proxy.weights.pop_back(); });
  refuses([](World&, double& deviation) { deviation = 0; });
  refuses([](World&, double& deviation) { deviation = std::numeric_limits<double>::quiet_NaN(); });
}

TEST(Norm, ParsesWhatItPrints) {
  for (const Norm norm : kNorms) EXPECT_EQ(parse_norm(to_string(norm)), norm);
  EXPECT_THROW(parse_norm("3"), Error);
}

}  // namespace
}  // namespace oneproxy
