#include "oneproxy/engine/data/onnx_file.h"

#include <filesystem>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/data/number_bytes.h"
#include "oneproxy/engine/data/protobuf.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{512} << 20;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 26;  // of all tensors
constexpr std::size_t kMaxOperations = std::size_t{1} << 16;

// How a kind of number (TensorProto.DataType) lies in `raw_data`, and which field of a tensor has it otherwise.
struct ElementType {
  int typed_field;  // float_data, int32_data, int64_data or double_data
  std::size_t size;
  double (*read)(std::string_view, std::int64_t);
};
constexpr int kFloatData = 4, kInt32Data = 5, kInt64Data = 7, kDoubleData = 10;

template <class T>
double number(std::string_view raw, std::int64_t i) {
  return static_cast<double>(element<T>(raw, i));
}
double half_number(std::string_view raw, std::int64_t i) { return half_value(element<std::uint16_t>(raw, i)); }
double bfloat16_number(std::string_view raw, std::int64_t i) { return bfloat16_value(element<std::uint16_t>(raw, i)); }

const std::map<std::int64_t, ElementType>& element_types() {
  static const std::map<std::int64_t, ElementType> types = {
      {1, {kFloatData, 4, number<float>}},        {6, {kInt32Data, 4, number<std::int32_t>}},
      {7, {kInt64Data, 8, number<std::int64_t>}}, {10, {kInt32Data, 2, half_number}},
      {11, {kDoubleData, 8, number<double>}},     {16, {kInt32Data, 2, bfloat16_number}}};
  return types;
}

std::string text(const ProtobufFields& field) { return std::string(field.bytes()); }

// Of a list of whole numbers, packed or one by one.
void append_wholes(const ProtobufFields& field, std::vector<std::int64_t>& to) {
  if (field.is_one_whole()) {
    to.push_back(field.whole());
    return;
  }
  for (auto packed = field.bytes(); !packed.empty();)
    to.push_back(static_cast<std::int64_t>(ProtobufFields::varint(packed)));
}

class Reader {
 public:
  // folder: where files beside it are; "": none is read.
  explicit Reader(std::string folder) : folder_(std::move(folder)) {}

  OnnxGraph model(std::string_view content) {
    OnnxGraph graph;
    std::string_view body;
    for (ProtobufFields field(content); field.next();) {
      if (field.number() == 7) body = field.bytes();
      if (field.number() == 8) read_opset(field.bytes(), graph);
    }
    if (body.empty() || graph.opset == 0) throw Error("is no ONNX file: it has no graph of standard operators");
    read_graph(body, graph);
    return graph;
  }

 private:
  static void read_opset(std::string_view message, OnnxGraph& graph) {
    std::string domain;
    std::int64_t version = 0;
    for (ProtobufFields field(message); field.next();) {
      if (field.number() == 1) domain = text(field);
      if (field.number() == 2) version = field.whole();
    }
    if (domain.empty() || domain == "ai.onnx") graph.opset = version;
  }

  void read_graph(std::string_view message, OnnxGraph& graph) {
    for (ProtobufFields field(message); field.next();) {
      if (field.number() == 1) read_operation(field.bytes(), graph);
      if (field.number() == 5) {
        std::string name;
        OnnxTensor tensor = read_tensor(field.bytes(), name);
        graph.constants[name] = std::move(tensor);
      }
      if (field.number() == 11) graph.inputs.push_back(name_of_value(field.bytes()));
      if (field.number() == 12) graph.outputs.push_back(name_of_value(field.bytes()));
    }
    // Old files list their initialisers among the inputs.
    std::erase_if(graph.inputs, [&](const std::string& name) { return graph.constants.contains(name); });
  }

  static std::string name_of_value(std::string_view message) {
    std::string name;
    for (ProtobufFields field(message); field.next();)
      if (field.number() == 1) name = text(field);
    return name;
  }

  void read_operation(std::string_view message, OnnxGraph& graph) {
    OnnxOperation operation;
    std::vector<OnnxTensor> tensors;
    for (ProtobufFields field(message); field.next();) {
      if (field.number() == 1) operation.inputs.push_back(text(field));
      if (field.number() == 2) operation.outputs.push_back(text(field));
      if (field.number() == 3) operation.name = text(field);
      if (field.number() == 4) operation.type = text(field);
      if (field.number() == 5) read_attribute(field.bytes(), operation, tensors);
      if (field.number() == 7 && !field.bytes().empty() && field.bytes() != "ai.onnx")
        throw Error("has operators of '" + text(field) + "', which are no standard ones; export it without them");
    }
    if (operation.type == "Constant" && tensors.size() == 1 && operation.outputs.size() == 1) {
      graph.constants[operation.outputs[0]] = std::move(tensors[0]);
      return;
    }
    if (graph.operations.size() == kMaxOperations)
      throw Error("has more than " + std::to_string(kMaxOperations) + " operations");
    graph.operations.push_back(std::move(operation));
  }

  void read_attribute(std::string_view message, OnnxOperation& operation, std::vector<OnnxTensor>& tensors) {
    std::string name, ignored;
    std::vector<double> numbers;
    std::vector<std::int64_t> list;
    for (ProtobufFields field(message); field.next();) {
      if (field.number() == 1) name = text(field);
      if (field.number() == 2) {
        const auto bytes = field.fixed();
        if (bytes.size() != 4) throw Error("damaged: attribute '" + name + "' is cut");
        numbers = {number<float>(bytes, 0)};
      }
      if (field.number() == 3) numbers = {static_cast<double>(field.whole())};
      if (field.number() == 5) tensors.push_back(read_tensor(field.bytes(), ignored));
      if (field.number() == 8) append_wholes(field, list);
    }
    if (!numbers.empty()) operation.numbers[name] = numbers[0];
    if (!list.empty()) operation.lists[name] = std::move(list);
  }

  OnnxTensor read_tensor(std::string_view message, std::string& name) {
    OnnxTensor tensor;
    std::int64_t type = 0;
    std::string_view raw;
    bool is_raw = false, is_elsewhere = false;
    std::map<std::string, std::string> place;
    for (ProtobufFields field(message); field.next();) {
      if (field.number() == 1) append_wholes(field, tensor.shape);
      if (field.number() == 2) type = field.whole();
      if (field.number() == 8) name = text(field);
      if (field.number() == 9) raw = field.bytes(), is_raw = true;
      if (field.number() == 13) read_entry(field.bytes(), place);
      if (field.number() == 14) is_elsewhere = field.whole() == 1;
    }
    const std::string what = "tensor '" + name + "'";
    const auto known = element_types().find(type);
    if (known == element_types().end())
      throw Error(what + " holds numbers of ONNX's kind " + std::to_string(type) +
                  "; float, double, half, bfloat16, int32 and int64 are read: export it as it was before it was "
                  "quantised");
    const auto& [typed_field, size, read] = known->second;
    const std::int64_t n = count_of(tensor.shape, what);
    std::string beside;
    if (is_elsewhere) {
      beside = read_beside(place, what, static_cast<std::uint64_t>(n) * size);
      raw = beside;
    }
    if (is_raw || is_elsewhere) {
      require_values(static_cast<std::int64_t>(raw.size() / size), n, what, raw.size() % size == 0);
      for (std::int64_t i = 0; i < n; ++i) tensor.values.push_back(read(raw, i));
    } else {
      for (ProtobufFields field(message); field.next();)
        if (field.number() == typed_field) append_typed(field, typed_field, type, tensor.values);
      require_values(static_cast<std::int64_t>(tensor.values.size()), n, what, true);
    }
    return tensor;
  }

  static void append_typed(const ProtobufFields& field, int typed_field, std::int64_t type, std::vector<double>& to) {
    if (typed_field == kFloatData || typed_field == kDoubleData) {
      const std::size_t size = typed_field == kFloatData ? 4 : 8;
      const std::string_view bytes = field.fixed();
      if (bytes.size() % size != 0) throw Error("damaged: a list of numbers is cut");
      for (std::size_t i = 0; i < bytes.size() / size; ++i)
        to.push_back(size == 4 ? number<float>(bytes, i) : number<double>(bytes, i));
      return;
    }
    std::vector<std::int64_t> wholes;
    append_wholes(field, wholes);
    for (const auto whole : wholes)  // half and bfloat16 lie there as their bits
      to.push_back(type == 10   ? half_value(static_cast<std::uint16_t>(whole))
                   : type == 16 ? bfloat16_value(static_cast<std::uint16_t>(whole))
                                : static_cast<double>(whole));
  }

  static void require_values(std::int64_t has, std::int64_t n, const std::string& what, bool whole) {
    if (!whole || has != n)
      throw Error(what + " has " + std::to_string(has) + " values, its shape " + std::to_string(n) +
                  "; the file is damaged");
  }

  std::int64_t count_of(const std::vector<std::int64_t>& shape, const std::string& what) {
    std::int64_t n = 1;
    for (const auto extent : shape) {
      if (extent < 0) throw Error(what + " has a negative extent");
      if (extent > 0 && n > kMaxElements / extent) throw Error(what + " is too large");
      n *= extent;
    }
    elements_ += n;
    if (elements_ > kMaxElements) throw Error("has tensors of more than " + std::to_string(kMaxElements) + " numbers");
    return n;
  }

  static void read_entry(std::string_view message, std::map<std::string, std::string>& place) {
    std::string key, value;
    for (ProtobufFields field(message); field.next();) {
      if (field.number() == 1) key = text(field);
      if (field.number() == 2) value = text(field);
    }
    place[key] = value;
  }

  // The bytes of a tensor in a file beside this one.
  std::string read_beside(const std::map<std::string, std::string>& place, const std::string& what,
                          std::uint64_t size) {
    const auto entry = [&](const std::string& key) {
      const auto found = place.find(key);
      return found == place.end() ? std::string() : found->second;
    };
    const std::string name = entry("location"), offset = entry("offset");
    if (folder_.empty() || name.empty() || std::filesystem::path(name).filename() != name || name == "..")
      throw Error(what + " lies in another file ('" + name +
                  "'), which is only looked for in the same folder; save the model with its weights in it");
    const std::uint64_t from = offset.empty() ? 0 : whole_number(offset, what);
    auto& content = beside_[name];
    if (content.empty()) content = read_file((std::filesystem::path(folder_) / name).string(), kLargestFile);
    if (from > content.size() || size > content.size() - from)
      throw Error(what + " lies beyond the end of '" + name + "'; copy that file again");
    return content.substr(from, size);
  }

  static std::uint64_t whole_number(const std::string& digits, const std::string& what) {
    if (digits.size() > 18 || digits.find_first_not_of("0123456789") != std::string::npos)
      throw Error(what + " begins at '" + digits + "' of another file, which is no place; the file is damaged");
    return std::stoull(digits);
  }

  std::string folder_;
  std::map<std::string, std::string> beside_;  // name of a file -> its content
  std::int64_t elements_ = 0;
};

}  // namespace

OnnxGraph parse_onnx_file(std::string_view content) { return Reader("").model(content); }

OnnxGraph read_onnx_file(const std::string& path) {
  const std::string content = read_file(path, kLargestFile);
  const auto folder = std::filesystem::path(path).parent_path().string();
  try {
    return Reader(folder.empty() ? "." : folder).model(content);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& fault) {
    throw Error(path + ": " + fault.what());
  }
}

}  // namespace oneproxy
