#pragma once
// The graph of an ONNX file: operations and constant tensors, as far as a stack of linear layers needs them. The format
// is a message of Protocol Buffers (onnx.proto of github.com/onnx/onnx), whose wire form is read here, so that neither
// that library nor Python is needed. Nothing in the file is run.
// Whatever the file holds, reading it takes less than 2 GB: a file has at most 512 MiB, its tensors 2^26 numbers in
// all, its graph 2^16 operations.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace oneproxy {

struct OnnxTensor {
  std::vector<std::int64_t> shape;  // empty for a scalar
  std::vector<double> values;       // row-major; float, double, half, bfloat16 and whole numbers are read
};

struct OnnxOperation {
  std::string type, name;                                  // "Gemm", and what the graph calls it
  std::vector<std::string> inputs, outputs;                // names of values; "" for one that is left out
  std::map<std::string, double> numbers;                   // attributes that are one number
  std::map<std::string, std::vector<std::int64_t>> lists;  // attributes that are whole numbers
};

struct OnnxGraph {
  std::int64_t opset = 0;                       // version of the standard operators
  std::vector<OnnxOperation> operations;        // each behind those whose outputs it takes
  std::map<std::string, OnnxTensor> constants;  // initialisers, and the values of Constant operations
  std::vector<std::string> inputs, outputs;     // of the whole graph, without its constants
};

// Errors, one line each: no such file, truncated, no ONNX file, a tensor of another kind or of another number of values
// than its shape has, an operator that is no standard one, more than the limits above. Weights that lie in a file of
// their own are read from there, where it is in the same folder.
OnnxGraph read_onnx_file(const std::string& path);

// The same for the content of a file, without files beside it; errors do not name it.
OnnxGraph parse_onnx_file(std::string_view content);

}  // namespace oneproxy
