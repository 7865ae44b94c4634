#include "experiments/cli/measurement_options.h"

#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/device/unit_check.h"

namespace oneproxy {

MeasurementForm measurement_form(const FileForm& form, const std::string& unit, const std::string& device) {
  return {unit, parse_decimal_mark(form.decimal, "--decimal"), form.columns, device};
}

std::string form_words(const FileForm& form) {
  std::string text;
  if (!form.columns.empty()) text += " --columns " + shell_word(join(form.columns, ","));
  if (!form.decimal.empty()) text += " --decimal " + shell_word(form.decimal);
  return text;
}

void warn_of_files(const std::vector<std::string>& remarks) {
  for (const auto& remark : remarks) log_warning(remark);
}

void warn_of_files(const MeasuredArchitectures& measured) {
  warn_of_files(measured.remarks);
  const auto n = measured.n_failed;
  if (n == 0) return;
  log_warning(count_of(n, "line") + (n == 1 ? " has no " : " have no ") + measured.quantity.label +
              (n == 1 ? " and is left out: " : " and are left out: ") + describe_failures(measured.failures));
}

void check_unit_beside_store(const std::vector<double>& latency_ms, const std::string& store, const SearchSpace& space,
                             const std::string& where) {
  if (!file_exists(store)) return;  // not needed without sources
  if (const auto known = known_latencies(Store(store), space.name())) check_latency_unit(latency_ms, *known, where);
}

}  // namespace oneproxy
