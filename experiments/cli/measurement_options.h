#pragma once
// What every command that reads measurements lets a user say of the files, and tells of them.
#include <string>
#include <vector>

#include "oneproxy/engine/device/measurement_csv.h"

namespace oneproxy {

struct FileForm {
  std::vector<std::string> columns;  // as MeasurementForm::columns
  std::string decimal;               // "point" or "comma"; "": recognised
};

MeasurementForm measurement_form(const FileForm& form, const std::string& unit, const std::string& device);

// For hints: the same options as words of a command line, each with a space before it.
std::string form_words(const FileForm& form);

// What was converted or not read, as warnings.
void warn_of_files(const std::vector<std::string>& remarks);
// The same of one device, and its failures.
void warn_of_files(const MeasuredArchitectures& measured);

// Error where latencies whose unit nobody said look like another one beside what the store knows of the space.
void check_unit_beside_store(const std::vector<double>& latency_ms, const std::string& store, const SearchSpace& space,
                             const std::string& where);

}  // namespace oneproxy
