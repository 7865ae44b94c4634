#pragma once
// Predictors and look-up tables of a store, by name.
//   /predictors/<space>/<name>   multilayer perceptrons   (engine/predictor/mlp_predictor.h)
//   /tables/<space>/<name>       look-up tables           (engine/predictor/additive_predictor.h, index_table.h)
// Below a predictor that was adapted stand the device that it was adapted to (engine/device/device.h) and what is not
// known of its values (engine/predictor/posterior.h).
#include <optional>
#include <string>
#include <vector>

#include "oneproxy/engine/device/device.h"
#include "oneproxy/engine/predictor/mlp_predictor.h"
#include "oneproxy/engine/predictor/posterior.h"
#include "oneproxy/engine/predictor/predictor.h"
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
Predictor find_table(const std::string& reference, const std::string& store, const SearchSpace& space);

// The device beside a predictor, which is found as above; nothing where the predictor came without one. Errors:
// neither a table nor a predictor of that name, damaged parts, a device of another space.
std::optional<Device> find_device(const std::string& reference, const std::string& store, const SearchSpace& space);

// The posterior beside a table, which is found as above; nothing where the table came without one. Errors: no such
// table, damaged parts, a posterior of another space.
std::optional<Posterior> find_posterior(const std::string& reference, const std::string& store,
                                        const SearchSpace& space);

// Into a file of its own, atomically; device and posterior beside it, where they are given.
void save_predictor(const std::string& path, const Predictor& predictor, const Device* device = nullptr,
                    const Posterior* posterior = nullptr);

// Adds or replaces, atomically: multilayer perceptrons below /predictors, tables below /tables. Where `store` does not
// exist it starts as a copy of `start_from`.
void add_predictor(const std::string& store, const std::string& start_from, const std::string& name,
                   const Predictor& predictor, const Device* device = nullptr, const Posterior* posterior = nullptr);

}  // namespace oneproxy
