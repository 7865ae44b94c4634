#pragma once
// The twins of pareto_front: equal lengths are checked, the rest of the contract is theirs.
#include <cstdint>
#include <span>
#include <vector>

namespace oneproxy::detail {

std::vector<std::int64_t> pareto_front_cpu(std::span<const double> latency, std::span<const double> quality);

#ifdef ONEPROXY_HAS_CUDA
std::vector<std::int64_t> pareto_front_cuda(std::span<const double> latency, std::span<const double> quality);
#endif

}  // namespace oneproxy::detail
