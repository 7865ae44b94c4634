#pragma once
// From a data sheet to a device before anything of it is measured: kernel ridge regression from the sources' data
// sheets to their standardised latency functions (standardised_sources.h). The prediction is a mixture of the sources'
// functions, so it is a weight vector on the features, and its weights sum to 1:
//   D_ij^2 = mean over the numbers of (z_i - z_j)^2, + 1 where the classes differ
//   k(i, j) = exp(-D_ij^2 / (2 length^2)),  a = (K + ridge I)^-1 k(target),  c = a + (1 - sum a) / d
// z: logarithms, standardised over the sources. A number that a sheet does not give is taken to be the mean of the
// sources of its class that give it, else of all. Numbers that fewer than three sources give, or that are the same for
// all, are left out. length and ridge are the pair of a small grid that predicts each source best from the others.
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/remark.h"
#include "oneproxy/engine/adapt/standardised_sources.h"
#include "oneproxy/engine/device/data_sheet.h"

namespace oneproxy {

class SheetRegression {
 public:
  // sheets [d], of the sources. Error: fewer than three.
  SheetRegression(std::vector<DataSheet> sheets, const StandardisedSources& sources);

  struct Prediction {
    std::vector<double> weights;  // [d] of the sources, sum 1
    std::string nearest;          // source by D
    double distance = 0;          // D to it: far from all of them, little but their mean is left
  };
  Prediction predict(const DataSheet& target) const;
  // What a person should know of it: that the target is unlike all sources.
  static std::vector<Remark> remarks(const Prediction& prediction);

  double length() const { return length_; }
  double ridge() const { return ridge_; }
  double effective_dimensions() const;                                  // trace of K (K + ridge I)^-1
  const std::vector<std::string>& numbers() const { return numbers_; }  // keys that are used

 private:
  std::vector<double> encode(const DataSheet& sheet) const;  // z, [numbers]
  double squared_distance(const DataSheet& a, const std::vector<double>& za, const DataSheet& b,
                          const std::vector<double>& zb) const;

  std::vector<DataSheet> sheets_;
  std::vector<std::string> numbers_;
  std::vector<int> number_;                // of each, in data_sheet_numbers()
  std::vector<double> centre_, scale_;     // [numbers] of the logarithms
  std::vector<std::vector<double>> z_;     // [d][numbers]
  std::vector<double> squared_distances_;  // [d, d]
  double length_ = 1, ridge_ = 1;
};

// The sheets of all sources; Error names those that have none.
std::vector<DataSheet> data_sheets_of(const Sources& sources, const std::string& method);

}  // namespace oneproxy
