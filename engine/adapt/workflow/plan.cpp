#include "oneproxy/engine/adapt/workflow/plan.h"

#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

std::string decisions_in_words(const SearchSpace& space, std::span<const std::uint8_t> choices) {
  std::string text;
  for (int d = 0; d < space.n_decisions(); ++d)
    text +=
        (d ? "; " : "") + space.decisions()[d].name + " = " + space.decisions()[d].choices[choices[d]].operation.name;
  return text;
}

Plan plan(const Sources& sources, const PlanSettings& settings, std::span<const std::uint8_t> measured) {
  const int k = settings.k, every = settings.reference_every;
  if (k < 1) throw Error("a plan of " + std::to_string(k) + " architectures; ask for at least one");
  const auto& space = sources.features->space();
  const std::size_t decisions = space.radices().size();
  const auto model = default_design_model(sources);
  check_interrupt();
  SpaceCandidates candidates(space, settings.seed, 0);
  auto chosen = choose_architectures(model, candidates, {.selection = settings.selection}, k, settings.seed, measured);
  check_interrupt();
  if (chosen.choices.size() < k * decisions)
    throw Error((space.kept().empty() ? "space " + space.name() : space.reference()) + " has " +
                std::to_string(chosen.choices.size() / decisions) + " architectures left to propose, asked for " +
                std::to_string(k) + "; ask for fewer");
  chosen.choices.resize(k * decisions);
  Plan plan{space.name(), std::move(chosen.choices), {}, sources.names()};
  int repeats = 1;
  for (int i = 0; i < k; ++i) {
    plan.measurements.push_back({i, 1});
    const bool last = i + 1 == k;
    if (every > 0 && i > 0 && (i % every == 0 || last)) plan.measurements.push_back({0, ++repeats});
  }
  return plan;
}

void write_plan(const Plan& plan, const SearchSpace& space, const std::string& path, const std::string& column) {
  OutputFile out(path);
  out.write("arch," + column + ",repeat,order,index,macs,decisions\n");
  const std::size_t decisions = space.radices().size();
  int order = 0;
  for (const auto& [architecture, repeat] : plan.measurements) {
    const auto one = std::span(plan.choices).subspan(architecture * decisions, decisions);
    out.write(csv_field(space.to_string(one)) + ",," + std::to_string(repeat) + "," + std::to_string(++order) + "," +
              to_decimal(space.index(one)) + "," + (space.has_costs() ? brief(space.cost(one).macs) : "") + "," +
              csv_field(decisions_in_words(space, one)) + "\n");
  }
  out.finish();
}

}  // namespace oneproxy
