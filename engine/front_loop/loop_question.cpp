#include "oneproxy/engine/front_loop/loop_question.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/numbers.h"
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

void check_loop_quantity(const Quantity& quantity) {
  if (quantity.maximised() && !quantity.is_rate())
    throw Error(
        quantity.name + " in " + quantity.unit +
        " is maximised and no rate: the loop makes what is measured small, and rates (images/s) large; measure " +
        "what is better when it is less");
}

std::vector<std::vector<double>> loop_limits(const std::vector<double>& first, const std::vector<double>& second,
                                             std::size_t n_measured, const std::array<std::string, 2>& names) {
  for (const auto* all : {&first, &second})
    for (const double limit : *all)
      if (!(limit > 0) || std::isinf(limit))
        throw Error(names[all == &second] + " " + plain(limit) +
                    ": a limit is a positive number, in the unit of what is measured");
  if (first.size() > 1 && second.size() > 1 && first.size() != second.size())
    throw Error(names[0] + " has " + std::to_string(first.size()) + " limits, " + names[1] + " " +
                std::to_string(second.size()) + "; give as many of both, or one of either");
  std::vector<std::vector<double>> limits;
  const auto of = [](const std::vector<double>& all, std::size_t i) {
    return all.empty() ? std::nan("") : all[all.size() == 1 ? 0 : i];
  };
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    limits.push_back({of(first, i)});
    if (n_measured > 1) limits.back().push_back(of(second, i));
  }
  return limits;
}

}  // namespace oneproxy
