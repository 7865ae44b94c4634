#pragma once
// The file that `oneproxy score` writes: a row an architecture, a column a predictor, in the form that the file's
// ending names. Written in pieces, and there when it is whole.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "oneproxy/engine/space/space.h"

namespace oneproxy {

struct ScoreTableInfo {
  const SearchSpace& space;
  std::vector<std::string> kept =
      {};  // columns of the file of architectures, as text, "arch" among them; empty: by index
  std::vector<std::string> names = {};               // of the predictors
  std::vector<std::string> units = {}, labels = {};  // of each; unit "": none
  std::string precision = {}, backend = {};
  std::int64_t n_rows = 0;
};

// A piece of the table.
struct ScoreRows {
  std::vector<std::vector<std::uint8_t>> choices;  // [n] architectures
  std::vector<std::vector<std::string>> kept;      // [n] rows of the kept columns; empty where there are none
  std::vector<std::vector<double>> values;         // [predictors][n]; NaN where a model has no entry
};

class ScoreTable {
 public:
  virtual ~ScoreTable() = default;
  virtual void add(const ScoreRows& rows) = 0;
  virtual void finish() = 0;             // until then nothing stands under the name
  virtual std::string form() const = 0;  // what a reader of the file must know, one line; "" of text with a header
};

// ".csv", ".npy", ".h5", ".parquet"
std::vector<std::string> score_formats();

// Error: another ending than these, with the list.
void require_score_format(const std::string& path);

// By the ending of the path:
//   .csv      text; missing values are empty
//   .npy      a structured array [n]: "choices" [n_decisions] u8 and a field f8 of each predictor
//   .h5       datasets arch, index (text), choices [n, n_decisions] and one f64 of each predictor, with units and axes
//   .parquet  the columns of .csv with types, written by Python (pyarrow)
std::unique_ptr<ScoreTable> make_score_table(const std::string& path, const ScoreTableInfo& info);

}  // namespace oneproxy
