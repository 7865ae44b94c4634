// TEMPORARY stand-in, until the implementation of the branch of the spaces is merged (take that one whole).
#include "engine/predictor/mlp_predictor.h"

#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "kernels/error.h"

namespace oneproxy {

void MlpPredictor::predict(std::span<const std::uint8_t> choices, std::span<double> values) const {
  const auto d = radices.size();
  ONEPROXY_ASSERT(choices.size() == values.size() * d);
  std::vector<double> h, next;
  for (std::size_t i = 0; i < values.size(); ++i) {
    h = first_bias;
    std::size_t row = 0;
    for (std::size_t j = 0; j < d; row += radices[j++]) {
      const double* r = rows.data() + (row + choices[i * d + j]) * static_cast<std::size_t>(first_width);
      for (int k = 0; k < first_width; ++k) h[k] += r[k];
    }
    for (const auto& layer : layers) {
      for (double& x : h) x = x > 0 ? x : 0;
      next = layer.bias;
      for (int o = 0; o < layer.outputs; ++o)
        for (int k = 0; k < layer.inputs; ++k)
          next[o] += layer.weights[static_cast<std::size_t>(o) * layer.inputs + k] * h[k];
      h.swap(next);
    }
    const double value = output_offset + output_scale * h[0];
    values[i] = log_target ? std::exp(value) : value;
  }
}

void check_predictor(const MlpPredictor& predictor, const SearchSpace& space, const std::string& where) {
  const auto radices = space.radices();
  if (predictor.space != space.name())
    throw Error(where + ": is a predictor for the space " + predictor.space + ", not for " + space.name());
  if (!std::equal(radices.begin(), radices.end(), predictor.radices.begin(), predictor.radices.end()))
    throw Error(where + ": has another layout of the code of " + space.name());
}

void write_predictor(H5File& file, const std::string& group, const MlpPredictor& p) {
  const std::string base = group == "/" ? "" : group + "/";
  const auto width = static_cast<std::int64_t>(p.first_width);
  const std::int64_t shape[] = {static_cast<std::int64_t>(p.rows.size()) / width, width};
  file.write(base + "rows", std::span<const double>(p.rows), shape);
  file.write(base + "first_bias", std::span<const double>(p.first_bias));
  const std::int64_t n_radices[] = {static_cast<std::int64_t>(p.radices.size())};
  file.write(base + "radices", std::span<const std::uint8_t>(p.radices), n_radices);
  for (std::size_t l = 0; l < p.layers.size(); ++l) {
    const auto& layer = p.layers[l];
    const std::int64_t layer_shape[] = {layer.outputs, layer.inputs};
    file.write(base + "layers/" + std::to_string(l) + "/weights", std::span<const double>(layer.weights), layer_shape);
    file.write(base + "layers/" + std::to_string(l) + "/bias", std::span<const double>(layer.bias));
  }
  file.set_attribute(group, "format", std::string("oneproxy-predictor"));
  file.set_attribute(group, "space", p.space);
  file.set_attribute(group, "target", p.target);
  file.set_attribute(group, "unit", p.unit);
  file.set_attribute(group, "log_target", std::int64_t{p.log_target});
  file.set_attribute(group, "output_offset", p.output_offset);
  file.set_attribute(group, "output_scale", p.output_scale);
  for (const auto& [name, value] : p.record) file.set_attribute(group, "record." + name, value);
}

MlpPredictor read_predictor(const H5File& file, const std::string& group) {
  const std::string base = group == "/" ? "" : group + "/";
  auto attributes = file.attributes(group);
  MlpPredictor p;
  p.space = std::get<std::string>(attributes.at("space"));
  p.target = std::get<std::string>(attributes.at("target"));
  p.unit = std::get<std::string>(attributes.at("unit"));
  p.log_target = std::get<std::int64_t>(attributes.at("log_target")) != 0;
  p.output_offset = std::get<double>(attributes.at("output_offset"));
  p.output_scale = std::get<double>(attributes.at("output_scale"));
  p.radices = file.read_bytes(base + "radices");
  p.rows = file.read_doubles(base + "rows");
  p.first_bias = file.read_doubles(base + "first_bias");
  p.first_width = static_cast<int>(p.first_bias.size());
  for (int l = 0; file.exists(base + "layers/" + std::to_string(l)); ++l) {
    const std::string place = base + "layers/" + std::to_string(l);
    const auto shape = file.shape(place + "/weights");
    p.layers.push_back({static_cast<int>(shape[1]), static_cast<int>(shape[0]), file.read_doubles(place + "/weights"),
                        file.read_doubles(place + "/bias")});
  }
  for (const auto& [name, value] : attributes)
    if (name.rfind("record.", 0) == 0) p.record[name.substr(7)] = value;
  return p;
}

void save_predictor(const std::string& path, const MlpPredictor& predictor) {
  const std::string temporary = path + ".partial-" + std::to_string(getpid());
  H5File file(temporary, H5Mode::create);
  write_predictor(file, "/", predictor);
  file.close();
  std::filesystem::rename(temporary, path);
}

MlpPredictor load_predictor(const std::string& path) { return read_predictor(H5File(path, H5Mode::read), "/"); }

}  // namespace oneproxy
