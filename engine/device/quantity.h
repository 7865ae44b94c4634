#pragma once
// What a number says of an architecture: what it is called, its unit, and which way it is better.
#include <string>

namespace oneproxy {

enum class Direction { minimise, maximise };

struct Quantity {
  std::string name;         // "titan_rtx_1", "metric:natsbench:cifar10", "latency_ms": in summaries and CSV files
  std::string label, unit;  // for people
  Direction direction = Direction::minimise;

  bool maximised() const { return direction == Direction::maximise; }
  // Items in a time, the more the better: "images/s", "fps", "tokens/sec", "queries per second".
  bool is_rate() const;
};

// As people read it and stores hold it: "minimised", "maximised". The other way round also "min", "max", "minimise",
// "maximise", and spelt with a z; `place` begins the error for anything else.
std::string to_string(Direction direction);
Direction parse_direction(const std::string& text, const std::string& place);

// Predictors are adapted to what adds up over the parts of a network. Rates do not, the time of one item does: a rate
// is adapted as 1000 / rate, in ms (back: predictor/rate_scale.h). All else is adapted as it is.
double as_additive(const Quantity& quantity, double value);
std::string additive_unit(const Quantity& quantity);

}  // namespace oneproxy
