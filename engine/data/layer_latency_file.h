#pragma once
// Published look-up tables of layer latencies, as Once-for-All and ProxylessNAS wrote them (github.com/han-cai/files):
// YAML of one form only, whose keys name the shapes of a layer.
//   Conv-input:224x224x3-output:112x112x32:
//     count: 982
//     mean: 4.083755600814664
//     std: 0.5
//   expanded_conv-input:112x112x16-output:56x56x24-expand:3-kernel:5-stride:2-idskip:0:
//   expanded_conv-input:112x112x24-output:112x112x24-expand:72-kernel:3-stride:1-idskip:1-se:0-hs:0:
//   Logits-input:7x7x1280-output:1000:
#include <string>
#include <vector>

namespace oneproxy {

struct LayerLatency {
  std::string key;
  int line = 0;
  int in_side = 0, in_channels = 0;
  int out_side = 1, out_channels = 0;
  bool block = false;  // "expanded_conv": an inverted residual, which has what follows
  int expand = 0, kernel = 0, stride = 0;
  bool shortcut = false, squeeze_excitation = false, hard_swish = false;
  double mean = 0;  // in the file's unit
};

struct LayerLatencyFile {
  std::string path, sha256;
  std::vector<LayerLatency> layers;  // in the order of the file

  std::string location(const LayerLatency& layer) const;  // "file.yaml:12"
};

// Errors, with file and line: another form, a key of no layer, one that comes twice, no positive mean; a file of more
// than 16 MiB.
LayerLatencyFile read_layer_latencies(const std::string& path);

}  // namespace oneproxy
