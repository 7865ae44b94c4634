#include "oneproxy/engine/data/pickle.h"

#include <algorithm>

#include "oneproxy/engine/base/interrupt.h"

namespace oneproxy {
namespace {

// A state_dict takes some 20 values and 45 steps a tensor: these are 50,000 tensors and more.
constexpr std::size_t kMaxValues = std::size_t{1} << 20;
constexpr std::size_t kMaxSteps = std::size_t{1} << 22;
constexpr std::size_t kStepsBetweenChecks = std::size_t{1} << 16;
constexpr std::size_t kLongestText = std::size_t{1} << 16;
constexpr std::size_t kMaxDimensions = 64;  // PyTorch's own limit

constexpr std::string_view kDict = "OrderedDict", kTensor = "_rebuild_tensor_v2", kParameter = "_rebuild_parameter";
constexpr std::string_view kStorageSuffix = "Storage";

}  // namespace

std::string_view ByteCursor::line() {
  const auto end = all.find('\n', at);
  if (end == std::string_view::npos) throw Error("truncated within a name");
  const auto text = all.substr(at, end - at);
  at = end + 1;
  return text;
}

PickleRef Unpickler::make(Value value) {
  if (pool_.size() >= kMaxValues)
    throw Error("holds more than " + std::to_string(kMaxValues) +
                " values; save the weights alone with torch.save(model.state_dict(), FILE)");
  pool_.push_back(std::move(value));
  return static_cast<Ref>(pool_.size() - 1);
}

PickleRef Unpickler::pop() {
  if (stack_.empty()) throw Error("not a sound pickle (it takes from an empty stack)");
  const Ref top = stack_.back();
  stack_.pop_back();
  return top;
}

std::vector<PickleRef> Unpickler::pop_to_mark() {
  std::size_t at = stack_.size();
  while (at > 0 && pool_[stack_[at - 1]].kind != Value::mark) --at;
  if (at == 0) throw Error("not a sound pickle (a mark is missing)");
  std::vector<Ref> items(stack_.begin() + at, stack_.end());
  stack_.resize(at - 1);
  return items;
}

std::string_view Unpickler::text(std::uint64_t size) {
  const auto words = bytes_.take(size);
  if (size > kLongestText)
    throw Error("holds a text of " + std::to_string(size) + " bytes; names of tensors have at most " +
                std::to_string(kLongestText));
  return words;
}

void Unpickler::push_words(Value::Kind kind, std::string_view words) {
  Value value(kind);
  value.words = words;
  push(std::move(value));
}

void Unpickler::push_integer(std::int64_t whole) {
  Value value(Value::integer);
  value.whole = whole;
  push(std::move(value));
}

void Unpickler::push_tuple(std::vector<Ref> items) {
  Value value(Value::tuple);
  value.items = std::move(items);
  push(std::move(value));
}

void Unpickler::push_tuple_of(std::size_t n) {
  std::vector<Ref> items(n);
  for (auto i = n; i-- > 0;) items[i] = pop();
  push_tuple(std::move(items));
}

void Unpickler::push_global(std::string_view module, std::string_view name) {
  if (module == "torch" && name.ends_with(kStorageSuffix) && name.find('.') == std::string_view::npos) {
    push_words(Value::storage_type, name.substr(0, name.size() - kStorageSuffix.size()));
  } else if ((module == "collections" && name == kDict) ||
             (module == "torch._utils" && (name == kTensor || name == kParameter))) {
    push_words(Value::function, name);
  } else {
    throw Error("refused: it wants " + std::string(module) + "." + std::string(name) +
                ", which a state_dict does not need; save it with torch.save(model.state_dict(), FILE)");
  }
}

void Unpickler::push_long(std::string_view raw) {
  if (raw.size() > 8) {
    push_words(Value::long_integer, raw);
    return;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) value |= std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i);
  if (!raw.empty() && raw.size() < 8 && (raw.back() & 0x80)) value |= ~std::uint64_t{0} << (8 * raw.size());
  push_integer(static_cast<std::int64_t>(value));
}

// Entries for the list or dict below them on the stack.
void Unpickler::add(std::vector<Ref> items, Value::Kind kind) {
  if (stack_.empty() || pool_[stack_.back()].kind != kind || (kind == Value::dict && items.size() % 2))
    throw Error("not a sound pickle (entries without their list or dict)");
  auto& to = pool_[stack_.back()].items;
  to.insert(to.end(), items.begin(), items.end());
}

const PickleValue& Unpickler::expect(Ref ref, Value::Kind kind, const char* what) const {
  if (pool_[ref].kind != kind) throw Error(std::string("not a state_dict of tensors (") + what + ")");
  return pool_[ref];
}

std::vector<std::int64_t> Unpickler::integers(Ref ref) const {
  std::vector<std::int64_t> values;
  for (const Ref item : expect(ref, Value::tuple, "a shape is no tuple").items)
    values.push_back(expect(item, Value::integer, "a shape holds no integers of 64 bits").whole);
  return values;
}

// REDUCE: the few functions that tensors need.
void Unpickler::call() {
  const auto& arguments = expect(pop(), Value::tuple, "a call without arguments").items;
  const auto function = expect(pop(), Value::function, "a call of what is no function").words;
  if (function == kDict) {
    if (!arguments.empty()) throw Error("not a state_dict of tensors (an OrderedDict with arguments)");
    push(Value(Value::dict));
    return;
  }
  if (arguments.empty()) throw Error("not a state_dict of tensors (a tensor without data)");
  if (function == kParameter) {
    expect(arguments[0], Value::tensor, "a parameter of what is no tensor");
    stack_.push_back(arguments[0]);
    return;
  }
  if (arguments.size() < 4) throw Error("not a state_dict of tensors (a tensor without shape)");
  expect(arguments[0], Value::storage, "a tensor without storage");
  const auto& shape = expect(arguments[2], Value::tuple, "a shape is no tuple").items;
  const auto& stride = expect(arguments[3], Value::tuple, "strides are no tuple").items;
  if (shape.size() != stride.size()) throw Error("a tensor has as many strides as sizes, here not");
  if (shape.size() > kMaxDimensions)
    throw Error("a tensor has at most " + std::to_string(kMaxDimensions) + " dimensions, here " +
                std::to_string(shape.size()));
  Value tensor(Value::tensor);
  tensor.whole = expect(arguments[1], Value::integer, "an offset that is no integer of 64 bits").whole;
  tensor.items = {arguments[0], arguments[2], arguments[3]};
  push(std::move(tensor));
}

// BINPERSID: ("storage", type, key, location, number of elements, view), the view only in the legacy form.
void Unpickler::find_storage() {
  const auto& id = expect(pop(), Value::tuple, "a reference that is no storage").items;
  if (id.size() < 5 || pool_[id[0]].kind != Value::text || pool_[id[0]].words != "storage")
    throw Error("not a state_dict of tensors (a reference that is no storage)");
  if (id.size() > 5 && pool_[id[5]].kind != Value::none)
    throw Error("holds views of storages, an old form; load and save it with a newer PyTorch");
  Value storage(Value::storage);
  storage.type = expect(id[1], Value::storage_type, "a storage without type").words;
  storage.words = expect(id[2], Value::text, "a storage without key").words;
  push(std::move(storage));
}

void Unpickler::remember(std::uint32_t position) {
  if (stack_.empty()) throw Error("not a sound pickle (nothing to remember)");
  memo_[position] = stack_.back();
}

void Unpickler::recall(std::uint32_t position) {
  const auto found = memo_.find(position);
  if (found == memo_.end()) throw Error("not a sound pickle (it recalls what it never kept)");
  stack_.push_back(found->second);
}

PickleRef Unpickler::load() {
  stack_.clear();
  memo_.clear();
  for (std::size_t steps = 1;; ++steps) {
    if (steps > kMaxSteps)
      throw Error("is built in more than " + std::to_string(kMaxSteps) +
                  " steps; save the weights alone with torch.save(model.state_dict(), FILE)");
    if (steps % kStepsBetweenChecks == 0) check_interrupt();
    const auto op = bytes_.number<unsigned char>();
    if (op == '.') return pop();  // STOP
    step(op);
  }
}

void Unpickler::step(unsigned char op) {
  // clang-format off
  switch (op) {
    case 0x80: bytes_.take(1); break;  // PROTO
    case 0x95: bytes_.take(8); break;  // FRAME
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
    case 'G':  // BINFLOAT
      bytes_.take(8);
      push(Value(Value::number));
      break;
    case 'X': push_words(Value::text, text(bytes_.number<std::uint32_t>())); break;  // BINUNICODE
    case 0x8c: push_words(Value::text, text(bytes_.number<std::uint8_t>())); break;  // SHORT_BINUNICODE
    case 0x8d: push_words(Value::text, text(bytes_.number<std::uint64_t>())); break;  // BINUNICODE8
    case 'U': push_words(Value::text, text(bytes_.number<std::uint8_t>())); break;  // SHORT_BINSTRING
    case 'T': push_words(Value::text, text(bytes_.number<std::uint32_t>())); break;  // BINSTRING
    case ')': push_tuple_of(0); break;  // EMPTY_TUPLE
    case 0x85: push_tuple_of(1); break;
    case 0x86: push_tuple_of(2); break;
    case 0x87: push_tuple_of(3); break;
    case 't': push_tuple(pop_to_mark()); break;  // TUPLE
    case '}': push(Value(Value::dict)); break;  // EMPTY_DICT
    case ']': push(Value(Value::list)); break;  // EMPTY_LIST
    case 'a': add({pop()}, Value::list); break;  // APPEND
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
      const auto module = bytes_.line();
      push_global(module, bytes_.line());
      break;
    }
    case 0x93: {  // STACK_GLOBAL
      const Ref name = pop(), module = pop();
      push_global(expect(module, Value::text, "a name that is no text").words,
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

}  // namespace oneproxy
