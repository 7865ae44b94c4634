#pragma once
// The k best of very many architectures, in the memory of a few.
#include <cstdint>
#include <limits>
#include <vector>

namespace oneproxy {

class TopScores {
 public:
  TopScores(std::size_t k, bool maximise) : k_(k), sign_(maximise ? -1 : 1) {}

  // Architectures are added by their place in what is looked at. NaN is never among the best.
  void add(std::uint64_t place, double value) {
    const double cost = sign_ * value;
    if (cost <= worst_) push(place, cost);
  }
  // Best first; of equal values the lower place, in whatever order they were added.
  std::vector<std::uint64_t> places();
  std::vector<double> values();  // of the same

 private:
  struct Entry {
    double cost;
    std::uint64_t place;
    bool operator<(const Entry& other) const {
      return cost < other.cost || (cost == other.cost && place < other.place);
    }
  };
  void push(std::uint64_t place, double cost);
  void keep_best();
  void sort();

  std::size_t k_;
  double sign_;
  // Of the k best so far, once there are k: what is above it is left out.
  double worst_ = std::numeric_limits<double>::infinity();
  std::vector<Entry> entries_;
};

}  // namespace oneproxy
