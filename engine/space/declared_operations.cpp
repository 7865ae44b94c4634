#include "oneproxy/engine/space/declared_operations.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/space/declared_names.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// What a table may list, with the largest value and what it means.
struct Attribute {
  const char* key;
  int most;
  const char* meaning;
  int Operation::*field;
};
constexpr Attribute kAttributes[] = {
    {"kernel", 99, "kernel size", &Operation::kernel},
    {"expansion", 99, "expansion of channels", &Operation::expansion},
    {"groups", 9999, "groups of its 1x1 convolutions", &Operation::groups},
    {"repeats", 99, "layers one after the other", &Operation::repeats},
};
const std::string kSqueeze = "squeeze_excitation";

// One attribute of a table, with the values that it lists; those of squeeze_excitation are 0 and 1.
struct Listed {
  std::string key;
  std::vector<int> values;
};

std::vector<int> to_int(const std::vector<std::int64_t>& values) { return {values.begin(), values.end()}; }

std::vector<Listed> read_attributes(Config& table) {
  std::vector<Listed> listed;
  for (const auto& a : kAttributes) listed.push_back({a.key, to_int(table.integers(a.key, {1}, 1, a.most, a.meaning))});
  listed.push_back({kSqueeze, {}});
  for (const bool flag : table.flags(kSqueeze, {false}, "of an mbconv, in each of its layers"))
    listed.back().values.push_back(flag);
  for (const auto& a : listed)
    if (a.values.empty())
      throw Error(table.location(a.key) + ": " + a.key + " = [] lists no value; give one, or leave the key out");
  return listed;
}

// The name with its placeholders: literal text, and after each piece but the last the attribute that stands there.
struct NameForm {
  std::vector<std::string> text;
  std::vector<std::size_t> attribute;  // position among the listed ones
};

NameForm read_form(const std::string& name, const std::vector<Listed>& listed, const std::string& where) {
  NameForm form;
  std::vector<std::string> keys;
  for (const auto& a : listed) keys.push_back(a.key);
  std::size_t from = 0;
  for (auto open = name.find('{'); open != std::string::npos; open = name.find('{', from)) {
    const auto close = name.find('}', open);
    if (close == std::string::npos)
      throw Error(where + ": name = \"" + name + "\" has a '{' without '}'; write {expansion} or another attribute");
    const std::string key = name.substr(open + 1, close - open - 1);
    const auto found = std::find(keys.begin(), keys.end(), key);
    if (found == keys.end()) throw Error(unknown_name("attribute in the name", key, where, keys));
    const std::size_t position = found - keys.begin();
    if (std::find(form.attribute.begin(), form.attribute.end(), position) != form.attribute.end())
      throw Error(where + ": name = \"" + name + "\" has {" + key + "} twice; once is enough");
    form.text.push_back(name.substr(from, open - from));
    form.attribute.push_back(position);
    from = close + 1;
  }
  form.text.push_back(name.substr(from));
  for (std::size_t a = 0; a < listed.size(); ++a)
    if (listed[a].values.size() > 1 &&
        std::find(form.attribute.begin(), form.attribute.end(), a) == form.attribute.end())
      throw Error(where + ": " + listed[a].key + " lists " + std::to_string(listed[a].values.size()) +
                  " values, so the name must tell them apart; write {" + listed[a].key + "} into name = \"" + name +
                  "\"");
  return form;
}

void set(Operation& op, const std::string& key, int value) {
  if (key == kSqueeze) op.squeeze_excitation = value != 0;
  for (const auto& a : kAttributes)
    if (key == a.key) op.*a.field = value;
}

// All operations of one table.
std::vector<Operation> read_product(Config& table, std::size_t declared) {
  const std::string name = table.text("name", std::nullopt, "its name in architecture strings"),
                    where = table.location("name");
  Operation shared;
  shared.kind = table.one_of("kind", std::nullopt, {"none", "skip", "conv", "pool", "mbconv"}, "what it computes");
  const auto squeeze_of = table.one_of("squeeze_of", "expansion", {"expansion", "input"}, "what it is a quarter of");
  shared.squeeze_of = squeeze_of == "input" ? SqueezeOf::input : SqueezeOf::expansion;
  shared.unit_expansion = table.flag("unit_expansion", true, "an mbconv of expansion 1 has its 1x1 expansion");
  shared.batch_norm = table.flag("batch_norm", false, "parameters of an mbconv count its normalisation");
  const auto listed = read_attributes(table);
  const auto form = read_form(name, listed, where);
  std::size_t n = 1;
  for (const auto& a : listed) {
    n *= a.values.size();
    if (declared + n > kMaxChoices)  // before the product is made
      require_choices(declared + n, "with this [[operation]] there are " + std::to_string(declared + n), where);
  }
  std::vector<Operation> operations;
  for (std::size_t i = 0; i < n; ++i) {
    Operation op = shared;
    for (const auto& a : listed) set(op, a.key, a.values[0]);
    op.name = form.text.back();
    std::size_t rest = i;
    for (std::size_t p = form.attribute.size(); p-- > 0;) {
      const auto& a = listed[form.attribute[p]];
      const int value = a.values[rest % a.values.size()];
      rest /= a.values.size();
      set(op, a.key, value);
      op.name = form.text[p] + std::to_string(value) + op.name;
    }
    if (op.repeats > 1 && (op.kind == "none" || op.kind == "skip"))
      throw Error(table.location("repeats") + ": repeats = " + std::to_string(op.repeats) + " of kind \"" + op.kind +
                  "\", which has no layers; leave it out");
    operations.push_back(op);
  }
  return operations;
}

}  // namespace

std::vector<Operation> read_operations(Config& file) {
  std::vector<Operation> operations;
  std::vector<std::string> names;
  auto tables = file.tables("operation", "operations that a decision may choose");
  for (auto& table : tables)
    for (const auto& op : read_product(table, operations.size())) {
      require_new(names, op.name, "operations", table.location("name"));
      names.push_back(op.name);
      operations.push_back(op);
    }
  if (!tables.empty())
    require_choices(operations.size(), "declares " + count_of(operations.size(), "operation"), file.file());
  return operations;
}

std::vector<std::size_t> read_choices_of_stage(Config& stage, const std::vector<Operation>& operations) {
  std::vector<std::size_t> chosen(operations.size());
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  for (const auto& a : kAttributes) {
    const auto values = to_int(stage.integers(a.key, {}, 1, a.most, "its layers choose operations with one of these"));
    if (values.empty()) continue;
    for (const int value : values)
      if (std::none_of(operations.begin(), operations.end(), [&](const auto& op) { return op.*a.field == value; }))
        throw Error(stage.location(a.key) + ": no operation has " + a.key + " = " + std::to_string(value) +
                    "; leave it out, or declare one");
    std::erase_if(chosen, [&](std::size_t o) {
      return std::find(values.begin(), values.end(), operations[o].*a.field) == values.end();
    });
  }
  if (!operations.empty() && chosen.size() < 2)
    require_choices(chosen.size(), "a stage keeps " + count_of(chosen.size(), "operation"), stage.file());
  return chosen;
}

}  // namespace oneproxy
