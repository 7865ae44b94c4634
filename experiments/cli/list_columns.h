#pragma once
// What tells the networks of a list apart: columns that a person names, and what their names say by a plain rule.
//   yolo3d67w5_160   a number behind the last '_' is the resolution, of the side of the input
//                    letters and the digits behind them at the beginning are the family: yolo3
//                    letters with a number behind them are a decision of that name: d=67, w=5
//                    what is left is the decision `rest`: m of yolo5m, l of yolo6l-d33w5; "none" where nothing is
// Numbers behind letters are taken as words: that w5 is a width of 0.5 is for a column of numbers to say.
#include <string>
#include <vector>

#include "oneproxy/engine/data/csv.h"

namespace oneproxy {

struct ListColumn {
  std::string name;
  std::vector<std::string> values;  // [n rows]
  bool decision = true, feature = false;
};

struct ListColumns {
  std::vector<ListColumn> columns;
  std::vector<std::string> remarks;  // sentences about what was left out or added
};

// names [n rows]; features: columns of the file, of words or of numbers. Left out, with a remark: columns that are the
// same for all, that say the same as another, or that have too many different words. Where two networks are still
// alike, a decision `variant` counts them. Errors: a feature without a value (line), networks that nothing tells apart.
ListColumns list_columns(const CsvTable& table, const std::vector<std::string>& names,
                         const std::vector<std::string>& features);

}  // namespace oneproxy
