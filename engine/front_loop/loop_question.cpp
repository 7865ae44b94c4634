#include "oneproxy/engine/front_loop/loop_question.h"

#include <cmath>

#include "oneproxy/engine/space/accuracy_model.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

std::shared_ptr<const LoopCandidates> rows_of_set(const Objective& quality, const Measurements& data,
                                                  const SubSpace& part, const std::string& key) {
  std::vector<double> values(data.n());
  quality.evaluate(data.rows().choices, values);
  std::vector<std::uint8_t> choices;
  for (std::int64_t i = 0; i < data.n(); ++i) {
    const auto row = data.rows().row(i);
    if (!std::isnan(values[i]) && !part.digits(row).empty()) choices.insert(choices.end(), row.begin(), row.end());
  }
  if (choices.empty())
    throw Error(key + ": none of the networks of set " + data.set() + " in " + part.describe() + " has a known " +
                quality.label + "; name another set, or a quality that covers the space");
  return listed_candidates(
      part.space(), std::move(choices), quality,
      "the networks of set " + data.set() + " in " + part.describe() + " whose " + quality.label + " is known");
}

}  // namespace

Objective loop_quality(const ObjectiveSources& sources, const std::string& text, const std::string& key,
                       const std::string& example) {
  if (text.empty() && !has_accuracy_model(sources.space))
    throw Error(key + ": no quality of the networks of " + sources.space.name() +
                " is known without one; name one, for example " + example);
  const auto parsed = parse_objective(text.empty() ? kAccuracyModel : text, key);
  if (!parsed.limits.empty()) throw Error(key + " '" + text + "': has a limit; limits are on what is measured");
  auto direction = parsed.direction;
  const auto is = [&](const char* source) { return parsed.what.starts_with(source); };
  if (!direction && !is("metric:") && !is("device:") && !is("proxy:")) direction = Direction::maximise;
  auto quality = make_objective(sources, parsed.what, key, direction);
  quality.name = parsed.name;
  if (quality.posterior) {
    auto calibrated = std::make_shared<Posterior>(*quality.posterior);
    calibrated->calibrate_for_space();
    quality.posterior = std::move(calibrated);
  }
  return quality;
}

std::shared_ptr<const LoopCandidates> loop_candidates(const Objective& quality, SubSpace part, bool additive,
                                                      const Measurements* data, std::uint64_t seed,
                                                      const std::string& key) {
  if (!quality.model) return rows_of_set(quality, *data, part, key);
  keep_predictable(*quality.model, part);
  if (part.size() <= kMostListed) {
    std::vector<std::uint8_t> choices;
    for (ArchIndex i = 0; i < part.size(); ++i) {
      const auto one = part.choices(i);
      choices.insert(choices.end(), one.begin(), one.end());
    }
    return listed_candidates(part.space(), std::move(choices), quality, part.describe());
  }
  if (!additive)
    throw Error(part.describe() + " has " + to_decimal(part.size()) + " architectures, too many to look at each (" +
                std::to_string(kMostListed) +
                "), and what they cost is no sum over decisions, by which it could be searched; take a part of it "
                "(fix some decisions, or `oneproxy prune-space`), or a quality that is known on the rows of a set "
                "(metric:NAME)");
  return searched_candidates(part, quality, seed);
}

}  // namespace oneproxy
