#include "oneproxy/engine/device/quantity.h"

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

bool Quantity::is_rate() const {
  if (!maximised()) return false;
  for (const char* ending : {"/s", "/sec", "/second", " per second"})
    if (unit.ends_with(ending)) return true;
  return unit == "fps" || unit == "FPS";
}

std::string to_string(Direction direction) { return direction == Direction::minimise ? "minimised" : "maximised"; }

Direction parse_direction(const std::string& text, const std::string& place) {
  for (const char* word : {"min", "minimise", "minimised", "minimize", "minimized"})
    if (text == word) return Direction::minimise;
  for (const char* word : {"max", "maximise", "maximised", "maximize", "maximized"})
    if (text == word) return Direction::maximise;
  throw Error(place + " '" + text + "' should be min or max");
}

double as_additive(const Quantity& quantity, double value) { return quantity.is_rate() ? 1000 / value : value; }

std::string additive_unit(const Quantity& quantity) { return quantity.is_rate() ? "ms" : quantity.unit; }

}  // namespace oneproxy
