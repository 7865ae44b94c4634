// What a file announces is compared with what it holds; what it holds, with its checksum.
#include "oneproxy/engine/base/hdf5.h"

#include <gmock/gmock.h>
#include <hdf5.h>

#include <filesystem>
#include <fstream>

#include "oneproxy/engine/base/sha256.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {
using ::testing::HasSubstr;

// Written by the library itself: what H5File would not.
class Foreign {
 public:
  explicit Foreign(const std::string& path)
      : path_(path), file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~Foreign() { close(); }
  hid_t file() const { return file_; }
  void close() {
    if (file_ >= 0) H5Fclose(file_);
    file_ = -1;
  }

  // One value is stored, and the sizes announced.
  void announce(const std::vector<hsize_t>& dims) {
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    const std::vector<hsize_t> one(dims.size(), 1), most(dims.size(), H5S_UNLIMITED);
    H5Pset_chunk(create, static_cast<int>(one.size()), one.data());
    const hid_t space = H5Screate_simple(static_cast<int>(one.size()), one.data(), most.data());
    const hid_t data = H5Dcreate2(file_, "data", H5T_IEEE_F64LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    const double value = 1;
    H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value);
    ASSERT_GE(H5Dset_extent(data, dims.data()), 0);
    H5Dclose(data);
    H5Sclose(space);
    H5Pclose(create);
  }
  hid_t make(const std::vector<hsize_t>& dims, hid_t type, hid_t create) {
    const hid_t space = H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
    const hid_t data = H5Dcreate2(file_, "data", type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(create);
    return data;
  }
  // The fault that reading its dataset is.
  std::string fault() {
    close();
    return error_of([&] { H5File(path_, H5Mode::read).read_doubles("data"); });
  }

 private:
  std::string path_;
  hid_t file_;
};

TEST(H5File, EveryDatasetHasItsChecksum) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  {
    H5File file(path, H5Mode::create);
    file.write("doubles", std::vector<double>{1, 2.5});
    file.write("integers", std::vector<std::int64_t>{-3, 4});
    const std::int64_t shape[] = {3};
    file.write("bytes", std::vector<std::uint8_t>{5, 6, 7}, shape);
    file.write("texts", std::vector<std::string>{"one", "", "three"});
    file.close();
  }
  const H5File file(path, H5Mode::read);
  EXPECT_EQ(file.read_doubles("doubles"), (std::vector<double>{1, 2.5}));
  EXPECT_EQ(file.read_integers("integers"), (std::vector<std::int64_t>{-3, 4}));
  EXPECT_EQ(file.read_bytes("bytes"), (std::vector<std::uint8_t>{5, 6, 7}));
  EXPECT_EQ(file.read_strings("texts"), (std::vector<std::string>{"one", "", "three"}));
  EXPECT_EQ(std::get<std::string>(file.attributes("texts").at("sha256")),
            sha256_hex(std::string_view("one\0\0three\0", 11)));
  file.verify();
  EXPECT_THAT(error_of([&] { file.read_doubles("integers"); }), HasSubstr("another type"));
  EXPECT_THAT(error_of([&] { file.read_strings("integers"); }), HasSubstr("no text"));
}

TEST(H5File, ChangedValuesAreRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  for (const std::string name : {"doubles", "texts"}) {
    H5File file(path, H5Mode::create);
    file.write("doubles", std::vector<double>{1, 2.5});
    file.write("texts", std::vector<std::string>{"one", "two"});
    file.set_attribute(name, "sha256", std::string(64, '0'));
    file.close();
    EXPECT_THAT(error_of([&] { H5File(path, H5Mode::read).verify(); }), HasSubstr(name + " does not match"));
  }
  Foreign foreign(path);
  foreign.announce({1});
  EXPECT_THAT(foreign.fault(), HasSubstr("has no checksum"));
}

TEST(H5File, SizesThatAreNotThereAreRefused) {
  const TemporaryFolder folder;
  const std::vector<std::vector<hsize_t>> sizes = {
      {hsize_t{1} << 31}, {hsize_t{1} << 32, hsize_t{1} << 32}, {hsize_t{1} << 62, 4}, {1, hsize_t{1} << 61}};
  for (const auto& dims : sizes) {
    Foreign foreign(folder / "a.h5");
    foreign.announce(dims);
    EXPECT_THAT(foreign.fault(), HasSubstr("announces more values than are stored")) << dims[0];
  }
}

TEST(H5File, DataElsewhereIsRefused) {
  const TemporaryFolder folder;
  {
    Foreign foreign(folder / "a.h5");
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(create, (folder / "numbers").c_str(), 0, 800);
    H5Dclose(foreign.make({100}, H5T_IEEE_F64LE, create));
    std::ofstream(folder / "numbers") << std::string(800, 'x');
    EXPECT_THAT(foreign.fault(), HasSubstr("not stored in the file itself"));
  }
  {
    H5File other(folder / "other.h5", H5Mode::create);
    other.write("data", std::vector<double>{1});
    other.close();
    Foreign foreign(folder / "b.h5");
    H5Lcreate_external("other.h5", "/data", foreign.file(), "data", H5P_DEFAULT, H5P_DEFAULT);
    EXPECT_THAT(foreign.fault(), HasSubstr("has no dataset data"));
  }
  Foreign circle(folder / "c.h5");
  H5Gclose(H5Gcreate2(circle.file(), "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Lcreate_hard(circle.file(), "/", circle.file(), "group/root", H5P_DEFAULT, H5P_DEFAULT);
  circle.close();
  EXPECT_THAT(error_of([&] { H5File(folder / "c.h5", H5Mode::read).verify(); }), HasSubstr("leads to another object"));
}

// libhdf5 reads what it is told to; a damaged file must be an error whatever the library does on it.
TEST(H5File, DamagedBytesAreAnError) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  {
    H5File file(path, H5Mode::create);
    file.write("group/doubles", std::vector<double>(1000, 1.5));
    file.write("group/texts", std::vector<std::string>{"one", "two"});
    file.set_attribute("/", "format", std::string("test"));
    file.close();
  }
  std::ifstream in(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 100) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xFF);
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << damaged;
    try {
      const H5File file(path, H5Mode::read);
      file.verify();
      (void)file.attributes("/");
    } catch (const Error&) {
    }
  }
}

// A walk through the file ends at an object that can not be opened, so what is behind it was not looked at: reading it
// may hang the library (an object of size 0 in a global heap does).
TEST(H5File, WhatCanNotBeGoneThroughIsRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  {
    H5File file(path, H5Mode::create);
    file.write("first", std::vector<double>{1});
    file.write("second", std::vector<double>{2});
    file.close();
  }
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  H5O_info_t info;
  ASSERT_GE(H5Oget_info_by_name(file, "first", &info, H5P_DEFAULT), 0);
  H5Fclose(file);
  {
    std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(info.addr));
    bytes << "damaged!";
  }
  EXPECT_THAT(error_of([&] { H5File(path, H5Mode::read).read_doubles("second"); }), HasSubstr("can not be opened"));
}

// One damaged file among many, a name without a file and a pipe: the others open, and that one is refused as ever.
TEST(H5File, ManyAreLookedAtTogether) {
  const TemporaryFolder folder;
  std::vector<std::string> paths = {folder / "none", folder / "pipe"};
  ASSERT_EQ(mkfifo(paths[1].c_str(), 0600), 0);
  for (int i = 0; i < 3; ++i) {
    paths.push_back(folder / std::to_string(i));
    H5File file(paths.back(), H5Mode::create);
    file.write("numbers", std::vector<double>{double(i)});
    file.close();
  }
  const hid_t file = H5Fopen(paths[3].c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  H5O_info_t info;
  ASSERT_GE(H5Oget_info_by_name(file, "numbers", &info, H5P_DEFAULT), 0);
  H5Fclose(file);
  {
    std::fstream bytes(paths[3], std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(info.addr));
    bytes << "damaged!";
  }
  probe_h5_files(paths);
  EXPECT_THAT(error_of([&] { H5File(paths[3], H5Mode::read); }), HasSubstr("can not be opened"));
  EXPECT_EQ(H5File(paths[2], H5Mode::read).read_doubles("numbers"), std::vector<double>{0});
  EXPECT_EQ(H5File(paths[4], H5Mode::read).read_doubles("numbers"), std::vector<double>{2});
}

TEST(H5File, OnlyFilesAreOpened) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { H5File(folder / "none", H5Mode::read); }), HasSubstr("no such file"));
  EXPECT_THAT(error_of([&] { H5File(folder / "", H5Mode::read); }), HasSubstr("not an HDF5 file"));
  EXPECT_THAT(error_of([&] { H5File("/dev/zero", H5Mode::read); }), HasSubstr("not an HDF5 file"));
}

}  // namespace
}  // namespace oneproxy
