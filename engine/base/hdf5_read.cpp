// Reading datasets: what a file announces is compared with what it holds, what it holds with its checksum.
#include <hdf5.h>

#include <algorithm>
#include <set>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/base/hdf5_library.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// What may be stored in so many bytes: deflate shrinks to a thousandth at best.
constexpr std::uint64_t kMaxCompression = 1032;

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
  const auto attribute = attributes_of.find(kH5Checksum);
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
  verify_checksum(dataset, sha256_of_texts(values));
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

}  // namespace oneproxy
