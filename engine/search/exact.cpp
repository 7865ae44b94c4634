#include "oneproxy/engine/search/exact.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>

#include "oneproxy/kernels/additive/front.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kSumBits = 52;  // of the largest sum: every sum is a double, too

// A table in steps of 2^-exponent.
struct FixedTable {
  std::vector<std::int64_t> weights, bias;
  int exponent = 0;
  double error = 0;  // largest |fixed - table| of a sum, in the table's unit

  double step() const { return std::ldexp(1.0, -exponent); }
  AdditiveTable<std::int64_t> view() const { return {weights, bias}; }
};

// Takes values out of the mask [1 or radices[0], sum of radices] that a table does not have.
void mask_missing(const AdditiveTable<double>& table, std::span<const std::uint32_t> radices,
                  std::vector<std::uint8_t>& allowed) {
  const std::size_t width = std::accumulate(radices.begin(), radices.end(), std::size_t{0});
  const std::size_t masks = allowed.size() / width;
  for (std::size_t m = 0; m < masks; ++m) {
    const std::size_t t = table.bias.size() == 1 ? 0 : m;
    for (std::size_t i = 0; i < width; ++i)
      if (!std::isfinite(table.weights[t * width + i])) allowed[m * width + i] = 0;
  }
  for (std::size_t v = 0; v < radices[0]; ++v)
    if (!std::isfinite(table.bias[table.bias.size() == 1 ? 0 : v]))
      for (std::size_t m = 0; m < masks; ++m) allowed[m * width + v] = 0;
}

FixedTable to_fixed(const AdditiveTable<double>& table, std::span<const std::uint32_t> radices) {
  const std::size_t width = std::accumulate(radices.begin(), radices.end(), std::size_t{0});
  auto finite = [](double x) { return std::isfinite(x) ? x : 0.0; };
  auto largest_sum = [&](auto&& magnitude) {  // over all tables
    double largest = 0;
    for (std::size_t t = 0; t < table.bias.size(); ++t) {
      double sum = magnitude(finite(table.bias[t]));
      std::size_t place = t * width;
      for (const std::uint32_t radix : radices) {
        double most = 0;
        for (std::uint32_t v = 0; v < radix; ++v) most = std::max(most, magnitude(finite(table.weights[place++])));
        sum += most;
      }
      largest = std::max(largest, sum);
    }
    return largest;
  };
  FixedTable fixed;
  const double largest = largest_sum([](double x) { return std::abs(x); });
  if (!std::isfinite(largest)) throw Error("exact search: the sums of a table pass the range of numbers");
  int bits = 0;
  std::frexp(largest, &bits);                                     // largest < 2^bits
  fixed.exponent = std::clamp(kSumBits - 1 - bits, -1000, 1000);  // 1 bit for the rounding of the entries
  auto rounded = [&](double x) { return std::llround(std::ldexp(x, fixed.exponent)); };
  for (const double x : table.weights) fixed.weights.push_back(rounded(finite(x)));
  for (const double x : table.bias) fixed.bias.push_back(rounded(finite(x)));
  fixed.error =
      largest_sum([&](double x) { return std::abs(std::ldexp(static_cast<double>(rounded(x)), -fixed.exponent) - x); });
  return fixed;
}

}  // namespace

std::string ExactCertificate::text() const {
  char text[400];
  std::snprintf(
      text, sizeof(text),
      "%s in fixed point: steps of %.3g (latency) and %.3g (quality), rounding of the tables at most %.3g and "
      "%.3g a sum",
      exact() ? "exact" : "thinned, certified", latency_step, quality_step, latency_error, quality_error);
  std::string sentence = text;
  if (exact()) return sentence;
  std::snprintf(text, sizeof(text), "; the memory budget thinned the front: no quality is more than %.6g above it",
                quality_gap);
  return sentence + text;
}

ExactResult search_exactly(const ExactProblem& problem, std::span<const double> limits, const ExactSettings& settings) {
  const auto radices = problem.radices;
  check_table(problem.latency, radices, "exact search: the latency table");
  check_table(problem.quality, radices, "exact search: the quality table");
  if (problem.third) check_table(*problem.third, radices, "exact search: the third table");
  if (problem.third && !limits.empty())
    throw Error("exact search: the best under a limit takes two objectives; leave the limits or the third one out");

  const std::size_t width = std::accumulate(radices.begin(), radices.end(), std::size_t{0});
  const bool conditional = problem.latency.bias.size() > 1 || problem.quality.bias.size() > 1 ||
                           (problem.third && problem.third->bias.size() > 1);
  std::vector<std::uint8_t> allowed(width * (conditional ? radices[0] : 1), 1);
  mask_missing(problem.latency, radices, allowed);
  mask_missing(problem.quality, radices, allowed);
  const FixedTable latency = to_fixed(problem.latency, radices), quality = to_fixed(problem.quality, radices);
  FixedTable third;
  AdditiveProblem fixed{radices, latency.view(), quality.view(), {}, allowed};
  if (problem.third) {
    mask_missing(*problem.third, radices, allowed);
    third = to_fixed(*problem.third, radices);
    fixed.third = third.view();
  }

  auto solution = [&](std::vector<std::uint32_t> digits) {
    ExactSolution made{std::move(digits), 0, 0, 0};
    made.latency = additive_score(problem.latency, radices, made.digits.data());
    made.quality = additive_score(problem.quality, radices, made.digits.data());
    if (problem.third) made.third = additive_score(*problem.third, radices, made.digits.data());
    if (settings.quality_of_sum) made.quality = settings.quality_of_sum(made.quality);
    return made;
  };
  const AdditiveFront front = additive_front(fixed, {settings.memory_bytes});
  ExactResult result;
  const std::vector<std::uint32_t> all = front.all_digits();
  for (std::int64_t i = 0; i < front.size(); ++i) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(i * radices.size());
    result.front.push_back(solution({begin, begin + static_cast<std::ptrdiff_t>(radices.size())}));
    const auto& [digits, at, value, other] = result.front.back();
    if (settings.quality_of_sum && i > 0 && !problem.third &&
        front.point(i).quality - front.point(i - 1).quality > 2 * std::ldexp(quality.error, quality.exponent) &&
        !(value > result.front[i - 1].quality))
      throw Error("exact search: quality_of_sum does not rise at latency " + std::to_string(at) +
                  "; the front of a sum is that of a strictly rising function only");
  }

  ExactCertificate& certificate = result.certificate;
  certificate = {latency.step(),
                 quality.step(),
                 problem.third ? third.step() : 0.0,
                 latency.error,
                 quality.error,
                 third.error,
                 static_cast<double>(front.gap()) * quality.step(),
                 front.size(),
                 front.stored_points(),
                 front.peak_bytes()};
  std::vector<std::int64_t> fixed_limits;
  for (const double limit : limits) {
    const double steps = std::floor(std::ldexp(limit, latency.exponent));
    fixed_limits.push_back(std::isnan(limit) ? INT64_MIN
                                             : static_cast<std::int64_t>(std::clamp(steps, -0x1p60, 0x1p60)));
  }
  if (front.gap() > 0) {
    for (const AdditiveBest& best : additive_best(fixed, fixed_limits))
      result.best.push_back(best.found ? solution(best.digits) : ExactSolution{});
    return result;
  }
  // Rounding may move a latency across the limit: f64 decides.
  const auto margin = static_cast<std::int64_t>(std::ceil(2 * std::ldexp(latency.error, latency.exponent))) + 2;
  for (std::size_t l = 0; l < limits.size(); ++l) {
    std::int64_t i = front.last_within(fixed_limits[l] == INT64_MIN ? INT64_MIN : fixed_limits[l] + margin);
    while (i >= 0 && !(result.front[i].latency <= limits[l])) --i;
    result.best.push_back(i < 0 ? ExactSolution{} : result.front[i]);
  }
  return result;
}

SearchResult search_exactly(const SearchProblem& problem, std::span<const double> limits_ms) {
  for (const Objective* objective : {&problem.latency, &problem.quality})
    if (!objective->model || !std::holds_alternative<AdditivePredictor>(*objective->model))
      throw Error(
          "method = \"exact\" needs latency and quality that add up over decisions (proxy:, table:, model:); \"" +
          objective->label + "\" does not: use method = \"" +
          (problem.covers_space() && !problem.has_kernels() ? "exhaustive" : "annealing") + "\" or \"evolutionary\"");
  const SubSpace& part = problem.part;
  const KernelModel latency(*problem.latency.model, part), quality(*problem.quality.model, part);
  const ExactResult found = search_exactly({part.radices(), std::get<AdditiveTable<double>>(latency.view()),
                                            std::get<AdditiveTable<double>>(quality.view()), std::nullopt},
                                           limits_ms, {});
  const auto to_solution = [&](const ExactSolution& s) {
    return s.digits.empty() ? Solution{} : Solution{part.choices(s.digits), s.latency, s.quality};
  };
  SearchResult result;
  for (const ExactSolution& s : found.front) result.front.push_back(to_solution(s));
  for (const ExactSolution& s : found.best) result.best.push_back(to_solution(s));
  result.n_evaluated = found.certificate.stored_points;
  result.certainty = found.certificate.text();
  return result;
}

}  // namespace oneproxy
