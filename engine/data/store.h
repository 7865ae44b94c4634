#pragma once
// The store: one HDF5 file with search-space measurements. Rows measured together are a set.
//   /                                   format = "oneproxy-store", schema_version
//   /spaces/<space>/<set>/              source, licence, description; user_set: `oneproxy import` may change it
//       choices [n, decisions] u8       one architecture a row
//       official_index [n] i64          a published numbering, where there is one
//       latency_ms/<device> [n] f64     NaN = failed or missing; source, licence, batch, precision, unit, sha256; note
//                                       where a reader of the numbers must know something, long_name where people
//                                       call the device otherwise than its key
//       metrics/<name> [n] f64          source, licence, unit, direction ("minimised", ...), sha256
//   /predictors/<space>/<name>, /tables/<space>/<name>      (engine/predictor/library.h)
// tools/import_datasets.py writes public data, `oneproxy import` a user's own devices and metrics.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/base/hdf5.h"

namespace oneproxy {

inline constexpr std::int64_t kStoreSchema = 1;

// A device's latencies or a metric, over the rows of its set.
struct Column {
  std::string name;
  std::vector<double> values;  // [n], NaN where missing
  H5Attributes attributes;

  std::string text(const std::string& attribute) const;  // "" where absent
  std::int64_t n_missing() const;
};

struct SetRows {
  std::int64_t n = 0, n_decisions = 0;
  std::vector<std::uint8_t> choices;         // [n, n_decisions] row-major
  std::vector<std::int64_t> official_index;  // [n], empty where the set has none

  std::span<const std::uint8_t> row(std::int64_t i) const {
    return std::span(choices).subspan(i * n_decisions, n_decisions);
  }
};

class Store {
 public:
  // Errors: no such file, truncated, foreign HDF5 file, a newer schema.
  explicit Store(const std::string& path);

  const std::string& path() const { return file_.path(); }
  std::vector<std::string> spaces() const;
  std::vector<std::string> sets(const std::string& space) const;
  std::vector<std::string> devices(const std::string& space, const std::string& set) const;
  std::vector<std::string> metrics(const std::string& space, const std::string& set) const;
  H5Attributes set_attributes(const std::string& space, const std::string& set) const;

  // What people call a device ("Raspberry Pi 4"); "" where the store does not say.
  std::string long_name(const std::string& space, const std::string& set, const std::string& device) const;

  // Errors offer the nearest names; data that does not match its checksum or its set is refused.
  SetRows rows(const std::string& space, const std::string& set) const;
  Column latency(const std::string& space, const std::string& set, const std::string& device) const;
  Column metric(const std::string& space, const std::string& set, const std::string& name) const;

  // Over the checksums of all data of a space: changes with any measurement of it.
  std::string checksum(const std::string& space) const;

 private:
  std::string set_path(const std::string& space, const std::string& set) const;
  Column column(const std::string& set_path, const std::string& group, const std::string& what,
                const std::string& name) const;

  H5File file_;
};

// Measurements of one device, to be added to a set.
struct DeviceMeasurements {
  std::string device;
  std::int64_t n_decisions = 0;
  std::vector<std::uint8_t> choices;  // [n, n_decisions], distinct rows
  std::vector<double> latency_ms;     // [n]
  H5Attributes attributes;            // source, licence, batch, precision, ...
};

// Values of a metric, likewise.
struct MetricMeasurements {
  std::string metric;
  std::int64_t n_decisions = 0;
  std::vector<std::uint8_t> choices;  // [n, n_decisions], distinct rows
  std::vector<double> values;         // [n]
  H5Attributes attributes;            // unit, direction ("minimised" or "maximised"), source, licence, ...
};

// The one way in which a store changes: one program at a time, atomically, and nothing but what `change` does. All of
// the store is verified before and after: damaged data is refused, not carried on with a fresh checksum. Where `path`
// does not exist it starts as a copy of `start_from`.
void change_store(const std::string& path, const std::string& start_from, const std::function<void(H5File&)>& change);

// Adds the device to <space>/<set> of the store (rows join by choices; the device's older measurements are replaced).
// Error: a set of public data.
void add_device(const std::string& path, const std::string& start_from, const std::string& space,
                const std::string& set, const DeviceMeasurements& measurements);
void add_metric(const std::string& path, const std::string& start_from, const std::string& space,
                const std::string& set, const MetricMeasurements& measurements);

}  // namespace oneproxy
