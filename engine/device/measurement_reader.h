#pragma once
// One file of measurements, read line by line: what measurement_csv.h makes its answers of.
#include <cstdint>
#include <string>
#include <vector>

#include "oneproxy/engine/device/measurement_columns.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// What adds up over the parts of a network, for a predictor; or the values themselves, which may be 0.
enum class Values { additive, as_they_are };

class MeasurementReader {
 public:
  // quantities: one for each of roles.values, or one for all of them. Refers to the space and the quantities. Errors: a
  // unit of the form that a header contradicts, numbers that common_mark refuses.
  MeasurementReader(const SearchSpace& space, CsvTable table, ColumnRoles roles, const MeasurementForm& form,
                    const std::vector<Quantity>& quantities, Values values);

  const CsvTable& table() const { return table_; }
  const ColumnRoles& roles() const { return roles_; }
  std::size_t n_rows() const { return table_.rows.size(); }

  // Errors name the line.
  std::vector<std::uint8_t> architecture(std::size_t row) const;
  // In the quantity's unit; NaN: it failed.
  double value(std::size_t row, std::size_t column) const;
  const std::string& text(std::size_t row, std::size_t column) const;
  // "file.csv:3: latency_ms = '19.8'"
  std::string place(std::size_t row, std::size_t column) const;

  // What was converted or not read: sentences with the file.
  std::vector<std::string> remarks() const;
  // Whether --unit, a column or each number says what it is in: then its size is no reason for doubt.
  bool unit_is_said() const { return unit_is_said_; }

 private:
  const Quantity& quantity(std::size_t column) const {
    return quantities_.size() == 1 ? quantities_[0] : quantities_[column];
  }
  double scale(std::size_t row, std::size_t column, const std::string& unit) const;

  const SearchSpace& space_;
  CsvTable table_;
  ColumnRoles roles_;
  MeasurementForm form_;
  const std::vector<Quantity>& quantities_;
  Values values_;
  std::vector<DecimalMark> marks_;  // [columns]
  bool unit_is_said_ = false;
};

// The architectures of a table alone.
std::vector<std::uint8_t> architecture_of(const SearchSpace& space, const CsvTable& table, std::size_t row, int column);

}  // namespace oneproxy
