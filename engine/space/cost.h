#pragma once
// What one operation costs at one place of a network: multiply-accumulates, weights, activation traffic.
#include <string>
#include <vector>

namespace oneproxy {

// A quarter of what lies between the two layers of a squeeze-and-excitation.
enum class SqueezeOf {
  expansion,  // of the expanded channels, a multiple of 8 (MobileNetV3)
  input       // of the channels before the block, rounded down (EfficientNet)
};

// An operation that a decision may choose, as the space's file declares it.
struct Operation {
  std::string name;
  std::string kind;  // none | skip | conv | linear | pool | mbconv
  int kernel = 1, expansion = 1, groups = 1;
  int repeats = 1;                  // layers one after the other, of which the first changes width and side
  bool squeeze_excitation = false;  // of mbconv, in each of its layers; the placement may ask for it too
  SqueezeOf squeeze_of = SqueezeOf::expansion;
  bool unit_expansion = true;  // mbconv of expansion 1 has its 1x1 expansion all the same (FBNet)
  bool batch_norm = false;     // of mbconv: the parameters count scale and shift behind each of its convolutions
};

// Where it stands: shapes before and after. A cell that is repeated stands `count` times.
struct Placement {
  int in_channels = 0, out_channels = 0;
  int stride = 1;
  int resolution = 0;  // of the input, pixels a side
  int count = 1;
  bool squeeze_excitation = false;  // of mbconv: two 1x1 layers on the pooled expansion
  bool hard_swish = false;          // of mbconv: its activations, else ReLU; costs no multiply-accumulates
};

struct Cost {
  double macs = 0;
  double parameters = 0;        // batch normalisation counted where its scale and shift are trained (conv of a cell)
  double activation_bytes = 0;  // read and written, fp32
  double layers = 0;            // convolutions, inverted residuals and linear layers
  Cost& operator+=(const Cost& other);
};

// The parts of a cost, as pseudo-devices and stand-ins for accuracy are named: "model:macs", ...
struct CostMeasure {
  std::string name, label, unit;
  double Cost::*part;
};
const std::vector<CostMeasure>& cost_measures();
const CostMeasure& cost_measure(const std::string& name);  // Error offers the names there are

// Where the layers of an operation stand that is placed there: the first, and the others (as one placement that counts
// them) at its width and side.
std::vector<Placement> layer_placements(const Operation& operation, const Placement& placement);

// What a layer of an mbconv has, beside its depthwise convolution and its projection.
bool has_expansion(const Operation& operation);
bool has_squeeze_excitation(const Operation& operation, const Placement& placement);
// Of the squeeze-and-excitation in one mbconv; nothing where there is none.
Cost squeeze_excitation_cost(const Operation& operation, const Placement& placement);

// Over all layers and all `count` occurrences. Error for a kind that is not known.
Cost operation_cost(const Operation& operation, const Placement& placement);

}  // namespace oneproxy
