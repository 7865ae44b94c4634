#include "oneproxy/engine/data/layer_latency_file.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{16} << 20;
constexpr int kMostDigits = 6;  // of a number in a key
const std::string kForm = "NAME-input:SIDExSIDExCHANNELS-output:...";

// Takes a key apart from its beginning; once a part does not fit, nothing fits any more.
class KeyReader {
 public:
  explicit KeyReader(std::string_view key) : rest_(key) {}

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }
  bool starts_with(std::string_view text) const { return ok_ && rest_.starts_with(text); }
  void skip(std::string_view text) {
    ok_ = starts_with(text);
    if (ok_) rest_.remove_prefix(text.size());
  }
  int number() {
    int value = 0, digits = 0;
    for (; ok_ && !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9' && digits <= kMostDigits; ++digits) {
      value = value * 10 + (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    ok_ = ok_ && digits > 0 && digits <= kMostDigits;
    return value;
  }
  int size_after(std::string_view text) {
    const int value = number_after(text);
    ok_ = ok_ && value > 0;
    return value;
  }
  int number_after(std::string_view text) {
    skip(text);
    return number();
  }
  bool flag_after(std::string_view text) {
    const int value = number_after(text);
    ok_ = ok_ && value <= 1;
    return value == 1;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::string trimmed(const std::string& text) {
  const char* blank = " \t\r";
  const auto first = text.find_first_not_of(blank);
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(blank) - first + 1);
}

LayerLatency parse_key(const std::string& key, int line, const std::string& where) {
  const auto input = key.find("-input:");
  const bool named = input != std::string::npos && input > 0;
  KeyReader reader(std::string_view(key).substr(named ? input : 0));
  LayerLatency layer{key, line};
  layer.block = named && key.substr(0, input) == "expanded_conv";
  layer.in_side = reader.size_after("-input:");
  bool square = reader.size_after("x") == layer.in_side;
  layer.in_channels = reader.size_after("x");
  layer.out_side = reader.size_after("-output:");
  if (reader.starts_with("x")) {
    square = (reader.size_after("x") == layer.out_side) && square;
    layer.out_channels = reader.size_after("x");
  } else {
    layer.out_channels = layer.out_side;  // of a linear layer
    layer.out_side = 1;
  }
  if (layer.block) {
    layer.expand = reader.size_after("-expand:");
    layer.kernel = reader.size_after("-kernel:");
    layer.stride = reader.size_after("-stride:");
    layer.shortcut = reader.flag_after("-idskip:");
    if (reader.starts_with("-se:")) {
      layer.squeeze_excitation = reader.flag_after("-se:");
      layer.hard_swish = reader.flag_after("-hs:");
    }
  }
  if (!reader.at_end())
    throw Error(where + ": the key '" + key + "' names no layer; it should be " + kForm +
                (layer.block ? "-expand:E-kernel:K-stride:S-idskip:0[-se:0-hs:0]" : ""));
  if (!square) throw Error(where + ": the layer '" + key + "' is not square; only square inputs are known");
  return layer;
}

}  // namespace

std::string LayerLatencyFile::location(const LayerLatency& layer) const {
  return path + ":" + std::to_string(layer.line);
}

LayerLatencyFile read_layer_latencies(const std::string& path) {
  const std::string content = read_file(path, kLargestFile);
  LayerLatencyFile file{path, sha256_hex(content), {}};
  std::map<std::string, int> line_of;
  std::set<std::string> numbers;  // of the layer that is read
  std::istringstream in(content);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    const std::string where = path + ":" + std::to_string(++number), text = trimmed(line);
    if (text.empty() || text[0] == '#') continue;
    const auto colon = text.rfind(':');
    const bool indented = line[0] == ' ';
    if (!indented && colon != std::string::npos && colon + 1 == text.size()) {
      const std::string key = text.substr(0, colon);
      const auto [found, fresh] = line_of.emplace(key, number);
      if (!fresh)
        throw Error(where + ": the layer '" + key + "' is there twice, in line " + std::to_string(found->second) +
                    " too; leave one");
      file.layers.push_back(parse_key(key, number, where));
      file.layers.back().mean = std::nan("");
      numbers.clear();
      continue;
    }
    const std::string name = colon == std::string::npos ? "" : trimmed(text.substr(0, colon));
    const std::string digits = colon == std::string::npos ? "" : trimmed(text.substr(colon + 1));
    char* end = nullptr;
    const double value = std::strtod(digits.c_str(), &end);
    if (!indented || name.empty() || digits.empty() || *end != '\0' || file.layers.empty())
      throw Error(where + ": '" + text.substr(0, 80) + "' is neither a key, " + kForm +
                  ":, nor an indented `name: number` below one");
    if (!numbers.insert(name).second) throw Error(where + ": the layer has '" + name + "' twice; leave one");
    if (name == "mean") file.layers.back().mean = value;
  }
  for (const auto& layer : file.layers)
    if (!(layer.mean > 0) || std::isinf(layer.mean))
      throw Error(file.location(layer) + ": the layer '" + layer.key + "' has no positive `mean`");
  if (file.layers.empty()) throw Error(path + ": holds no layer; its lines should be " + kForm + ":");
  return file;
}

}  // namespace oneproxy
