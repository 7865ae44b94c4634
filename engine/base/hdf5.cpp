#include "oneproxy/engine/base/hdf5.h"

#include <hdf5.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "oneproxy/engine/base/hdf5_library.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// What may be stored in so many bytes: deflate shrinks to a thousandth at best.
constexpr std::uint64_t kMaxCompression = 1032;
constexpr std::size_t kMaxAttribute = 1 << 20;  // bytes of a text
constexpr const char* kChecksum = "sha256";

}  // namespace

void silence_h5_library() {
  // HDF5 prints a stack trace of its own on errors; ours are one line.
  static const bool done = [] {
    // Its clean-up at exit would touch files again that could not be written, and crash.
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    return true;
  }();
  (void)done;
}

namespace {

// A link to another file or to a name: oneproxy writes none, and would open what it does not know.
bool is_plain_link(hid_t file, const std::string& path) {
  H5L_info_t info{};
  return H5Lget_info(file, path.c_str(), &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

bool link_exists(hid_t file, const std::string& object) {
  // H5Lexists wants every step of the path to exist.
  if (object.empty() || object == "/") return true;
  for (std::size_t end = 1; end != std::string::npos;) {
    end = object.find('/', end + 1);
    const std::string path = object.substr(0, end);
    if (H5Lexists(file, path.c_str(), H5P_DEFAULT) <= 0 || !is_plain_link(file, path)) return false;
  }
  return true;
}

}  // namespace

void H5File::fail(const std::string& what) const { throw Error(path_ + ": " + what); }

H5File::H5File(const std::string& path, H5Mode mode, const std::string& name) : path_(name.empty() ? path : name) {
  silence_h5_library();
  if (mode == H5Mode::create) {
    file_ = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file_ < 0) fail("can not be created (is the folder there, writable and not full?)");
    return;
  }
  std::error_code error;
  if (!std::filesystem::exists(path, error)) fail("no such file");
  if (!std::filesystem::is_regular_file(path, error)) fail("is not an HDF5 file but a folder, a pipe or a device");
  if (mode == H5Mode::read) probe_h5_file(path, path_);
  if (H5Fis_hdf5(path.c_str()) <= 0) fail("is not an HDF5 file, or its beginning is damaged; get it again");
  file_ = H5Fopen(path.c_str(), mode == H5Mode::read ? H5F_ACC_RDONLY : H5F_ACC_RDWR, H5P_DEFAULT);
  if (file_ < 0) fail("can not be opened: truncated, damaged or no right to access it; get it again");
}

H5File::~H5File() {
  if (file_ >= 0) H5Fclose(file_);
}

H5File::H5File(H5File&& other) noexcept : path_(std::move(other.path_)), file_(other.file_) { other.file_ = -1; }

void H5File::close() {
  if (file_ < 0) return;
  const bool flushed = H5Fflush(file_, H5F_SCOPE_GLOBAL) >= 0;
  const bool closed = H5Fclose(file_) >= 0;
  file_ = -1;
  if (!flushed || !closed) fail("could not be written to the end; is the disk full?");
}

bool H5File::exists(const std::string& object) const { return link_exists(file_, object); }

bool H5File::is_group(const std::string& object) const {
  if (!exists(object)) return false;
  H5Handle id(H5Oopen(file_, object.c_str(), H5P_DEFAULT), H5Oclose);
  return id.ok() && H5Iget_type(id) == H5I_GROUP;
}

std::vector<std::string> H5File::children(const std::string& group) const {
  std::vector<std::string> names;
  if (!is_group(group)) return names;
  H5Handle id(H5Gopen2(file_, group.c_str(), H5P_DEFAULT), H5Gclose);
  auto collect = [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  if (!id.ok() || H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names) < 0)
    fail("group " + group + " can not be read; the file is damaged");
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

// A dataset that is there as it says: in this file, in a layout that oneproxy writes, with room for its values.
class Dataset {
 public:
  Dataset(const H5File& file, hid_t in, const std::string& name)
      : file_(file),
        name_(name),
        id_(open(file, in, name), H5Dclose),
        space_(H5Dget_space(id_), H5Sclose),
        type_(H5Dget_type(id_), H5Tclose) {
    if (!id_.ok()) fail("is not a readable dataset");
    const int rank = space_.ok() ? H5Sget_simple_extent_ndims(space_) : -1;
    if (rank < 0 || H5Sget_simple_extent_type(space_) == H5S_NULL) fail("has no simple shape");
    dims_.resize(rank);
    H5Sget_simple_extent_dims(space_, dims_.data(), nullptr);
    check_layout();
  }

  hid_t id() const { return id_; }
  hid_t type() const { return type_; }
  std::vector<std::int64_t> shape() const { return {dims_.begin(), dims_.end()}; }
  std::int64_t count() const { return count_; }

  // Error for another type than the one of that class and size.
  void require_type(H5T_class_t of, std::size_t size) const {
    if (H5Tget_class(type_) != of || H5Tget_size(type_) != size)
      fail("has values of another type than it should; the file is damaged, or none of oneproxy");
  }

  [[noreturn]] void fail(const std::string& what) const { throw Error(file_.path() + ": " + name_ + " " + what); }

 private:
  static hid_t open(const H5File& file, hid_t in, const std::string& name) {
    if (!file.exists(name)) throw Error(file.path() + ": has no dataset " + name);
    return H5Dopen2(in, name.c_str(), H5P_DEFAULT);
  }

  void check_layout() {
    H5Handle create(H5Dget_create_plist(id_), H5Pclose);
    const auto layout = H5Pget_layout(create);
    if (!create.ok() || (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) ||
        H5Pget_external_count(create) != 0)
      fail("is not stored in the file itself, as those of oneproxy are");
    std::uint64_t expansion = 1;
    for (int i = 0, n = H5Pget_nfilters(create); i < n; ++i) {
      unsigned flags = 0, settings = 0;
      std::size_t n_values = 0;
      const auto filter = H5Pget_filter2(create, i, &flags, &n_values, nullptr, 0, nullptr, &settings);
      const bool deflate = filter == H5Z_FILTER_DEFLATE && expansion == 1;
      if (!deflate && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32)
        fail("is stored by a filter that oneproxy does not use");
      if (deflate) expansion = kMaxCompression;
    }
    // Compared before multiplied: the product of damaged sizes overflows.
    const std::uint64_t size = std::max<std::size_t>(H5Tget_size(type_), 1);
    const std::uint64_t stored = std::min<std::uint64_t>(H5Dget_storage_size(id_), file_.size());
    std::uint64_t room = stored * expansion / size, n = 1;
    const bool empty = std::find(dims_.begin(), dims_.end(), 0u) != dims_.end();
    for (const hsize_t extent : dims_) {
      if (empty) break;
      if (extent > room) fail("announces more values than are stored; the file is damaged, get it again");
      room /= extent;
      n *= extent;
    }
    if (!empty && room == 0) fail("has no values; the file is damaged, get it again");
    count_ = empty ? 0 : static_cast<std::int64_t>(n);
  }

  const H5File& file_;
  std::string name_;
  H5Handle id_, space_, type_;
  std::vector<hsize_t> dims_;
  std::int64_t count_ = 0;
};

std::int64_t count(std::span<const std::int64_t> shape) {
  std::int64_t n = 1;
  for (auto s : shape) n *= s;
  return n;
}

// Texts one after another, each ended by a zero byte.
std::string checksum_of(std::span<const std::string> texts) {
  std::string bytes;
  for (const auto& text : texts) (bytes += text) += '\0';
  return sha256_hex(bytes);
}

constexpr const char* kUnreadable = "can not be read: wrong type, truncated or damaged; get the file again";

}  // namespace

std::uint64_t H5File::size() const {
  hsize_t bytes = 0;
  return H5Fget_filesize(file_, &bytes) < 0 ? 0 : bytes;
}

std::vector<std::int64_t> H5File::shape(const std::string& dataset) const {
  return Dataset(*this, file_, dataset).shape();
}

void H5File::verify_checksum(const std::string& dataset, const std::string& found) const {
  const auto attributes_of = attributes(dataset);
  const auto attribute = attributes_of.find(kChecksum);
  const auto* sum = attribute == attributes_of.end() ? nullptr : std::get_if<std::string>(&attribute->second);
  if (!sum) fail(dataset + " has no checksum; make the file again, by import, run or train");
  if (*sum != found) fail(dataset + " does not match its checksum; the file is damaged, get it again");
}

template <class T>
std::vector<T> H5File::read_numbers(const std::string& dataset, std::int64_t type) const {
  const Dataset data(*this, file_, dataset);
  data.require_type(H5Tget_class(type), sizeof(T));
  std::vector<T> values(data.count());
  if (!values.empty() && H5Dread(data.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    data.fail(kUnreadable);
  verify_checksum(dataset, sha256_of(std::span<const T>(values)));
  return values;
}

std::vector<double> H5File::read_doubles(const std::string& dataset) const {
  return read_numbers<double>(dataset, H5T_NATIVE_DOUBLE);
}
std::vector<std::int64_t> H5File::read_integers(const std::string& dataset) const {
  return read_numbers<std::int64_t>(dataset, H5T_NATIVE_INT64);
}
std::vector<std::uint8_t> H5File::read_bytes(const std::string& dataset) const {
  return read_numbers<std::uint8_t>(dataset, H5T_NATIVE_UINT8);
}

std::vector<std::string> H5File::read_strings(const std::string& dataset) const {
  const Dataset data(*this, file_, dataset);
  if (H5Tis_variable_str(data.type()) <= 0) data.fail("is no text");
  H5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  std::vector<char*> raw(data.count(), nullptr);
  if (!raw.empty() && H5Dread(data.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()) < 0) data.fail(kUnreadable);
  std::vector<std::string> values;
  for (char* text : raw) {
    values.emplace_back(text ? text : "");
    H5free_memory(text);
  }
  verify_checksum(dataset, checksum_of(values));
  return values;
}

void H5File::verify() const {
  std::vector<std::string> groups = {"/"};
  std::set<haddr_t> seen;  // an object with two names could hold itself
  while (!groups.empty()) {
    const std::string group = std::move(groups.back());
    groups.pop_back();
    for (const auto& child : children(group)) {
      const std::string object = below(group, child);
      H5O_info_t info{};
      if (!exists(object) || H5Oget_info_by_name(file_, object.c_str(), &info, H5P_DEFAULT) < 0 ||
          !seen.insert(info.addr).second)
        fail(object + " leads to another object; oneproxy writes no links");
      if (is_group(object)) {
        groups.push_back(object);
        continue;
      }
      const Dataset data(*this, file_, object);
      switch (H5Tget_class(data.type())) {
        case H5T_STRING:
          read_strings(object);
          break;
        case H5T_FLOAT:
          read_doubles(object);
          break;
        default:
          H5Tget_size(data.type()) == 1 ? (void)read_bytes(object) : (void)read_integers(object);
      }
    }
  }
}

namespace {

std::string read_string_attribute(hid_t attribute) {
  H5Handle type(H5Aget_type(attribute), H5Tclose);
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    if (H5Aread(attribute, type, &text) < 0 || !text) return "";
    std::string result(text);
    H5free_memory(text);
    return result;
  }
  std::string text(std::min(H5Tget_size(type), kMaxAttribute), '\0');
  if (H5Tget_size(type) > kMaxAttribute || H5Aread(attribute, type, text.data()) < 0) return "";
  text.resize(std::min(text.size(), text.find('\0')));
  return text;
}

}  // namespace

H5Attributes H5File::attributes(const std::string& object) const {
  H5Attributes result;
  if (!exists(object)) fail("has no object " + object);
  H5Handle id(H5Oopen(file_, object.empty() ? "/" : object.c_str(), H5P_DEFAULT), H5Oclose);
  if (!id.ok()) fail(object + " can not be opened; the file is damaged");
  const int n = H5Aget_num_attrs(id);
  for (int i = 0; i < n; ++i) {
    H5Handle attribute(H5Aopen_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    char name[256] = {};
    if (!attribute.ok() || H5Aget_name(attribute, sizeof name, name) < 0)
      fail("an attribute of " + object + " can not be read; the file is damaged");
    H5Handle type(H5Aget_type(attribute), H5Tclose);
    H5Handle space(H5Aget_space(attribute), H5Sclose);
    if (H5Sget_simple_extent_npoints(space) != 1) continue;  // oneproxy writes scalars only
    switch (H5Tget_class(type)) {
      case H5T_STRING:
        result[name] = read_string_attribute(attribute);
        break;
      case H5T_FLOAT: {
        double value = 0;
        if (H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) >= 0) result[name] = value;
        break;
      }
      case H5T_INTEGER: {
        std::int64_t value = 0;
        if (H5Aread(attribute, H5T_NATIVE_INT64, &value) >= 0) result[name] = value;
        break;
      }
      default:
        break;
    }
  }
  return result;
}

void H5File::write_raw(const std::string& dataset, std::int64_t file_type, std::int64_t memory_type, const void* data,
                       std::span<const std::int64_t> shape, const std::string& checksum) {
  std::vector<hsize_t> dims(shape.begin(), shape.end());
  H5Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose);
  H5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(links, 1);
  H5Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(create, 0);
  const auto n = count(shape);
  if (n > 64 && H5Tget_class(memory_type) != H5T_STRING) {
    // Chunks below 1 MiB, cut along the first dimension.
    std::vector<hsize_t> chunk = dims;
    const hsize_t row_bytes = n / dims[0] * H5Tget_size(file_type);
    chunk[0] = std::clamp<hsize_t>((1u << 20) / std::max<hsize_t>(row_bytes, 1), 1, dims[0]);
    H5Pset_chunk(create, static_cast<int>(chunk.size()), chunk.data());
    H5Pset_shuffle(create);
    H5Pset_deflate(create, 6);
  }
  H5Handle id(H5Dcreate2(file_, dataset.c_str(), file_type, space, links, create, H5P_DEFAULT), H5Dclose);
  if (!id.ok()) fail("dataset " + dataset + " can not be created; does it exist already, or is the disk full?");
  if (n > 0 && H5Dwrite(id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
    fail("dataset " + dataset + " could not be written; is the disk full?");
  set_attribute(dataset, kChecksum, checksum);
}

void H5File::write(const std::string& dataset, std::span<const double> values, std::span<const std::int64_t> shape) {
  ONEPROXY_ASSERT(count(shape) == static_cast<std::int64_t>(values.size()));
  write_raw(dataset, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data(), shape, sha256_of(values));
}
void H5File::write(const std::string& dataset, std::span<const std::int64_t> values,
                   std::span<const std::int64_t> shape) {
  ONEPROXY_ASSERT(count(shape) == static_cast<std::int64_t>(values.size()));
  write_raw(dataset, H5T_STD_I64LE, H5T_NATIVE_INT64, values.data(), shape, sha256_of(values));
}
void H5File::write(const std::string& dataset, std::span<const std::uint8_t> values,
                   std::span<const std::int64_t> shape) {
  ONEPROXY_ASSERT(count(shape) == static_cast<std::int64_t>(values.size()));
  write_raw(dataset, H5T_STD_U8LE, H5T_NATIVE_UINT8, values.data(), shape, sha256_of(values));
}
void H5File::write(const std::string& dataset, std::span<const std::string> values) {
  H5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  std::vector<const char*> raw;
  for (const auto& value : values) raw.push_back(value.c_str());
  const std::int64_t n = static_cast<std::int64_t>(values.size());
  write_raw(dataset, type, type, raw.data(), std::span(&n, 1), checksum_of(values));
}
void H5File::write(const std::string& dataset, std::span<const double> values) {
  const std::int64_t n = static_cast<std::int64_t>(values.size());
  write(dataset, values, std::span(&n, 1));
}
void H5File::write(const std::string& dataset, std::span<const std::int64_t> values) {
  const std::int64_t n = static_cast<std::int64_t>(values.size());
  write(dataset, values, std::span(&n, 1));
}

void H5File::set_attribute(const std::string& object, const std::string& name, const H5Attribute& value) {
  if (!exists(object)) {
    H5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links, 1);
    H5Handle group(H5Gcreate2(file_, object.c_str(), links, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
    if (!group.ok()) fail("group " + object + " can not be created; is the disk full?");
  }
  H5Handle id(H5Oopen(file_, object.c_str(), H5P_DEFAULT), H5Oclose);
  if (H5Aexists(id, name.c_str()) > 0) H5Adelete(id, name.c_str());
  H5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  herr_t status = -1;
  if (const auto* text = std::get_if<std::string>(&value)) {
    H5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    H5Handle attribute(H5Acreate2(id, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    const char* raw = text->c_str();
    if (attribute.ok()) status = H5Awrite(attribute, type, &raw);
  } else {
    const bool integer = std::holds_alternative<std::int64_t>(value);
    H5Handle attribute(
        H5Acreate2(id, name.c_str(), integer ? H5T_STD_I64LE : H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT),
        H5Aclose);
    if (attribute.ok())
      status = integer ? H5Awrite(attribute, H5T_NATIVE_INT64, &std::get<std::int64_t>(value))
                       : H5Awrite(attribute, H5T_NATIVE_DOUBLE, &std::get<double>(value));
  }
  if (status < 0) fail("attribute " + name + " of " + object + " could not be written; is the disk full?");
}

void H5File::remove(const std::string& object) {
  if (exists(object) && H5Ldelete(file_, object.c_str(), H5P_DEFAULT) < 0) fail(object + " can not be removed");
}

}  // namespace oneproxy
