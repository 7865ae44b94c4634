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
};

}  // namespace oneproxy
