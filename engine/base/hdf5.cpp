#include "oneproxy/engine/base/hdf5.h"

#include <hdf5.h>

#include <algorithm>
#include <filesystem>

#include "oneproxy/engine/base/hdf5_library.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::size_t kMaxAttribute = 1 << 20;  // bytes of a text

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

std::int64_t count(std::span<const std::int64_t> shape) {
  std::int64_t n = 1;
  for (auto s : shape) n *= s;
  return n;
}

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
  set_attribute(dataset, kH5Checksum, checksum);
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
  write_raw(dataset, type, type, raw.data(), std::span(&n, 1), sha256_of_texts(values));
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
