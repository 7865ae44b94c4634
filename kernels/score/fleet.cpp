#include "oneproxy/kernels/score/fleet.h"

#include <cmath>
#include <string>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/fleet_detail.h"
#include "oneproxy/kernels/score/scorer_detail.h"

namespace oneproxy {
namespace {

void check_models(const DigitCode& code, std::span<const Mlp> models, const char* where) {
  parallel_for(static_cast<std::int64_t>(models.size()),
               [&](std::int64_t m) { check_score_function(models[m], code, where); });
  for (const auto& model : models) {
    bool alike = model.first_width == models[0].first_width && model.layers.size() == models[0].layers.size();
    for (std::size_t l = 0; alike && l < model.layers.size(); ++l)
      alike = model.layers[l].outputs == models[0].layers[l].outputs;
    if (!alike) throw Error(std::string(where) + ": models of several shapes; a fleet has one shape");
  }
}

void check_tables(const DigitCode& code, const TableFleet& fleet) {
  if (fleet.n_devices < 0)
    throw Error("reduce_fleet: " + std::to_string(fleet.n_devices) + " devices; there must be 0 or more");
  const auto n = static_cast<std::size_t>(fleet.n_devices);
  if (n == 0 && (!fleet.weights.empty() || !fleet.bias.empty()))
    throw Error("reduce_fleet: weights of a table, and 0 devices; n_devices says how many lie side by side");
  if (n == 0) return;
  std::size_t values = 0;
  for (const auto radix : code.radices) values += radix;
  const std::size_t n_tables = fleet.bias.size() / n;
  if (fleet.bias.size() % n != 0 || (n_tables != 1 && n_tables != code.radices[0]))
    throw Error("reduce_fleet: " + std::to_string(fleet.bias.size()) + " biases of " + std::to_string(n) +
                " devices; there is one a device, or one for each of the " + std::to_string(code.radices[0]) +
                " values of digit 0");
  if (fleet.weights.size() != n_tables * values * n)
    throw Error("reduce_fleet: " + std::to_string(fleet.weights.size()) + " weights; " + std::to_string(n_tables) +
                " tables of " + std::to_string(values) + " values on " + std::to_string(n) + " devices have " +
                std::to_string(n_tables * values * n));
  if (n_tables * values > std::numeric_limits<std::uint32_t>::max())
    throw Error("reduce_fleet: tables of " + std::to_string(n_tables * values) + " values pass 2^32");
}

void check_questions(const DigitCode& code, std::int64_t n_devices, const FleetQuality& quality,
                     std::span<const double> limits, const IndexRange& run) {
  if (n_devices == 0 ? !limits.empty() : limits.size() % static_cast<std::size_t>(n_devices) != 0)
    throw Error("reduce_fleet: " + std::to_string(limits.size()) + " limits of " + std::to_string(n_devices) +
                " devices; each has equally many");
  for (std::size_t i = 0; i < limits.size(); ++i)
    if (std::isnan(limits[i]))
      throw Error("reduce_fleet: the limit at place " + std::to_string(i) +
                  " is NaN; a limit that everything keeps is infinity");
  detail::check_run(run, code.size(), code.radices, "reduce_fleet");
  if (const auto* values = std::get_if<std::span<const double>>(&quality); values && values->size() != run.count)
    throw Error("reduce_fleet: " + std::to_string(values->size()) + " qualities for a run of " +
                std::to_string(run.count) + " architectures; there is one each");
  if (const auto* model = std::get_if<ScoreFunction>(&quality)) check_score_function(*model, code, "reduce_fleet");
}

template <class Reduce>
std::vector<FleetBest> reduce(const DigitCode& code, std::int64_t n_devices, const FleetQuality& quality,
                              std::span<const double> limits, const IndexRange& run, Backend backend,
                              const Reduce& reduce_pieces) {
  check_questions(code, n_devices, quality, limits, run);
  require_backend(backend);
  detail::FleetAnswers answers(n_devices, limits);
  if (limits.empty() || run.count == 0) return answers.take();
  detail::QualityPieces pieces(code, quality, run, backend);
  reduce_pieces(pieces, answers);
  return answers.take();
}

}  // namespace

void score_fleet(const DigitCode& code, std::span<const Mlp> models, const IndexRange& run, std::span<float> scores,
                 Backend backend, Precision precision) {
  check_code(code, "score_fleet");
  check_models(code, models, "score_fleet");
  detail::check_precision(precision, backend);
  require_backend(backend);
  detail::check_run(run, code.size(), code.radices, "score_fleet");
  if (scores.size() != run.count * models.size())
    throw Error("score_fleet: place for " + std::to_string(scores.size()) + " scores, " +
                std::to_string(models.size()) + " models of " + std::to_string(run.count) + " architectures need " +
                std::to_string(run.count * models.size()));
  if (scores.empty()) return;
#ifdef ONEPROXY_HAS_CUDA
  if (backend == Backend::cuda) return detail::score_fleet_cuda(code, models, run, scores, precision);
#endif
  detail::score_fleet_cpu(code, models, run, scores, precision);
}

std::vector<FleetBest> reduce_fleet(const DigitCode& code, std::span<const Mlp> fleet, const FleetQuality& quality,
                                    std::span<const double> limits, const IndexRange& run, Backend backend,
                                    Precision precision) {
  check_code(code, "reduce_fleet");
  check_models(code, fleet, "reduce_fleet");
  detail::check_precision(precision, backend);
  return reduce(code, static_cast<std::int64_t>(fleet.size()), quality, limits, run, backend,
                [&](detail::QualityPieces& pieces, detail::FleetAnswers& answers) {
#ifdef ONEPROXY_HAS_CUDA
                  if (backend == Backend::cuda)
                    return detail::reduce_fleet_cuda(code, fleet, pieces, answers, precision);
#endif
                  detail::reduce_fleet_cpu(code, fleet, pieces, answers, precision, chosen_isa());
                });
}

std::vector<FleetBest> reduce_fleet(const DigitCode& code, const TableFleet& fleet, const FleetQuality& quality,
                                    std::span<const double> limits, const IndexRange& run, Backend backend) {
  check_code(code, "reduce_fleet");
  check_tables(code, fleet);
  return reduce(code, fleet.n_devices, quality, limits, run, backend,
                [&](detail::QualityPieces& pieces, detail::FleetAnswers& answers) {
#ifdef ONEPROXY_HAS_CUDA
                  if (backend == Backend::cuda) return detail::reduce_fleet_cuda(code, fleet, pieces, answers);
#endif
                  detail::reduce_fleet_cpu(code, fleet, pieces, answers, chosen_isa());
                });
}

}  // namespace oneproxy
