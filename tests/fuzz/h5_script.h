#pragma once
// An HDF5 file from lines of text: what a mutation of bytes never makes, because libhdf5 refuses it first, a file that
// is right as HDF5, with right checksums, but not what oneproxy would write. One instruction a line:
//   attribute OBJECT NAME text|integer|number VALUE   OBJECT is made as a group where there is none
//   dataset PATH TYPE SHAPE VALUE...                  u8 i64 f64 text, as oneproxy writes them
//                                                     i32 f32 fixed: other types that libhdf5 converts on reading
//   claim PATH TYPE SHAPE                             u8 i64 f64: sizes without stored bytes
//   link PATH TARGET                                  a soft link
// SHAPE is "3x6", or "-" for a single number. Too few values are repeated. A line that makes no sense is left out.
#include <string>
#include <string_view>

namespace oneproxy::fuzz {

void write_h5(const std::string& path, std::string_view script);

// Files, datasets and all else of libhdf5 that nobody closed.
long open_h5_handles();

}  // namespace oneproxy::fuzz
