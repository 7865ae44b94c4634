#include "oneproxy/engine/base/hdf5_rows.h"

#include <hdf5.h>

#include <algorithm>
#include <vector>

#include "oneproxy/engine/base/hdf5_library.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr hsize_t kChunkBytes = hsize_t{1} << 20;

hid_t type_of(H5Rows::Type type, bool in_file) {
  switch (type) {
    case H5Rows::Type::doubles:
      return H5Tcopy(in_file ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE);
    case H5Rows::Type::integers:
      return H5Tcopy(in_file ? H5T_STD_I64LE : H5T_NATIVE_INT64);
    case H5Rows::Type::bytes:
      return H5Tcopy(in_file ? H5T_STD_U8LE : H5T_NATIVE_UINT8);
    case H5Rows::Type::texts:
      break;
  }
  const hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, H5T_VARIABLE);
  H5Tset_cset(text, H5T_CSET_UTF8);
  return text;
}

}  // namespace

struct H5Rows::State {
  H5File& file;
  std::string dataset;
  Type type;
  std::int64_t n_rows, width, written = 0;
  Sha256 checksum = {};
};

H5Rows::H5Rows(H5File& file, const std::string& dataset, Type type, std::int64_t n_rows, std::int64_t width)
    : state_(new State{file, dataset, type, n_rows, width}) {
  const hsize_t rows = static_cast<hsize_t>(n_rows), wide = static_cast<hsize_t>(width);
  const hsize_t dims[] = {rows, wide};
  const int rank = width > 0 ? 2 : 1;
  H5Handle space(H5Screate_simple(rank, dims, nullptr), H5Sclose);
  H5Handle stored(type_of(type, true), H5Tclose);
  H5Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(create, 0);
  if (n_rows > 64) {
    const hsize_t row_bytes = std::max<hsize_t>(wide, 1) * H5Tget_size(stored);
    const hsize_t chunk[] = {std::clamp<hsize_t>(kChunkBytes / row_bytes, 1, rows), wide};
    H5Pset_chunk(create, rank, chunk);
    if (type != Type::texts) {
      H5Pset_shuffle(create);
      H5Pset_deflate(create, 6);
    }
  }
  H5Handle id(H5Dcreate2(file.file_, dataset.c_str(), stored, space, H5P_DEFAULT, create, H5P_DEFAULT), H5Dclose);
  if (!id.ok()) file.fail("dataset " + dataset + " can not be created; is the disk full?");
}

H5Rows::~H5Rows() = default;
H5Rows::H5Rows(H5Rows&&) noexcept = default;

void H5Rows::write(const void* values, std::int64_t n_values) {
  auto& s = *state_;
  const std::int64_t each = std::max<std::int64_t>(s.width, 1), n = n_values / each;
  ONEPROXY_ASSERT(n * each == n_values && s.written + n <= s.n_rows);
  if (n == 0) return;
  H5Handle id(H5Dopen2(s.file.file_, s.dataset.c_str(), H5P_DEFAULT), H5Dclose);
  H5Handle where(H5Dget_space(id), H5Sclose);
  const hsize_t begin[] = {static_cast<hsize_t>(s.written), 0};
  const hsize_t count[] = {static_cast<hsize_t>(n), static_cast<hsize_t>(each)};
  H5Sselect_hyperslab(where, H5S_SELECT_SET, begin, nullptr, count, nullptr);
  H5Handle piece(H5Screate_simple(s.width > 0 ? 2 : 1, count, nullptr), H5Sclose);
  H5Handle memory(type_of(s.type, false), H5Tclose);
  if (!id.ok() || H5Dwrite(id, memory, piece, where, H5P_DEFAULT, values) < 0)
    s.file.fail("dataset " + s.dataset + " could not be written; is the disk full?");
  s.written += n;
}

void H5Rows::append(std::span<const double> values) {
  ONEPROXY_ASSERT(state_->type == Type::doubles);
  state_->checksum.add({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  write(values.data(), static_cast<std::int64_t>(values.size()));
}
void H5Rows::append(std::span<const std::int64_t> values) {
  ONEPROXY_ASSERT(state_->type == Type::integers);
  state_->checksum.add({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  write(values.data(), static_cast<std::int64_t>(values.size()));
}
void H5Rows::append(std::span<const std::uint8_t> values) {
  ONEPROXY_ASSERT(state_->type == Type::bytes);
  state_->checksum.add({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  write(values.data(), static_cast<std::int64_t>(values.size()));
}
void H5Rows::append(std::span<const std::string> values) {
  ONEPROXY_ASSERT(state_->type == Type::texts);
  std::vector<const char*> raw;
  for (const auto& value : values) {
    state_->checksum.add({value.c_str(), value.size() + 1});  // as sha256_of_texts
    raw.push_back(value.c_str());
  }
  write(raw.data(), static_cast<std::int64_t>(raw.size()));
}

void H5Rows::finish() {
  ONEPROXY_ASSERT(state_->written == state_->n_rows);
  state_->file.set_attribute(state_->dataset, kH5Checksum, state_->checksum.hex());
}

}  // namespace oneproxy
