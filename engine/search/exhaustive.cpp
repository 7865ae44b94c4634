#include "engine/search/exhaustive.h"

#include "kernels/error.h"
#include "kernels/pareto.h"

namespace oneproxy {

std::uint64_t exhaustive_size(const SearchProblem& problem) {
  if (!problem.covers_space()) return static_cast<std::uint64_t>(problem.data.n());
  const ArchIndex size = problem.data.space().size();
  return size > kExhaustiveMost ? 0 : static_cast<std::uint64_t>(size);
}

SearchResult search_exhaustively(const SearchProblem& problem, std::span<const double> limits_ms, Backend backend) {
  const auto& space = problem.data.space();
  const std::uint64_t n = exhaustive_size(problem);
  if (n == 0)
    throw Error("space " + space.name() + " has " + to_decimal(space.size()) +
                " architectures, too many to score one by one (most: " + std::to_string(kExhaustiveMost) +
                "); use method = \"evolutionary\", or a measured objective over the rows of a set");
  const std::size_t width = space.n_decisions();
  std::vector<std::uint8_t> all;
  if (problem.covers_space()) {
    all.resize(n * width);
    for (std::uint64_t i = 0; i < n; ++i)
      decode_index(i, space.radices().data(), space.n_decisions(), all.data() + i * width);
  } else {
    all = problem.data.rows().choices;
  }
  std::vector<double> latency(n), quality(n);
  problem.latency.evaluate(all, latency);
  problem.quality.evaluate(all, quality);

  auto solution = [&](std::int64_t i) {
    return Solution{{all.begin() + i * width, all.begin() + (i + 1) * width}, latency[i], quality[i]};
  };
  SearchResult result;
  result.n_evaluated = static_cast<std::int64_t>(n);
  for (const auto i : pareto_front(latency, quality, backend)) result.front.push_back(solution(i));
  for (const auto i : best_under_limits(latency, quality, limits_ms, backend))
    result.best.push_back(i < 0 ? Solution{} : solution(i));
  return result;
}

}  // namespace oneproxy
