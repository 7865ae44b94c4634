#include "oneproxy/engine/data/torch_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <string_view>
#include <unordered_map>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::uintmax_t kLargestFile = std::uintmax_t{1} << 30;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 27;  // of one tensor
constexpr int kDeepest = 8;                                   // dictionaries in dictionaries

// A value of a pickle. Values lie in one pool and name each other by position, so that no nesting, however deep or
// circular, needs the stack.
using Ref = std::uint32_t;
struct Value {
  enum Kind { none, integer, number, text, tuple, list, dict, global, storage, tensor, mark };
  explicit Value(Kind of = none) : kind(of) {}

  Kind kind;
  std::int64_t whole = 0;  // integer; offset of a tensor
  std::string words;       // text; "module name" of a global; key of a storage
  std::string type;        // of a storage's elements, "Float"
  std::vector<Ref> items;  // of tuple and list; key, value, key, value, ... of a dict; a tensor's storage
  std::vector<std::int64_t> shape, stride;
};

struct Bytes {
  std::string_view all;
  std::size_t at = 0;

  std::string_view take(std::uint64_t n) {
    if (n > all.size() - at) throw Error("truncated: " + std::to_string(n) + " more bytes are announced");
    at += n;
    return all.substr(at - n, n);
  }
  template <class T>
  T number() {  // little-endian, as in memory
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view line() {
    const auto end = all.find('\n', at);
    if (end == std::string_view::npos) throw Error("truncated within a name");
    const auto text = all.substr(at, end - at);
    at = end + 1;
    return text;
  }
};

class Unpickler {
 public:
  explicit Unpickler(Bytes& bytes) : bytes_(bytes) {}

  Ref load();
  const Value& operator[](Ref ref) const { return pool_[ref]; }
  Ref size() const { return static_cast<Ref>(pool_.size()); }

 private:
  Ref make(Value value) {
    pool_.push_back(std::move(value));
    return static_cast<Ref>(pool_.size() - 1);
  }
  void push(Value value) { stack_.push_back(make(std::move(value))); }
  Ref pop() {
    if (stack_.empty()) throw Error("not a sound pickle (it takes from an empty stack)");
    const Ref top = stack_.back();
    stack_.pop_back();
    return top;
  }
  std::vector<Ref> pop_to_mark() {
    std::size_t at = stack_.size();
    while (at > 0 && pool_[stack_[at - 1]].kind != Value::mark) --at;
    if (at == 0) throw Error("not a sound pickle (a mark is missing)");
    std::vector<Ref> items(stack_.begin() + at, stack_.end());
    stack_.resize(at - 1);
    return items;
  }
  void push_words(Value::Kind kind, std::string_view words) {
    Value value(kind);
    value.words = words;
    push(std::move(value));
  }
  void push_integer(std::int64_t whole) {
    Value value(Value::integer);
    value.whole = whole;
    push(std::move(value));
  }
  void push_tuple(std::vector<Ref> items) {
    Value value(Value::tuple);
    value.items = std::move(items);
    push(std::move(value));
  }
  void push_tuple_of(std::size_t n) {
    std::vector<Ref> items(n);
    for (auto i = n; i-- > 0;) items[i] = pop();
    push_tuple(std::move(items));
  }
  void push_global(std::string name);
  void push_long(std::string_view raw);
  void add(std::vector<Ref> items, Value::Kind kind);
  void call();
  void find_storage();
  std::vector<std::int64_t> integers(Ref ref) const;
  const Value& expect(Ref ref, Value::Kind kind, const char* what) const {
    if (pool_[ref].kind != kind) throw Error(std::string("not a state_dict of tensors (") + what + ")");
    return pool_[ref];
  }

  Bytes& bytes_;
  std::deque<Value> pool_;
  std::vector<Ref> stack_;
  std::unordered_map<std::uint32_t, Ref> memo_;
};

void Unpickler::push_global(std::string name) {
  const std::string_view torch = "torch ";
  const bool storage = name.starts_with(torch) && name.ends_with("Storage") &&
                       name.find_first_of(" .", torch.size()) == std::string::npos;
  if (!storage && name != "collections OrderedDict" && name != "torch._utils _rebuild_tensor_v2" &&
      name != "torch._utils _rebuild_parameter") {
    std::replace(name.begin(), name.end(), ' ', '.');
    throw Error("refused: it wants " + name +
                ", which a state_dict does not need; save it with torch.save(model.state_dict(), FILE)");
  }
  push_words(Value::global, name);
}

void Unpickler::push_long(std::string_view raw) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(raw.size(), 8); ++i)
    value |= std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i);
  if (!raw.empty() && raw.size() < 8 && (raw.back() & 0x80)) value |= ~std::uint64_t{0} << (8 * raw.size());
  push_integer(static_cast<std::int64_t>(value));  // the low 64 bits: only the magic number is longer
}

// Entries for the list or dict below them on the stack.
void Unpickler::add(std::vector<Ref> items, Value::Kind kind) {
  if (stack_.empty() || pool_[stack_.back()].kind != kind || (kind == Value::dict && items.size() % 2))
    throw Error("not a sound pickle (entries without their list or dict)");
  auto& to = pool_[stack_.back()].items;
  to.insert(to.end(), items.begin(), items.end());
}

std::vector<std::int64_t> Unpickler::integers(Ref ref) const {
  std::vector<std::int64_t> values;
  for (const Ref item : expect(ref, Value::tuple, "a shape is no tuple").items)
    values.push_back(expect(item, Value::integer, "a shape holds no integers").whole);
  return values;
}

// REDUCE: the few functions that tensors need.
void Unpickler::call() {
  const auto arguments = expect(pop(), Value::tuple, "a call without arguments").items;
  const std::string function = expect(pop(), Value::global, "a call of what is no function").words;
  if (function == "collections OrderedDict") {
    if (!arguments.empty()) throw Error("not a state_dict of tensors (an OrderedDict with arguments)");
    push(Value(Value::dict));
  } else if (function == "torch._utils _rebuild_parameter") {
    if (arguments.empty()) throw Error("not a state_dict of tensors (a parameter without data)");
    expect(arguments[0], Value::tensor, "a parameter of what is no tensor");
    stack_.push_back(arguments[0]);
  } else if (function == "torch._utils _rebuild_tensor_v2") {
    if (arguments.size() < 4) throw Error("not a state_dict of tensors (a tensor without shape)");
    expect(arguments[0], Value::storage, "a tensor without storage");
    Value tensor(Value::tensor);
    tensor.whole = expect(arguments[1], Value::integer, "a tensor without offset").whole;
    tensor.items = {arguments[0]};
    tensor.shape = integers(arguments[2]);
    tensor.stride = integers(arguments[3]);
    if (tensor.shape.size() != tensor.stride.size()) throw Error("a tensor has as many strides as sizes, here not");
    push(std::move(tensor));
  } else {
    throw Error("not a state_dict of tensors (a call of " + function + ")");
  }
}

// BINPERSID: ("storage", type, key, location, number of elements, view), the view only in the legacy form.
void Unpickler::find_storage() {
  const auto id = expect(pop(), Value::tuple, "a reference that is no storage").items;
  if (id.size() < 5 || pool_[id[0]].kind != Value::text || pool_[id[0]].words != "storage")
    throw Error("not a state_dict of tensors (a reference that is no storage)");
  if (id.size() > 5 && pool_[id[5]].kind != Value::none)
    throw Error("holds views of storages, an old form; load and save it with a newer PyTorch");
  std::string type = expect(id[1], Value::global, "a storage without type").words.substr(6);
  type.resize(type.size() - std::string_view("Storage").size());
  Value storage(Value::storage);
  storage.words = expect(id[2], Value::text, "a storage without key").words;
  storage.type = std::move(type);
  push(std::move(storage));
}

Ref Unpickler::load() {
  stack_.clear();
  memo_.clear();
  auto remember = [&](std::uint32_t position) {
    if (stack_.empty()) throw Error("not a sound pickle (nothing to remember)");
    memo_[position] = stack_.back();
  };
  auto recall = [&](std::uint32_t position) {
    const auto found = memo_.find(position);
    if (found == memo_.end()) throw Error("not a sound pickle (it recalls what it never kept)");
    stack_.push_back(found->second);
  };
  for (;;) {
    const auto op = bytes_.number<unsigned char>();
    // clang-format off
    switch (op) {
      case 0x80: bytes_.take(1); break;  // PROTO
      case 0x95: bytes_.take(8); break;  // FRAME
      case '.':
        return pop();  // STOP
      case '(': push(Value(Value::mark)); break;  // MARK
      case '0': pop(); break;  // POP
      case 'N': push(Value()); break;  // NONE
      case 0x88: push_integer(1); break;  // NEWTRUE
      case 0x89: push_integer(0); break;  // NEWFALSE
      case 'J': push_integer(bytes_.number<std::int32_t>()); break;  // BININT
      case 'K': push_integer(bytes_.number<std::uint8_t>()); break;  // BININT1
      case 'M': push_integer(bytes_.number<std::uint16_t>()); break;  // BININT2
      case 0x8a: push_long(bytes_.take(bytes_.number<std::uint8_t>())); break;  // LONG1
      case 0x8b: push_long(bytes_.take(bytes_.number<std::uint32_t>())); break;  // LONG4
      case 'G':
        bytes_.take(8);
        push(Value(Value::number));
        break;  // BINFLOAT
      case 'X': push_words(Value::text, bytes_.take(bytes_.number<std::uint32_t>())); break;  // BINUNICODE
      case 0x8c: push_words(Value::text, bytes_.take(bytes_.number<std::uint8_t>())); break;  // SHORT_BINUNICODE
      case 0x8d: push_words(Value::text, bytes_.take(bytes_.number<std::uint64_t>())); break;  // BINUNICODE8
      case 'U': push_words(Value::text, bytes_.take(bytes_.number<std::uint8_t>())); break;  // SHORT_BINSTRING
      case 'T': push_words(Value::text, bytes_.take(bytes_.number<std::uint32_t>())); break;  // BINSTRING
      case ')': push_tuple_of(0); break;  // EMPTY_TUPLE
      case 0x85: push_tuple_of(1); break;
      case 0x86: push_tuple_of(2); break;
      case 0x87: push_tuple_of(3); break;
      case 't': push_tuple(pop_to_mark()); break;  // TUPLE
      case '}': push(Value(Value::dict)); break;  // EMPTY_DICT
      case ']': push(Value(Value::list)); break;  // EMPTY_LIST
      case 'a':
        add({pop()}, Value::list);
        break;  // APPEND
      case 'e': add(pop_to_mark(), Value::list); break;  // APPENDS
      case 's': {  // SETITEM
        const Ref value = pop(), key = pop();
        add({key, value}, Value::dict);
        break;
      }
      case 'u': add(pop_to_mark(), Value::dict); break;  // SETITEMS
      case 'q': remember(bytes_.number<std::uint8_t>()); break;  // BINPUT
      case 'r': remember(bytes_.number<std::uint32_t>()); break;  // LONG_BINPUT
      case 0x94: remember(static_cast<std::uint32_t>(memo_.size())); break;  // MEMOIZE
      case 'h': recall(bytes_.number<std::uint8_t>()); break;  // BINGET
      case 'j': recall(bytes_.number<std::uint32_t>()); break;  // LONG_BINGET
      case 'c': {  // GLOBAL
        const auto module = std::string(bytes_.line());
        push_global(module + " " + std::string(bytes_.line()));
        break;
      }
      case 0x93: {  // STACK_GLOBAL
        const Ref name = pop(), module = pop();
        push_global(expect(module, Value::text, "a name that is no text").words + " " +
                    expect(name, Value::text, "a name that is no text").words);
        break;
      }
      case 'R': call(); break;  // REDUCE
      case 'Q': find_storage(); break;  // BINPERSID
      case 'b':  // BUILD: attributes of the dict (_metadata), not needed
        pop();
        if (stack_.empty() || pool_[stack_.back()].kind != Value::dict)
          throw Error("not a state_dict of tensors (attributes of what is no dict)");
        break;
      default:
        throw Error("not a state_dict of tensors (byte " + std::to_string(int{op}) + " of a pickle at " +
                    std::to_string(bytes_.at - 1) + ")");
    }
    // clang-format on
  }
}

using Storages = std::map<std::string, std::string_view>;

double half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double magnitude = exponent == 31  ? (fraction ? std::nan("") : HUGE_VAL)
                           : exponent == 0 ? std::ldexp(fraction, -24)
                                           : std::ldexp(1024 + fraction, exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

template <class T>
T element(std::string_view raw, std::int64_t i) {
  T value;
  std::memcpy(&value, raw.data() + i * sizeof value, sizeof value);
  return value;
}

using Read = double (*)(std::string_view, std::int64_t);
struct ElementType {
  std::size_t size;
  Read read;
};
const std::map<std::string, ElementType>& element_types() {
  static const std::map<std::string, ElementType> types = {
      {"Float", {4, [](std::string_view raw, std::int64_t i) { return double{element<float>(raw, i)}; }}},
      {"Double", {8, [](std::string_view raw, std::int64_t i) { return element<double>(raw, i); }}},
      {"Half", {2, [](std::string_view raw, std::int64_t i) { return half(element<std::uint16_t>(raw, i)); }}},
      {"BFloat16",
       {2,
        [](std::string_view raw, std::int64_t i) {
          return double{std::bit_cast<float>(std::uint32_t{element<std::uint16_t>(raw, i)} << 16)};
        }}},
      {"Long",
       {8, [](std::string_view raw, std::int64_t i) { return static_cast<double>(element<std::int64_t>(raw, i)); }}},
      {"Int",
       {4, [](std::string_view raw, std::int64_t i) { return static_cast<double>(element<std::int32_t>(raw, i)); }}}};
  return types;
}

TorchTensor materialise(const std::string& name, const Value& tensor, const Value& storage, const Storages& storages) {
  const auto fail = [&](const std::string& what) -> Error { return Error("tensor '" + name + "' " + what); };
  const auto type = element_types().find(storage.type);
  if (type == element_types().end()) throw fail("has elements of type " + storage.type + ", which are not read");
  const auto raw = storages.find(storage.words);
  if (raw == storages.end()) throw fail("has no data in the file; it is truncated");
  const auto [size, read] = type->second;
  const auto available = static_cast<std::int64_t>(raw->second.size() / size);
  std::int64_t n = 1, last = tensor.whole;
  for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
    const auto extent = tensor.shape[d], stride = tensor.stride[d];
    if (extent < 0 || stride < 0 || extent > kMaxElements || stride > kMaxElements || n * extent > kMaxElements)
      throw fail("is too large or has a negative shape");
    n *= extent;
    if (extent > 0) last += (extent - 1) * stride;
  }
  if (tensor.whole < 0 || (n > 0 && (last >= available || n > available)))
    throw fail("reaches outside its storage of " + std::to_string(available) + " elements");
  TorchTensor result{name, tensor.shape, std::vector<double>(n)};
  std::vector<std::int64_t> position(tensor.shape.size(), 0);
  std::int64_t at = tensor.whole;
  for (auto& value : result.values) {
    value = read(raw->second, at);
    for (std::size_t d = position.size(); d-- > 0;) {
      at += tensor.stride[d];
      if (++position[d] < tensor.shape[d]) break;
      at -= position[d] * tensor.stride[d];
      position[d] = 0;
    }
  }
  return result;
}

void collect(const Unpickler& values, Ref ref, const std::string& prefix, const Storages& storages, int depth,
             std::vector<TorchTensor>& tensors) {
  if (depth > kDeepest) throw Error("has dictionaries nested deeper than " + std::to_string(kDeepest));
  const auto& items = values[ref].items;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    const auto& key = values[items[i]];
    const auto& value = values[items[i + 1]];
    const std::string name = prefix + (key.kind == Value::text ? key.words : std::to_string(key.whole));
    if (value.kind == Value::tensor)
      tensors.push_back(materialise(name, value, values[value.items[0]], storages));
    else if (value.kind == Value::dict)
      collect(values, items[i + 1], name + ".", storages, depth + 1, tensors);
  }
}

std::vector<TorchTensor> tensors_of(const Unpickler& values, Ref root, const Storages& storages) {
  if (values[root].kind != Value::dict)
    throw Error("holds no dictionary of tensors; save it with torch.save(model.state_dict(), FILE)");
  std::vector<TorchTensor> tensors;
  collect(values, root, "", storages, 0, tensors);
  if (tensors.empty()) throw Error("holds no tensor; save it with torch.save(model.state_dict(), FILE)");
  return tensors;
}

// Magic number, protocol, system, object; then the keys of the storages, and each with its size.
std::vector<TorchTensor> read_legacy(std::string_view content) {
  Bytes bytes{content};
  Unpickler head(bytes);
  constexpr std::uint64_t kMagic = 0xa86a20f9469cfc6cu;  // the low 64 bits of PyTorch's
  const auto magic = static_cast<std::uint64_t>(head[head.load()].whole);
  if (magic != kMagic) throw Error("is no file of torch.save");
  if (head[head.load()].whole != 1001) throw Error("has a protocol of torch.save that is not known");
  head.load();
  Unpickler values(bytes);
  const Ref root = values.load();
  Unpickler names(bytes);
  const Ref keys = names.load();
  Storages storages;
  std::map<std::string, std::size_t> sizes;  // of an element
  for (Ref item = 0; item < values.size(); ++item)
    if (values[item].kind == Value::storage)
      if (const auto type = element_types().find(values[item].type); type != element_types().end())
        sizes[values[item].words] = type->second.size;
  for (const Ref key : names[keys].items) {
    const auto n = bytes.number<std::uint64_t>();
    const auto size = sizes.find(names[key].words);
    if (size == sizes.end()) throw Error("has a storage of a type that is not read");
    if (n > kLargestFile) throw Error("truncated, or damaged at its storages");
    storages[names[key].words] = bytes.take(n * size->second);
  }
  return tensors_of(values, root, storages);
}

// The members of a zip archive that are stored as they are, as torch.save does it.
std::map<std::string, std::string_view> zip_members(std::string_view content) {
  const auto end = content.rfind("PK\x05\x06");
  if (end == std::string_view::npos || content.size() - end < 22)
    throw Error("truncated: the directory of the zip archive is missing");
  Bytes tail{content, end + 10};
  const auto count = tail.number<std::uint16_t>();
  tail.take(4);
  Bytes directory{content};
  directory.take(tail.number<std::uint32_t>());
  std::map<std::string, std::string_view> members;
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
    const auto name = std::string(directory.take(name_size));
    directory.take(extra + comment);
    if (method != 0 || packed != size)
      throw Error("member " + name + " is compressed, as torch.save does not do; save it again with torch.save");
    Bytes local{content};
    local.take(offset);
    if (local.take(4) != std::string_view("PK\x03\x04", 4)) throw Error("damaged member " + name);
    local.take(22);
    const auto skip = local.number<std::uint16_t>();
    local.take(skip + std::size_t{local.number<std::uint16_t>()});
    members[name] = local.take(size);
  }
  return members;
}

std::vector<TorchTensor> read_zip(std::string_view content) {
  const auto members = zip_members(content);
  const std::string object = "data.pkl";
  for (const auto& [name, data] : members) {
    if (!name.ends_with("/" + object) && name != object) continue;
    const std::string folder = name.substr(0, name.size() - object.size());
    if (const auto order = members.find(folder + "byteorder"); order != members.end() && order->second != "little")
      throw Error("has big-endian numbers, which are not read");
    Storages storages;
    for (const auto& [other, bytes] : members)
      if (other.starts_with(folder + "data/")) storages[other.substr(folder.size() + 5)] = bytes;
    Bytes bytes{data};
    Unpickler values(bytes);
    const Ref root = values.load();
    return tensors_of(values, root, storages);
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
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw Error(path + ": is a folder; name a file of torch.save");
  const auto size = std::filesystem::file_size(path, error);
  if (error) throw Error(path + ": can not be read (" + error.message() + ")");
  if (size > kLargestFile) throw Error(path + ": is larger than 1 GiB; is it the right file?");
  std::ifstream file(path, std::ios::binary);
  std::string content(size, '\0');
  if (!file.read(content.data(), static_cast<std::streamsize>(size))) throw Error(path + ": can not be read");
  try {
    return parse_torch_file(content);
  } catch (const Error& fault) {
    throw Error(path + ": " + fault.what());
  }
}

}  // namespace oneproxy
