#include "tests/fuzz/h5_script.h"

#include <hdf5.h>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <sstream>
#include <vector>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::fuzz {
namespace {

using Words = std::vector<std::string>;
using Shape = std::vector<std::int64_t>;

constexpr std::int64_t kMostValues = 1 << 16;  // of a dataset that is written: larger ones only take time
constexpr std::size_t kMostLines = 200;

Words words_of(const std::string& line) {
  std::istringstream in(line);
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// nullopt: no shape. Claims may be of any size.
std::optional<Shape> shape_of(const std::string& word) {
  Shape shape;
  if (word == "-") return shape;
  for (std::size_t begin = 0; begin <= word.size();) {
    const auto end = std::min(word.find('x', begin), word.size());
    std::int64_t extent = 0;
    const auto [last, fault] = std::from_chars(word.data() + begin, word.data() + end, extent);
    if (fault != std::errc() || last != word.data() + end || extent < 0 || shape.size() == H5S_MAX_RANK)
      return std::nullopt;
    shape.push_back(extent);
    begin = end + 1;
  }
  return shape;
}

// nullopt where more than kMostValues.
std::optional<std::int64_t> size_of(const Shape& shape) {
  std::int64_t n = 1;
  for (const auto extent : shape) {
    if (extent > kMostValues) return std::nullopt;
    if ((n *= extent) > kMostValues) return std::nullopt;
  }
  return n;
}

template <class T>
T number_of(const std::string& word) {
  T value{};
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

template <class T>
std::vector<T> numbers_of(const Words& words, std::size_t first, std::int64_t n) {
  std::vector<T> values(n);
  if (first < words.size())
    for (std::int64_t i = 0; i < n; ++i) values[i] = number_of<T>(words[first + i % (words.size() - first)]);
  return values;
}

// With libhdf5 itself what H5File never writes.
class Raw {
 public:
  explicit Raw(const std::string& path) : file_(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT)) {
    links_ = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links_, 1);
  }
  ~Raw() {
    H5Pclose(links_);
    H5Fclose(file_);
  }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  void dataset(const std::string& path, hid_t file_type, hid_t memory_type, const Shape& shape, const void* values,
               bool chunked) {
    const std::vector<hsize_t> extents(shape.begin(), shape.end());
    const hid_t space = shape.empty() ? H5Screate(H5S_SCALAR)
                                      : H5Screate_simple(static_cast<int>(shape.size()), extents.data(), nullptr);
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    if (chunked && !shape.empty()) {
      const std::vector<hsize_t> chunk(shape.size(), 1);
      H5Pset_chunk(create, static_cast<int>(chunk.size()), chunk.data());
    }
    const hid_t id = H5Dcreate2(file_, path.c_str(), file_type, space, links_, create, H5P_DEFAULT);
    if (id >= 0 && values) H5Dwrite(id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    if (id >= 0) H5Dclose(id);
    H5Pclose(create);
    if (space >= 0) H5Sclose(space);
  }

  void link(const std::string& path, const std::string& target) {
    H5Lcreate_soft(target.c_str(), file_, path.c_str(), links_, H5P_DEFAULT);
  }

 private:
  hid_t file_, links_;
};

class Writer {
 public:
  explicit Writer(const std::string& path) : path_(path) { H5File(path, H5Mode::create).close(); }

  void line(const Words& words) {
    if (words.size() >= 5 && words[0] == "attribute") attribute(words);
    if (words.size() >= 4 && words[0] == "dataset") dataset(words);
    if (words.size() >= 4 && words[0] == "claim") claim(words);
    if (words.size() >= 3 && words[0] == "link") Raw(path_).link(words[1], words[2]);
  }

 private:
  H5File file() const { return H5File(path_, H5Mode::append); }

  void attribute(const Words& words) {
    const auto& type = words[3];
    H5File out = file();
    if (type == "integer") out.set_attribute(words[1], words[2], number_of<std::int64_t>(words[4]));
    if (type == "number") out.set_attribute(words[1], words[2], number_of<double>(words[4]));
    if (type != "text") return;
    std::string text = words[4];
    for (std::size_t i = 5; i < words.size(); ++i) text += " " + words[i];
    out.set_attribute(words[1], words[2], text);
  }

  void dataset(const Words& words) {
    const auto &path = words[1], &type = words[2];
    const auto shape = shape_of(words[3]);
    const auto n = shape ? size_of(*shape) : std::nullopt;
    if (!n) return;
    if (type == "u8") file().write(path, std::span<const std::uint8_t>(numbers_of<std::uint8_t>(words, 4, *n)), *shape);
    if (type == "i64")
      file().write(path, std::span<const std::int64_t>(numbers_of<std::int64_t>(words, 4, *n)), *shape);
    if (type == "f64") file().write(path, std::span<const double>(numbers_of<double>(words, 4, *n)), *shape);
    if (type == "text") {
      std::vector<std::string> texts(*n);
      for (std::size_t i = 0; i < texts.size() && words.size() > 4; ++i) texts[i] = words[4 + i % (words.size() - 4)];
      file().write(path, std::span<const std::string>(texts));
    }
    if (type == "i32") converted<std::int32_t, std::int64_t>(words, H5T_STD_I32LE, H5T_NATIVE_INT32, *shape, *n);
    if (type == "f32") converted<float, double>(words, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, *shape, *n);
    if (type == "fixed") {
      const hid_t text = H5Tcopy(H5T_C_S1);
      H5Tset_size(text, 8);
      std::string values;
      for (std::int64_t i = 0; i < *n; ++i) {
        std::string word = words.size() > 4 ? words[4 + i % (words.size() - 4)] : "";
        word.resize(8);
        values += word;
      }
      Raw(path_).dataset(path, text, text, *shape, values.data(), false);
      H5Tclose(text);
    }
  }

  // The checksum is that of the values as a reader of type Read gets them.
  template <class Stored, class Read>
  void converted(const Words& words, hid_t file_type, hid_t memory_type, const Shape& shape, std::int64_t n) {
    const auto values = numbers_of<Stored>(words, 4, n);
    Raw(path_).dataset(words[1], file_type, memory_type, shape, values.data(), false);
    const std::vector<Read> read(values.begin(), values.end());
    file().set_attribute(words[1], "sha256", sha256_of(std::span<const Read>(read)));
  }

  void claim(const Words& words) {
    const auto shape = shape_of(words[3]);
    if (!shape) return;
    hid_t type = -1;
    if (words[2] == "u8") type = H5T_STD_U8LE;
    if (words[2] == "i64") type = H5T_STD_I64LE;
    if (words[2] == "f64") type = H5T_IEEE_F64LE;
    if (type < 0) return;
    Raw(path_).dataset(words[1], type, type, *shape, nullptr, true);
    const std::string zero(H5Tget_size(type), '\0');
    file().set_attribute(words[1], "sha256", sha256_hex(zero));
  }

  std::string path_;
};

}  // namespace

long open_h5_handles() { return static_cast<long>(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL)); }

void write_h5(const std::string& path, std::string_view script) {
  std::filesystem::remove(path);  // a new file each time, not the old one with another content
  Writer writer(path);
  std::istringstream in{std::string(script)};
  std::string line;
  for (std::size_t i = 0; i < kMostLines && std::getline(in, line); ++i) {
    try {
      writer.line(words_of(line));
    } catch (const Error&) {
      // A path that is taken, a name that libhdf5 does not take: the file is what the other lines say.
    }
  }
}

}  // namespace oneproxy::fuzz
