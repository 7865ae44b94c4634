#include "oneproxy/engine/optimizer/policy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/optimizer/policy_loss.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// sums [outputs] += inputs [n] times weights [n, outputs]. Inputs that are 0 cost nothing: most step inputs are.
template <class Number>
void add_product(std::span<float> sums, std::span<const Number> inputs, const float* weights) {
  for (const Number input : inputs) {
    if (input != 0) {
      const auto factor = static_cast<float>(input);
      for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += factor * weights[j];
    }
    weights += sums.size();
  }
}

void silu(std::span<float> values) {
  for (float& x : values) x = x / (1 + std::exp(-x));
}

}  // namespace

// A query with the trunk's outputs, and what they add to each head where that was asked for.
class Policy::Asked {
 public:
  Asked(const Policy& policy, std::span<const double> context) : policy_(policy), bases_(policy.heads_.size()) {
    trunk_.assign(context.begin(), context.end());
    for (const auto& layer : policy.trunk_) {
      std::vector<float> sums = layer.bias;
      add_product<float>(sums, trunk_, layer.weights.data());
      silu(sums);
      trunk_ = std::move(sums);
    }
  }

  // inputs [n_step_inputs] -> logits [n_choices].
  void logits(int decision, std::span<const double> inputs, std::span<double> logits) {
    const std::size_t h = policy_.shape_.shared_head ? 0 : decision;
    const Head& head = policy_.heads_[h];
    if (bases_[h].empty()) {
      bases_[h] = head.first.bias;
      add_product<float>(bases_[h], trunk_, head.first.weights.data());
    }
    sums_ = bases_[h];
    add_product<double>(sums_, inputs, head.by_step.data());
    for (const auto& layer : head.layers) {
      silu(sums_);
      next_ = layer.bias;
      add_product<float>(next_, sums_, layer.weights.data());
      sums_.swap(next_);
    }
    std::copy(sums_.begin(), sums_.end(), logits.begin());
  }

 private:
  const Policy& policy_;
  std::vector<float> trunk_, sums_, next_;
  std::vector<std::vector<float>> bases_;  // [n_heads]
};

Policy::Policy(const SearchSpace& space, const PolicyInputs& inputs, const PolicyShape& shape,
               std::span<const double> parameters)
    : steps_(std::make_shared<const PolicySteps>(space, inputs)), shape_(shape) {
  if (!(shape == steps_->shape(shape.trunk, shape.head)))
    throw Error("the network of the optimizer has other inputs or outputs than space " + space.name() +
                " gives it; train it again");
  if (std::ssize(parameters) != n_parameters(shape))
    throw Error("the network of the optimizer has " + std::to_string(parameters.size()) + " parameters, its layers " +
                std::to_string(n_parameters(shape)) + "; train it again");
  for (const double p : parameters)
    if (!std::isfinite(p))
      throw Error("the network of the optimizer holds a number that is not finite; train it again");

  const auto take = [&](std::int64_t n) {
    const auto part = parameters.first(static_cast<std::size_t>(n));
    parameters = parameters.subspan(static_cast<std::size_t>(n));
    return part;
  };
  // [heads, outputs, inputs] -> one [inputs, outputs] a head.
  const auto weights = [&](int heads, int n_inputs, int outputs) {
    std::vector<std::vector<float>> all;
    for (int h = 0; h < heads; ++h) {
      const auto rows = take(std::int64_t{n_inputs} * outputs);
      auto& to = all.emplace_back(rows.size());
      for (int j = 0; j < outputs; ++j)
        for (int i = 0; i < n_inputs; ++i)
          to[std::size_t(i) * outputs + j] = static_cast<float>(rows[std::size_t(j) * n_inputs + i]);
    }
    return all;
  };
  const auto layers = [&](int heads, int n_inputs, int outputs) {
    std::vector<Layer> all;
    for (auto& w : weights(heads, n_inputs, outputs)) all.push_back({n_inputs, outputs, std::move(w), {}});
    return all;
  };
  const auto add_bias = [&](std::vector<Layer>& all) {
    for (auto& layer : all) {
      const auto bias = take(layer.outputs);
      layer.bias.assign(bias.begin(), bias.end());
    }
  };
  int width = shape.n_context;
  for (const int outputs : shape.trunk) {
    auto layer = layers(1, width, outputs);
    add_bias(layer);
    trunk_.push_back(std::move(layer.front()));
    width = outputs;
  }
  const int heads = shape.n_heads();
  auto widths = shape.head;
  widths.push_back(shape.n_choices);
  auto first = layers(heads, width, widths[0]);
  auto by_step = weights(shape.n_step_inputs > 0 ? heads : 0, shape.n_step_inputs, widths[0]);
  add_bias(first);
  heads_.resize(heads);
  for (int h = 0; h < heads; ++h) {
    heads_[h].first = std::move(first[h]);
    if (shape.n_step_inputs > 0) heads_[h].by_step = std::move(by_step[h]);
  }
  for (std::size_t l = 1; l < widths.size(); ++l) {
    auto further = layers(heads, widths[l - 1], widths[l]);
    add_bias(further);
    for (int h = 0; h < heads; ++h) heads_[h].layers.push_back(std::move(further[h]));
  }
}

void Policy::logits(std::span<const double> context, std::span<const double> steps, std::span<double> logits) const {
  ONEPROXY_ASSERT(std::ssize(context) == shape_.n_context);
  Asked asked(*this, context);
  const std::size_t s = shape_.n_step_inputs, r = shape_.n_choices;
  for (int d = 0; d < shape_.n_decisions; ++d) asked.logits(d, steps.subspan(d * s, s), logits.subspan(d * r, r));
}

namespace {

// What there is at one decision: which choices are open, with which probabilities.
struct Odds {
  explicit Odds(const PolicySteps& steps)
      : inputs(steps.n_step_inputs()),
        logits(steps.n_choices()),
        probabilities(steps.n_choices()),
        open(steps.n_choices()) {}

  // False where no choice is open.
  template <class Asked>
  bool look(Asked& asked, const Walk& walk) {
    walk.look(inputs, open);
    if (std::find(open.begin(), open.end(), 1) == open.end()) return false;
    asked.logits(walk.decision(), inputs, logits);
    open_softmax(logits, open, probabilities);
    return true;
  }

  std::vector<double> inputs, logits, probabilities;
  std::vector<std::uint8_t> open;
};

// Nothing where rounding has closed the way.
template <class Asked>
bool follow_most_probable(Asked& asked, Walk& walk, Odds& odds, double& log_probability) {
  log_probability = 0;
  while (!walk.done()) {
    if (!odds.look(asked, walk)) return false;
    const auto best = std::max_element(odds.probabilities.begin(), odds.probabilities.end());
    log_probability += std::log(*best);
    walk.choose(static_cast<int>(best - odds.probabilities.begin()));
  }
  return true;
}

template <class Asked>
Proposal most_probable(Asked& asked, const PolicySteps& steps, const DeviceCosts& costs, const OptimizerQuery& query) {
  Odds odds(steps);
  Proposal found;
  Walk walk(steps, costs, query);
  if (!follow_most_probable(asked, walk, odds, found.log_probability)) {
    walk = Walk(steps, costs, query, Walk::Rounding::strict);
    const bool reached = follow_most_probable(asked, walk, odds, found.log_probability);
    ONEPROXY_ASSERT(reached);
  }
  found.choices = walk.choices();
  return found;
}

// log(1 - exp(x)), x <= 0.
double log1mexp(double x) { return x > -0.6931 ? std::log(-std::expm1(x)) : std::log1p(-std::exp(x)); }

struct Beam {
  Walk walk;
  double log_probability = 0, perturbed = 0;  // the latter with Gumbel noise, the largest of all that begin like it
};

struct Child {
  std::size_t beam = 0;
  int choice = 0;
  double log_probability = 0, perturbed = 0;
};

// Kool et al., algorithm 1: of the children of all beams those of the `n` largest perturbed log-probabilities. Noise of
// the children is drawn so that its largest is the parent's (their appendix B.3, equations 22 to 24).
template <class Asked>
std::vector<Beam> draw_beams(Asked& asked, const PolicySteps& steps, Walk begin, int n, const Philox& random) {
  std::vector<Beam> beams = {{std::move(begin)}};
  Odds odds(steps);
  const std::uint64_t width = steps.n_choices();
  for (int d = 0; d < steps.n_decisions(); ++d) {
    std::vector<Child> children;
    for (std::size_t b = 0; b < beams.size(); ++b) {
      if (!odds.look(asked, beams[b].walk)) continue;
      const std::size_t first = children.size();
      double largest = -std::numeric_limits<double>::infinity();
      for (std::uint64_t c = 0; c < width; ++c) {
        if (!(odds.probabilities[c] > 0)) continue;
        const std::uint64_t draw = (static_cast<std::uint64_t>(d) * n + b) * width + c;
        const double gumbel = -std::log(-std::log(std::max(random.uniform(draw), 0x1.0p-54)));
        const double own = beams[b].log_probability + std::log(odds.probabilities[c]);
        children.push_back({b, static_cast<int>(c), own, own + gumbel});
        largest = std::max(largest, own + gumbel);
      }
      for (std::size_t i = first; i < children.size(); ++i) {
        double& g = children[i].perturbed;
        const double v = beams[b].perturbed - g + log1mexp(g - largest);
        g = beams[b].perturbed - std::max(0.0, v) - std::log1p(std::exp(-std::abs(v)));
      }
    }
    std::stable_sort(children.begin(), children.end(),
                     [](const Child& a, const Child& b) { return a.perturbed > b.perturbed; });
    if (std::ssize(children) > n) children.resize(n);
    std::vector<Beam> next;
    for (const auto& child : children) {
      next.push_back({beams[child.beam].walk, child.log_probability, child.perturbed});
      next.back().walk.choose(child.choice);
    }
    beams = std::move(next);
  }
  return beams;
}

}  // namespace

std::vector<std::uint8_t> Policy::answer(const OptimizerDevice& device, const OptimizerQuery& query) const {
  return answer(device, DeviceCosts(*steps_, device), query);
}

std::vector<Proposal> Policy::propose(const OptimizerDevice& device, const OptimizerQuery& query, int n,
                                      std::uint64_t seed) const {
  return propose(device, DeviceCosts(*steps_, device), query, n, seed);
}

std::vector<std::uint8_t> Policy::answer(const OptimizerDevice& device, const DeviceCosts& costs,
                                         const OptimizerQuery& query) const {
  return propose(device, costs, query, 1, 0).front().choices;
}

std::vector<Proposal> Policy::propose(const OptimizerDevice& device, const DeviceCosts& costs,
                                      const OptimizerQuery& query, int n, std::uint64_t seed) const {
  if (n < 1) throw Error(std::to_string(n) + " proposals are asked for; ask for one or more");
  check_query(query, steps_->inputs().n_qualities, steps_->inputs().energy);
  std::vector<double> context(steps_->n_context());
  steps_->context(device.coordinates, query, context);
  Asked asked(*this, context);
  std::vector<Proposal> found = {most_probable(asked, *steps_, costs, query)};
  if (n == 1) return found;
  const Philox random = random_stream(seed, Draws::policy_samples, 0);
  for (auto& beam : draw_beams(asked, *steps_, Walk(*steps_, costs, query), n, random))
    if (std::ssize(found) < n && beam.walk.choices() != found.front().choices)
      found.push_back({beam.walk.choices(), beam.log_probability});
  std::sort(found.begin(), found.end(), [](const Proposal& a, const Proposal& b) {
    return a.log_probability != b.log_probability ? a.log_probability > b.log_probability : a.choices < b.choices;
  });
  return found;
}

}  // namespace oneproxy
