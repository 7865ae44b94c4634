#include "engine/predictor/library.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "engine/base/names.h"
#include "engine/data/store.h"
#include "engine/data/stored.h"
#include "kernels/error.h"

namespace oneproxy {
namespace fs = std::filesystem;
namespace {

const std::string kPredictors = "/predictors", kTables = "/tables";

std::vector<std::string> names_in(const std::string& store, const std::string& group) {
  return H5File(Store(store).path(), H5Mode::read).children(group);  // refuses what is not a store
}

void require(const std::vector<std::string>& known, const std::string& what, const std::string& name,
             const std::string& store, const std::string& space, const std::string& remedy) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  const std::string where = "space " + space + " of " + store;
  throw Error((known.empty() ? "no " + what + " '" + name + "' in " + where : unknown_name(what, name, where, known)) +
              "; " + remedy);
}

void add(const std::string& store, const std::string& start_from, const std::string& name,
         const std::function<void(H5File&)>& write) {
  if (name.empty() || name[0] == '.' || name.find_first_of("/:\"' ") != std::string::npos)
    throw Error("'" + name + "': a name in a store has no blanks, quotes, '/' or ':'");
  const std::string start = fs::exists(store) ? store : start_from;
  (void)Store(start);  // refuses what is not a store
  replace_file(store, start, write);
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
  if (reference.ends_with(".pth") || reference.ends_with(".pt"))
    throw Error(reference + ": is imported first: oneproxy import --predictor " + reference + " --space " +
                space.name() + " --name NAME --store " + store);
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

TablePredictor find_table(const std::string& name, const std::string& store, const SearchSpace& space) {
  require(table_names(store, space.name()), "look-up table", name, store, space.name(),
          "tools/import_datasets.py makes them from the public files");
  TablePredictor table = read_table(H5File(store, H5Mode::read), kTables + "/" + space.name() + "/" + name);
  check_predictor(table, space, "look-up table " + name + " of " + store);
  return table;
}

void add_predictor(const std::string& store, const std::string& start_from, const std::string& name,
                   const MlpPredictor& predictor) {
  add(store, start_from, name,
      [&](H5File& file) { write_predictor(file, kPredictors + "/" + predictor.space + "/" + name, predictor); });
}

void add_table(const std::string& store, const std::string& start_from, const std::string& name,
               const TablePredictor& table) {
  add(store, start_from, name,
      [&](H5File& file) { write_table(file, kTables + "/" + table.space + "/" + name, table); });
}

}  // namespace oneproxy
