#pragma once
// What the loop measures before it knows anything of the target.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/front_loop/front_loop.h"

namespace oneproxy {

struct Start {
  bool by_front = false;  // else by a design over the space
  int n = 0;              // networks with which it ends
  std::string text;       // for people: which one, and why
};

// The front of the sources' mean where the sources agree: the mean SRCC of each with the mean of the others is at least
// kSourcesAgree, of every measured quantity. Else, and with fewer than two sources, a design.
Start choose_start(const FrontLoopProblem& problem);
inline constexpr double kSourcesAgree = 0.9;

// What the sources say of a quantity: a model that was adapted to nothing. Its scale is arbitrary.
AdaptedBayes sources_mean(const GaussianProcess& model);

// Points [n, m], minimised, m - 1 measured quantities and the quality -> the k of them whose hypervolume up to the
// reference [m] is largest, greedily, the first one given; fewer where no more adds to it.
std::vector<std::int64_t> greedy_subset(std::span<const double> points, std::span<const double> reference,
                                        std::int64_t first, int k);

}  // namespace oneproxy
