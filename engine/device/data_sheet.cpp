#include "oneproxy/engine/device/data_sheet.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kAnyNumber = 1e300;  // Config's own range: the narrower one has a better message

void check_range(const DataSheetNumber& number, double value, const std::string& where) {
  if (value >= number.low && value <= number.high) return;
  const std::string unit = number.unit.empty() ? "" : " " + number.unit;
  throw Error(where + ": " + number.key + " = " + plain(value) + " should be from " + brief(number.low) + " to " +
              brief(number.high) + unit + " (" + number.meaning + "); is it in SI units without a prefix?");
}

void require_numbers(const DataSheet& sheet, const std::string& where) {
  for (const auto& number : data_sheet_numbers())
    if (!std::isnan(sheet.*number.value)) return;
  throw Error(where + ": device " + sheet.device +
              " has no number that tells it from others; give one at least, for example clock_hz = 1.5e9");
}

// One [[device]] table: a sheet for each of its names.
std::vector<DataSheet> read_device(Config& table) {
  const auto names = table.texts("name", {}, "its name, or several names of the same hardware");
  const std::string where = table.location("name");
  if (names.empty()) throw Error(table.file() + ": a [[device]] has no name; give it the one that measurements have");
  DataSheet sheet;
  sheet.device = names.front();
  sheet.device_class = table.one_of("class", std::nullopt, device_classes(), "kind of device");
  std::vector<double> batches;
  for (const auto& number : data_sheet_numbers()) {
    const std::string meaning = number.meaning + (number.unit.empty() ? "" : ", " + number.unit);
    const auto values = table.numbers(number.key, {}, -kAnyNumber, kAnyNumber, meaning);
    if (values.empty()) continue;
    for (const double value : values) check_range(number, value, table.location(number.key));
    const bool batch = number.key == "batch";
    if (values.size() != 1 && !(batch && values.size() == names.size()))
      throw Error(table.location(number.key) + ": " + number.key + " has " + std::to_string(values.size()) +
                  " numbers; give one" +
                  (batch ? ", or one for each of " + count_of(std::ssize(names), "name") : std::string()));
    sheet.*number.value = values.front();
    if (batch && values.size() > 1) batches = values;
  }
  table.finish();
  require_numbers(sheet, where);
  std::vector<DataSheet> sheets;
  for (std::size_t i = 0; i < names.size(); ++i) {
    sheet.device = names[i];
    if (!batches.empty()) sheet.batch = batches[i];
    sheets.push_back(sheet);
  }
  return sheets;
}

}  // namespace

const std::vector<std::string>& device_classes() {
  static const std::vector<std::string> classes = {"gpu", "cpu", "phone", "board", "accelerator", "fpga"};
  return classes;
}

const std::vector<DataSheetNumber>& data_sheet_numbers() {
  static const std::vector<DataSheetNumber> numbers = {
      {"cores", "", "units that compute at once, as the vendor counts them", 1, 1e7, &DataSheet::cores},
      {"clock_hz", "Hz", "clock under load", 1e6, 1e11, &DataSheet::clock_hz},
      {"simd_bits", "bit", "width of a vector register", 8, 65536, &DataSheet::simd_bits},
      {"cache_bytes", "byte", "last cache before the memory, or buffer on the chip", 1e3, 1e11,
       &DataSheet::cache_bytes},
      {"memory_bytes", "byte", "size of the memory", 1e4, 1e15, &DataSheet::memory_bytes},
      {"memory_bytes_per_s", "byte/s", "bandwidth of the memory", 1e6, 1e15, &DataSheet::memory_bytes_per_s},
      {"peak_flop_per_s", "FLOP/s", "highest rate, a multiplication and an addition being two", 1e6, 1e18,
       &DataSheet::peak_flop_per_s},
      {"power_w", "W", "power that it is built for", 1e-4, 1e5, &DataSheet::power_w},
      {"batch", "", "inputs that run at once", 1, 65536, &DataSheet::batch},
  };
  return numbers;
}

std::vector<DataSheet> read_data_sheets(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error))
    throw Error(file + ": no such file of data sheets; configs/devices/help.toml shows how to write one");
  Config config = Config::load(file, {});
  std::vector<DataSheet> sheets;
  for (auto& table : config.tables("device", "data sheet of a device: name, class, and numbers"))
    for (auto& sheet : read_device(table)) {
      if (find_data_sheet(sheets, sheet.device))
        throw Error(table.location("name") + ": there are two data sheets of device " + sheet.device + "; remove one");
      sheets.push_back(std::move(sheet));
    }
  config.finish();
  if (sheets.empty()) throw Error(file + ": has no [[device]] with name, class and numbers; it is no data sheet");
  return sheets;
}

DataSheet read_data_sheet(const std::string& file, const std::string& device) {
  auto sheets = read_data_sheets(file);
  if (const auto* named = find_data_sheet(sheets, device)) return *named;
  if (sheets.size() == 1) return sheets.front();
  std::vector<std::string> names;
  for (const auto& sheet : sheets) names.push_back(sheet.device);
  throw Error(unknown_name("device", device, file, names) + "; give the device the name of the one that is meant");
}

std::string shipped_data_sheets(const std::string& set) {
  const auto file = std::filesystem::path(home_folder()) / "configs" / "devices" / (set + ".toml");
  std::error_code error;
  return std::filesystem::exists(file, error) ? file.string() : "";
}

const DataSheet* find_data_sheet(const std::vector<DataSheet>& sheets, const std::string& device) {
  const auto found =
      std::find_if(sheets.begin(), sheets.end(), [&](const DataSheet& sheet) { return sheet.device == device; });
  return found == sheets.end() ? nullptr : &*found;
}

void write_data_sheet(H5File& file, const std::string& group, const DataSheet& sheet) {
  file.set_attribute(group, "device", sheet.device);
  file.set_attribute(group, "class", sheet.device_class);
  for (const auto& number : data_sheet_numbers())
    if (!std::isnan(sheet.*number.value)) file.set_attribute(group, number.key, sheet.*number.value);
}

DataSheet read_data_sheet(const H5File& file, const std::string& group) {
  const std::string where = file.path() + ":" + group;
  const auto attributes = file.attributes(group);
  AttributeReader reader(attributes, where, "it is no data sheet, or damaged");
  DataSheet sheet;
  sheet.device = reader.text("device");
  sheet.device_class = reader.text("class");
  const auto& classes = device_classes();
  if (std::find(classes.begin(), classes.end(), sheet.device_class) == classes.end())
    throw Error(where + ": " + unknown_name("class", sheet.device_class, "", classes));
  for (const auto& number : data_sheet_numbers()) {
    if (!attributes.contains(number.key)) continue;
    sheet.*number.value = reader.number(number.key);
    check_range(number, sheet.*number.value, where);
  }
  require_numbers(sheet, where);
  return sheet;
}

std::string describe(const DataSheet& sheet) {
  std::string text = sheet.device_class;
  const char* separator = "; ";
  for (const auto& number : data_sheet_numbers()) {
    if (std::isnan(sheet.*number.value)) continue;
    text += separator + number.key + " " + brief(sheet.*number.value);
    separator = ", ";
  }
  return text;
}

}  // namespace oneproxy
