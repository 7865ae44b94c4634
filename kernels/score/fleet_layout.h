#pragma once
// Where the rows of a fleet of tables lie, for both twins. Private to kernels/.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/score/fleet_answers.h"
#include "oneproxy/kernels/score/fleet_order.h"

namespace oneproxy::detail {

class FleetLayout {
 public:
  FleetLayout(std::span<const std::uint32_t> radices, std::size_t n_tables);

  int n_digits() const { return static_cast<int>(radices_.size()); }
  std::size_t n_rows() const { return n_tables_ * values_; }  // of the weights

  // rows [n, 1 + n_digits]: of each architecture the row of the bias, then the rows of the weights that it sums.
  void list_rows(const QualityOrder& order, std::vector<std::uint32_t>& rows) const;

  // Closes the limits below the lowest latency that any architecture of the space has on a device.
  void close_what_none_keeps(const TableFleet& fleet, FleetAnswers& answers) const;

 private:
  double lowest(const double* weights, const double* bias, std::int64_t stride) const;

  std::span<const std::uint32_t> radices_;
  std::size_t n_tables_, values_ = 0;  // values of all digits
};

}  // namespace oneproxy::detail
