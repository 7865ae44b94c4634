#include "oneproxy/engine/optimizer/policy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/optimizer/policy_loss.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kAnswerBeams = 4;  // more change little

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

struct Beam {
  Walk walk;
  double log_probability = 0, rank = 0;  // the latter with noise where there is some
};

struct Child {
  std::size_t beam = 0;
  int choice = 0;
  double log_probability = 0, rank = 0;
};

// log(1 - exp(x)), x <= 0.
double log1mexp(double x) { return x > -0.6931 ? std::log(-std::expm1(x)) : std::log1p(-std::exp(x)); }

// Kool et al., algorithm 1: ranks of the children [from, ...) of a beam, their log-probabilities with Gumbel noise that
// is drawn so that the largest is their parent's (appendix B.3, equations 22 to 24). All children of the beam take
// part, so that those which are then left out make room for no one.
void add_noise(std::span<Child> children, double parent, const Philox& random, std::uint64_t first_draw) {
  double largest = -std::numeric_limits<double>::infinity();
  for (auto& child : children) {
    const auto draw = first_draw + static_cast<std::uint64_t>(child.choice);
    child.rank = child.log_probability - std::log(-std::log(std::max(random.uniform(draw), 0x1.0p-54)));
    largest = std::max(largest, child.rank);
  }
  for (auto& child : children) {
    const double v = parent - child.rank + log1mexp(child.rank - largest);
    child.rank = parent - std::max(0.0, v) - std::log1p(std::exp(-std::abs(v)));
  }
}

// The n most probable architectures that a search of this width finds; with `random`, n drawn without replacement.
// Fewer where rounding has closed their ways.
template <class Asked>
std::vector<Beam> search_beams(Asked& asked, const PolicySteps& steps, Walk begin, int n, const Philox* random) {
  std::vector<Beam> beams = {{std::move(begin)}};
  const std::size_t width = steps.n_choices();
  std::vector<double> inputs(steps.n_step_inputs()), logits(width), probabilities(width);
  std::vector<Opening> open(width);
  std::vector<Child> children, own;
  for (int d = 0; d < steps.n_decisions(); ++d) {
    children.clear();
    for (std::size_t b = 0; b < beams.size(); ++b) {
      const Beam& beam = beams[b];
      beam.walk.look(inputs, open);
      if (std::find(open.begin(), open.end(), Opening::open) == open.end()) continue;
      asked.logits(d, inputs, logits);
      open_softmax(logits, open, probabilities);
      own.clear();
      for (std::size_t c = 0; c < width; ++c) {
        if (!(probabilities[c] > 0)) continue;
        const double log_probability = beam.log_probability + std::log(probabilities[c]);
        own.push_back({b, static_cast<int>(c), log_probability, log_probability});
      }
      if (random) add_noise(own, beam.rank, *random, (static_cast<std::uint64_t>(d) * n + b) * width);
      std::copy_if(own.begin(), own.end(), std::back_inserter(children),
                   [&](const Child& child) { return open[child.choice] == Opening::open; });
    }
    std::stable_sort(children.begin(), children.end(), [](const Child& a, const Child& b) { return a.rank > b.rank; });
    if (std::ssize(children) > n) children.resize(n);
    std::vector<Beam> next;
    next.reserve(children.size());
    for (const auto& child : children) {
      next.push_back({beams[child.beam].walk, child.log_probability, child.rank});
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
  const Walk begin(*steps_, costs, query);
  auto best = search_beams(asked, *steps_, begin, kAnswerBeams, nullptr);
  if (best.empty())
    best = search_beams(asked, *steps_, Walk(*steps_, costs, query, Walk::Rounding::strict), kAnswerBeams, nullptr);
  ONEPROXY_ASSERT(!best.empty());
  std::vector<Proposal> found = {{best.front().walk.choices(), best.front().log_probability}};
  if (n == 1) return found;
  const Philox random = random_stream(seed, Draws::policy_samples, 0);
  for (auto& beam : search_beams(asked, *steps_, begin, n, &random))
    if (std::ssize(found) < n && beam.walk.choices() != found.front().choices)
      found.push_back({beam.walk.choices(), beam.log_probability});
  std::sort(found.begin(), found.end(), [](const Proposal& a, const Proposal& b) {
    return a.log_probability != b.log_probability ? a.log_probability > b.log_probability : a.choices < b.choices;
  });
  return found;
}

}  // namespace oneproxy
