#pragma once
// Pickles as torch.save writes them, read without Python. A pickle may ask for any function to be called; this reader
// knows the few names that tensors need and refuses every other one, and nothing in the file is run.
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

// A cursor over bytes: what is announced is compared with what is there before it is taken.
struct ByteCursor {
  std::string_view all;
  std::size_t at = 0;  // never beyond the end

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
  std::string_view line();
  std::size_t left() const { return all.size() - at; }
};

// Values lie in one pool and name each other by position, so that no nesting, however deep or circular, needs the
// stack. Texts are views of the file's bytes: recalled a million times they take no memory.
using PickleRef = std::uint32_t;
struct PickleValue {
  enum Kind {
    none,
    integer,
    long_integer,  // more than 64 bits
    number,
    text,
    tuple,
    list,
    dict,
    function,      // one that tensors need
    storage_type,  // "Float"
    storage,
    tensor,
    mark
  };
  explicit PickleValue(Kind of = none) : kind(of) {}

  Kind kind;
  std::int64_t whole = 0;        // integer; offset of a tensor
  std::string_view words;        // text; bytes of a long integer; name of a function or a type; key of a storage
  std::string_view type;         // of a storage's elements, "Float"
  std::vector<PickleRef> items;  // of tuple and list; key, value, key, value, ... of a dict; a tensor's storage,
                                 // shape and stride, the latter two tuples of integers of one length
};

class Unpickler {
 public:
  // The cursor and its bytes stay with the caller and outlive this.
  explicit Unpickler(ByteCursor& bytes) : bytes_(bytes) {}

  // The next pickle at the cursor. Errors, one line each: truncated, not sound, a name that tensors do not need, more
  // values or steps than a state_dict has. Throws Interrupted after a signal.
  PickleRef load();

  const PickleValue& operator[](PickleRef ref) const { return pool_[ref]; }
  PickleRef size() const { return static_cast<PickleRef>(pool_.size()); }
  // The integers of a tuple, such as a shape.
  std::vector<std::int64_t> integers(PickleRef ref) const;

 private:
  using Ref = PickleRef;
  using Value = PickleValue;

  void step(unsigned char op);
  Ref make(Value value);
  void push(Value value) { stack_.push_back(make(std::move(value))); }
  Ref pop();
  std::vector<Ref> pop_to_mark();
  std::string_view text(std::uint64_t size);
  void push_words(Value::Kind kind, std::string_view words);
  void push_integer(std::int64_t whole);
  void push_tuple(std::vector<Ref> items);
  void push_tuple_of(std::size_t n);
  void push_global(std::string_view module, std::string_view name);
  void push_long(std::string_view raw);
  void add(std::vector<Ref> items, Value::Kind kind);
  void call();
  void find_storage();
  void remember(std::uint32_t position);
  void recall(std::uint32_t position);
  const Value& expect(Ref ref, Value::Kind kind, const char* what) const;

  ByteCursor& bytes_;
  std::deque<Value> pool_;  // a deque: references to its values stay valid while it grows
  std::vector<Ref> stack_;
  std::unordered_map<std::uint32_t, Ref> memo_;
};

}  // namespace oneproxy
