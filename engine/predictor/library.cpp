#include "oneproxy/engine/predictor/library.h"

#include <algorithm>
#include <functional>

#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

const std::string kPredictors = "/predictors", kTables = "/tables";

std::vector<std::string> names_in(const std::string& store, const std::string& group) {
  return H5File(Store(store).path(), H5Mode::read).children(group);  // refuses what is not a store
}

void require(const std::vector<std::string>& known, const std::string& what, const std::string& name,
             const std::string& store, const std::string& space, std::string remedy) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  const std::string where = "space " + space + " of " + store;
  if (is_shipped_store(store))
    remedy += ", in a store of your own that begins as a copy of this one (" + store_to_add_to(store) +
              "): name it as the store then";
  throw Error((known.empty() ? "no " + what + " '" + name + "' in " + where : unknown_name(what, name, where, known)) +
              "; " + remedy);
}

void add(const std::string& store, const std::string& start_from, const std::string& name,
         const std::function<void(H5File&)>& write) {
  if (name.empty() || name[0] == '.' || name.find_first_of("/:\"' ") != std::string::npos)
    throw Error("'" + name + "': a name in a store has no blanks, quotes, '/' or ':'");
  change_store(store, start_from, write);
}

}  // namespace

std::vector<std::string> predictor_names(const std::string& store, const std::string& space) {
  return names_in(store, kPredictors + "/" + space);
}
std::vector<std::string> table_names(const std::string& store, const std::string& space) {
  return names_in(store, kTables + "/" + space);
}

std::vector<std::string> predicted_spaces(const std::string& store) {
  auto spaces = names_in(store, kPredictors);
  for (auto& space : names_in(store, kTables)) spaces.push_back(std::move(space));
  std::sort(spaces.begin(), spaces.end());
  spaces.erase(std::unique(spaces.begin(), spaces.end()), spaces.end());
  return spaces;
}

MlpPredictor find_predictor(const std::string& reference, const std::string& store, const SearchSpace& space) {
  if (reference.ends_with(".pth") || reference.ends_with(".pt") || reference.ends_with(".onnx"))
    throw Error(reference + ": is imported first: oneproxy import --predictor " + shell_word(reference) + " --space " +
                space.name() + " --name NAME --store " + shell_word(store_to_add_to(store)));
  const bool file = reference.ends_with(".h5");
  if (!file)
    require(predictor_names(store, space.name()), "predictor", reference, store, space.name(),
            "`oneproxy import --predictor FILE.pth` and `oneproxy train` make one");
  MlpPredictor predictor =
      file ? load_predictor(reference)
           : read_predictor(H5File(store, H5Mode::read), kPredictors + "/" + space.name() + "/" + reference);
  check_predictor(predictor, space, file ? reference : "predictor " + reference + " of " + store);
  return predictor;
}

Predictor find_table(const std::string& reference, const std::string& store, const SearchSpace& space) {
  const bool in_file = reference.ends_with(".h5");
  if (!in_file)
    require(table_names(store, space.name()), "look-up table", reference, store, space.name(),
            "`oneproxy import --table` makes one of your own, `oneproxy adapt` one from measurements");
  const H5File file(in_file ? reference : store, H5Mode::read);
  const std::string group = in_file ? "/" : kTables + "/" + space.name() + "/" + reference;
  Predictor table =
      is_index_table(file, group) ? Predictor(read_index_table(file, group)) : Predictor(read_table(file, group));
  const std::string where = in_file ? reference : "look-up table " + reference + " of " + store;
  std::visit([&](const auto& model) { check_predictor(model, space, where); }, table);
  return table;
}

namespace {
void write(H5File& file, const std::string& group, const MlpPredictor& model) { write_predictor(file, group, model); }
void write(H5File& file, const std::string& group, const AdditivePredictor& model) { write_table(file, group, model); }
void write(H5File& file, const std::string& group, const IndexTable& model) { write_table(file, group, model); }
}  // namespace

std::optional<Device> find_device(const std::string& reference, const std::string& store, const SearchSpace& space) {
  const bool in_file = reference.ends_with(".h5");
  std::string group = "/";
  if (!in_file) {
    const auto tables = table_names(store, space.name()), predictors = predictor_names(store, space.name());
    const bool table = std::find(tables.begin(), tables.end(), reference) != tables.end();
    auto known = tables;
    known.insert(known.end(), predictors.begin(), predictors.end());
    require(known, "device", reference, store, space.name(), "`oneproxy adapt --into` adds one");
    group = (table ? kTables : kPredictors) + "/" + space.name() + "/" + reference;
  }
  const H5File file(in_file ? reference : store, H5Mode::read);
  if (!is_device(file, device_group(group))) return std::nullopt;
  Device device = read_device(file, device_group(group));
  check_device(device, space, in_file ? reference : store);
  return device;
}

std::optional<Posterior> find_posterior(const std::string& reference, const std::string& store,
                                        const SearchSpace& space) {
  const bool in_file = reference.ends_with(".h5");
  if (!in_file)
    require(table_names(store, space.name()), "look-up table", reference, store, space.name(),
            "`oneproxy adapt --into` adds one");
  const H5File file(in_file ? reference : store, H5Mode::read);
  const std::string group = posterior_group(in_file ? "/" : kTables + "/" + space.name() + "/" + reference);
  if (!is_posterior(file, group)) return std::nullopt;
  Posterior posterior = read_posterior(file, group);
  check_posterior(posterior, space, file.path() + ":" + group);
  return posterior;
}

void save_predictor(const std::string& path, const Predictor& model, const Device* device, const Posterior* posterior) {
  write_h5_atomically(path, [&](H5File& file) {
    std::visit([&](const auto& m) { write(file, "/", m); }, model);
    if (device) write_device(file, device_group("/"), *device);
    if (posterior) write_posterior(file, posterior_group("/"), *posterior);
  });
}

void add_predictor(const std::string& store, const std::string& start_from, const std::string& name,
                   const Predictor& model, const Device* device, const Posterior* posterior) {
  const std::string& kind = std::holds_alternative<MlpPredictor>(model) ? kPredictors : kTables;
  add(store, start_from, name, [&](H5File& file) {
    std::visit(
        [&](const auto& m) {
          const std::string group = kind + "/" + m.space + "/" + name;
          write(file, group, m);
          if (device) write_device(file, device_group(group), *device);
          if (posterior) write_posterior(file, posterior_group(group), *posterior);
        },
        model);
  });
}

}  // namespace oneproxy
