#pragma once
// Features of the networks of a list, in place of the physical ones that only shapes give: what a latency is made of as
// far as names and numbers tell. Latency multiplies (a wider network costs more at a larger input), so the features are
// products: of the numbers with the words, and with the pairs of words that several networks share.
//   size    each number, its square, and the products of two
//   words   each word times each number
//   pairs   each pair of words, alone and times each number; the most frequent, of three networks or more
// A number that is a decision too (the side of the input) enters products as its square, others as they are.
// On YOLOBench the additive one-hot code ranks held-out networks at .91 (Spearman), with these features at .99
// (docs/lists.md).
#include <vector>

#include "oneproxy/engine/space/physics.h"

namespace oneproxy {

struct ListFeatures {
  std::vector<PhysicsGroup> groups;
  std::vector<double> values;  // [n rows, n columns]
};

// Of a listed space. At most 256 columns, fewer where the list is longer than 2^15 rows.
ListFeatures list_features(const SearchSpace& space);

}  // namespace oneproxy
