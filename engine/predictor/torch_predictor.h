#pragma once
// A trained Linear/ReLU stack of PyTorch (the tensors of its state_dict) as a predictor over a space's one-hot code.
#include <string>
#include <vector>

#include "oneproxy/engine/data/torch_file.h"
#include "oneproxy/engine/predictor/mlp_predictor.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// What the inputs of the first layer are.
//   onehot  the space's own code: one input a (decision, choice), decision after decision
//   ofa     Once-for-All's accuracy predictor: one-hot kernel of each block, then one-hot expansion of each block
//           (zeros for an inactive one), then 8 buckets of 16 pixels from 112; a resolution between buckets is rounded
//           down. Source: Cai et al., "Once-for-All", ICLR 2020, and the predictor that its authors released.
inline const std::vector<std::string> kTorchLayouts = {"onehot", "ofa"};

// Linear layers in the order of the file, ReLU between them; their names ("0.weight", "fc.bias") do not matter, a
// missing bias is zero. `where` names the file. Errors: an entry that belongs to no Linear layer, NaN weights (both
// named), layers that do not follow, another number of inputs than the layout has, a space that the layout does not
// fit.
MlpPredictor predictor_from_torch(const std::vector<TorchTensor>& tensors, const SearchSpace& space,
                                  const std::string& layout, const std::string& where);

}  // namespace oneproxy
