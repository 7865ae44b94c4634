#include "oneproxy/engine/data/torch_file.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/data/number_bytes.h"
#include "oneproxy/engine/data/pickle.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Value = PickleValue;
using Ref = PickleRef;

constexpr std::uint64_t kLargestFile = std::uint64_t{512} << 20;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 26;  // of all tensors
constexpr int kDeepest = 8;                                   // dictionaries in dictionaries
// A dictionary that several others hold is visited each time: without limits, a small file has endless entries.
constexpr std::int64_t kMaxEntries = std::int64_t{1} << 20;
constexpr std::int64_t kEntriesBetweenChecks = std::int64_t{1} << 12;
constexpr std::size_t kMaxTensors = std::size_t{1} << 16;
constexpr std::size_t kLongestName = 1024;

using Storages = std::map<std::string_view, std::string_view>;

using Read = double (*)(std::string_view, std::int64_t);
struct ElementType {
  std::size_t size;
  Read read;
};
const std::map<std::string_view, ElementType>& element_types() {
  static const std::map<std::string_view, ElementType> types = {
      {"Float", {4, [](std::string_view raw, std::int64_t i) { return double{element<float>(raw, i)}; }}},
      {"Double", {8, [](std::string_view raw, std::int64_t i) { return element<double>(raw, i); }}},
      {"Half", {2, [](std::string_view raw, std::int64_t i) { return half_value(element<std::uint16_t>(raw, i)); }}},
      {"BFloat16",
       {2, [](std::string_view raw, std::int64_t i) { return bfloat16_value(element<std::uint16_t>(raw, i)); }}},
      {"Long",
       {8, [](std::string_view raw, std::int64_t i) { return static_cast<double>(element<std::int64_t>(raw, i)); }}},
      {"Int",
       {4, [](std::string_view raw, std::int64_t i) { return static_cast<double>(element<std::int32_t>(raw, i)); }}}};
  return types;
}

// The tensors of a dictionary, collected under limits that hold for all of them together.
class Collector {
 public:
  Collector(const Unpickler& values, const Storages& storages) : values_(values), storages_(storages) {}

  std::vector<TorchTensor> tensors_of(Ref root) && {
    if (values_[root].kind != Value::dict)
      throw Error("holds no dictionary of tensors; save it with torch.save(model.state_dict(), FILE)");
    collect(root, "", 0);
    if (tensors_.empty()) throw Error("holds no tensor; save it with torch.save(model.state_dict(), FILE)");
    return std::move(tensors_);
  }

 private:
  void collect(Ref ref, const std::string& prefix, int depth) {
    if (depth > kDeepest) throw Error("has dictionaries nested deeper than " + std::to_string(kDeepest));
    const auto& items = values_[ref].items;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (++entries_ > kMaxEntries)
        throw Error("has dictionaries of more than " + std::to_string(kMaxEntries) + " entries in all");
      if (entries_ % kEntriesBetweenChecks == 0) check_interrupt();
      const auto& value = values_[items[i + 1]];
      if (value.kind != Value::tensor && value.kind != Value::dict) continue;
      const std::string name = prefix + key_text(values_[items[i]]);
      if (name.size() > kLongestName)
        throw Error("has a name of " + std::to_string(name.size()) + " bytes; the longest that is read has " +
                    std::to_string(kLongestName));
      if (value.kind == Value::dict)
        collect(items[i + 1], name + ".", depth + 1);
      else if (tensors_.size() < kMaxTensors)
        tensors_.push_back(tensor(name, value));
      else
        throw Error("has more than " + std::to_string(kMaxTensors) + " tensors");
    }
  }

  static std::string key_text(const Value& key) {
    if (key.kind == Value::text) return std::string(key.words);
    if (key.kind == Value::integer) return std::to_string(key.whole);
    throw Error("has a tensor whose key is neither a text nor an integer");
  }

  // Every number of the file is compared with what is available before anything is computed from it.
  TorchTensor tensor(const std::string& name, const Value& tensor) {
    const auto fail = [&](const std::string& what) -> Error { return Error("tensor '" + name + "' " + what); };
    const Value& storage = values_[tensor.items[0]];
    const auto type = element_types().find(storage.type);
    if (type == element_types().end())
      throw fail("has elements of type " + std::string(storage.type) + ", which are not read");
    const auto raw = storages_.find(storage.words);
    if (raw == storages_.end()) throw fail("has no data in the file; it is truncated");
    const auto [size, read] = type->second;
    const auto available = static_cast<std::int64_t>(raw->second.size() / size);
    const auto shape = values_.integers(tensor.items[1]);
    const auto stride = values_.integers(tensor.items[2]);

    std::int64_t n = 1;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (shape[d] < 0 || stride[d] < 0) throw fail("has a negative size or stride");
      if (shape[d] > kMaxElements || (shape[d] > 0 && n > kMaxElements / shape[d])) throw too_many();
      n *= shape[d];
    }
    if (n > kMaxElements - elements_) throw too_many();
    elements_ += n;
    const auto outside = fail("reaches outside its storage of " + std::to_string(available) + " elements");
    if (tensor.whole < 0 || tensor.whole > available || n > available) throw outside;
    std::int64_t behind = available - tensor.whole - 1;  // elements behind the last one that is known to be read
    if (n > 0 && behind < 0) throw outside;
    struct Dimension {
      std::int64_t size, stride, position;
    };
    std::vector<Dimension> walk;  // without those of one element, whose stride may be any number
    for (std::size_t d = 0; n > 0 && d < shape.size(); ++d) {
      if (shape[d] == 1) continue;
      if (stride[d] > 0 && shape[d] - 1 > behind / stride[d]) throw outside;
      behind -= (shape[d] - 1) * stride[d];
      walk.push_back({shape[d], stride[d], 0});
    }

    TorchTensor result{name, shape, std::vector<double>(n)};
    std::int64_t at = tensor.whole;
    for (auto& value : result.values) {
      value = read(raw->second, at);
      for (std::size_t d = walk.size(); d-- > 0;) {
        at += walk[d].stride;
        if (++walk[d].position < walk[d].size) break;
        at -= walk[d].size * walk[d].stride;
        walk[d].position = 0;
      }
    }
    return result;
  }

  static Error too_many() {
    return Error("has tensors of more than " + std::to_string(kMaxElements) +
                 " numbers in all, which no predictor of one value needs");
  }

  const Unpickler& values_;
  const Storages& storages_;
  std::vector<TorchTensor> tensors_;
  std::int64_t entries_ = 0, elements_ = 0;
};

// Bytes of an element of each storage that the pickle names.
std::map<std::string_view, std::size_t> element_sizes(const Unpickler& values) {
  std::map<std::string_view, std::string_view> types;
  std::map<std::string_view, std::size_t> sizes;
  for (Ref item = 0; item < values.size(); ++item) {
    const Value& storage = values[item];
    if (storage.kind != Value::storage) continue;
    const auto [known, fresh] = types.emplace(storage.words, storage.type);
    if (!fresh && known->second != storage.type)
      throw Error("storage '" + std::string(storage.words) + "' is read as " + std::string(known->second) + " and as " +
                  std::string(storage.type) + ", which torch.save does not write");
    if (const auto type = element_types().find(storage.type); fresh && type != element_types().end())
      sizes[storage.words] = type->second.size;
  }
  return sizes;
}

// Magic number, protocol, system, object; then the keys of the storages, and each with its size.
std::vector<TorchTensor> read_legacy(std::string_view content) {
  ByteCursor bytes{content};
  Unpickler head(bytes);
  constexpr std::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);  // PyTorch's, little-endian
  const Value& magic = head[head.load()];
  if (magic.kind != Value::long_integer || magic.words != kMagic) throw Error("is no file of torch.save");
  const Value& protocol = head[head.load()];
  if (protocol.kind != Value::integer || protocol.whole != 1001)
    throw Error("has a protocol of torch.save that is not known");
  head.load();
  Unpickler values(bytes);
  const Ref root = values.load();
  Unpickler names(bytes);
  const Value& keys = names[names.load()];
  if (keys.kind != Value::list) throw Error("damaged: the keys of its storages are no list");
  const auto sizes = element_sizes(values);
  Storages storages;
  for (const Ref key : keys.items) {
    const auto n = bytes.number<std::uint64_t>();
    const auto size = names[key].kind == Value::text ? sizes.find(names[key].words) : sizes.end();
    if (size == sizes.end()) throw Error("has a storage of a type that is not read");
    if (n > bytes.left() / size->second)
      throw Error("truncated, or damaged at its storages: one of " + std::to_string(n) + " elements is announced");
    if (!storages.emplace(names[key].words, bytes.take(n * size->second)).second)
      throw Error("damaged: it has two storages '" + std::string(names[key].words) + "'");
  }
  return Collector(values, storages).tensors_of(root);
}

// The members of a zip archive that are stored as they are, as torch.save does it.
std::map<std::string_view, std::string_view> zip_members(std::string_view content) {
  const auto end = content.rfind("PK\x05\x06");
  if (end == std::string_view::npos || content.size() - end < 22)
    throw Error("truncated: the directory of the zip archive is missing");
  ByteCursor tail{content, end + 10};
  const auto count = tail.number<std::uint16_t>();
  tail.take(4);
  ByteCursor directory{content};
  directory.take(tail.number<std::uint32_t>());
  std::map<std::string_view, std::string_view> members;
  for (int i = 0; i < count; ++i) {
    if (directory.take(4) != std::string_view("PK\x01\x02", 4)) throw Error("damaged directory of the zip archive");
    directory.take(6);
    const auto method = directory.number<std::uint16_t>();
    directory.take(8);
    const auto packed = directory.number<std::uint32_t>(), size = directory.number<std::uint32_t>();
    const auto name_size = directory.number<std::uint16_t>(), extra = directory.number<std::uint16_t>();
    const auto comment = directory.number<std::uint16_t>();
    directory.take(8);
    const auto offset = directory.number<std::uint32_t>();
    const auto name = directory.take(name_size);
    directory.take(extra);
    directory.take(comment);
    const std::string member = "member " + std::string(name);
    if (method != 0 || packed != size)
      throw Error(member + " is compressed, as torch.save does not do; save it again with torch.save");
    ByteCursor local{content};
    local.take(offset);
    if (local.take(4) != std::string_view("PK\x03\x04", 4)) throw Error("damaged " + member);
    local.take(22);
    const auto skip = local.number<std::uint16_t>();
    local.take(skip + std::size_t{local.number<std::uint16_t>()});
    if (!members.emplace(name, local.take(size)).second) throw Error("damaged: it has two times the " + member);
  }
  return members;
}

std::vector<TorchTensor> read_zip(std::string_view content) {
  const auto members = zip_members(content);
  constexpr std::string_view object = "data.pkl";
  for (const auto& [name, data] : members) {
    if (name != object && !(name.ends_with(object) && name[name.size() - object.size() - 1] == '/')) continue;
    const std::string folder(name.substr(0, name.size() - object.size()));
    if (const auto order = members.find(folder + "byteorder"); order != members.end() && order->second != "little")
      throw Error("has big-endian numbers, which are not read");
    Storages storages;
    for (const auto& [other, bytes] : members)
      if (other.starts_with(folder + "data/")) storages[other.substr(folder.size() + 5)] = bytes;
    ByteCursor bytes{data};
    Unpickler values(bytes);
    const Ref root = values.load();
    return Collector(values, storages).tensors_of(root);
  }
  throw Error("is a zip archive, but not one of torch.save (no data.pkl)");
}

}  // namespace

std::vector<TorchTensor> parse_torch_file(std::string_view content) {
  if (content.starts_with("PK")) return read_zip(content);
  if (content.starts_with("\x80")) return read_legacy(content);
  throw Error("is no file of torch.save");
}

std::vector<TorchTensor> read_torch_file(const std::string& path) {
  const std::string content = read_file(path, kLargestFile);
  try {
    return parse_torch_file(content);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& fault) {
    throw Error(path + ": " + fault.what());
  }
}

}  // namespace oneproxy
