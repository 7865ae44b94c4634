#pragma once
// Predictors and look-up tables of a store, by name.
//   /predictors/<space>/<name>   multilayer perceptrons   (engine/predictor/mlp_predictor.h)
//   /tables/<space>/<name>       look-up tables           (engine/predictor/additive_predictor.h, index_table.h)
#include <string>
#include <vector>

#include "oneproxy/engine/predictor/mlp_predictor.h"
#include "oneproxy/engine/predictor/space_model.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// Sorted; empty where the store has none.
std::vector<std::string> predictor_names(const std::string& store, const std::string& space);
std::vector<std::string> table_names(const std::string& store, const std::string& space);
// Spaces with predictors or tables in the store.
std::vector<std::string> predicted_spaces(const std::string& store);

// `reference` is a file (*.h5), or a name in the store. All belong to `space`, or are refused; errors
// offer the nearest names and say how a predictor enters a store.
MlpPredictor find_predictor(const std::string& reference, const std::string& store, const SearchSpace& space);
// An AdditivePredictor or an IndexTable.
SpaceModel find_table(const std::string& reference, const std::string& store, const SearchSpace& space);

// Of any kind, into a file of its own, atomically.
void save_model(const std::string& path, const SpaceModel& model);

// Adds or replaces, atomically. Where `store` does not exist it starts as a copy of `start_from`.
void add_predictor(const std::string& store, const std::string& start_from, const std::string& name,
                   const MlpPredictor& predictor);
void add_table(const std::string& store, const std::string& start_from, const std::string& name,
               const AdditivePredictor& table);
// Of any kind, where its kind belongs.
void add_model(const std::string& store, const std::string& start_from, const std::string& name,
               const SpaceModel& model);

}  // namespace oneproxy
