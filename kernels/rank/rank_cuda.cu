// The CUDA twin of rank_cpu.cpp and rank_kendall_cpu.cpp: Thrust sorts and scans, one cuBLAS syrk a matrix.
#include <thrust/execution_policy.h>

#include "oneproxy/kernels/base/cublas.cuh"
#include "oneproxy/kernels/base/device_memory.cuh"
#include "oneproxy/kernels/rank/rank_detail.h"
#include "oneproxy/kernels/rank/rank_thrust.h"

namespace oneproxy::detail {
namespace {

void cublas_check(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw Error(std::string("cuBLAS error '") + cublas().status_string(status) + "' in " + what +
                "; use fewer rows a call or backend = \"cpu\"");
}

class CublasHandle {
 public:
  CublasHandle() { cublas_check(cublas().create(&handle_), "cublasCreate"); }
  ~CublasHandle() { (void)cublas().destroy(handle_); }
  CublasHandle(const CublasHandle&) = delete;
  CublasHandle& operator=(const CublasHandle&) = delete;
  cublasHandle_t get() const { return handle_; }

 private:
  cublasHandle_t handle_ = nullptr;
};

// Thrust reports a failed launch or allocation by exceptions of its own.
template <typename Work>
auto with_thrust_errors(const Work& work) {
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(std::string("CUDA error in Thrust: ") + error.what() + "; use fewer rows a call or backend = \"cpu\"");
  }
}

std::int64_t length(std::span<const double> x) { return static_cast<std::int64_t>(x.size()); }

}  // namespace

void average_ranks_cuda(std::span<const double> x, std::span<double> ranks) {
  with_thrust_errors([&] {
    const std::int64_t n = length(x);
    DeviceBuffer<double> values(x), out(n);
    // u = 2 rank - (n + 1)
    scatter_ranks_thrust<DeviceBuffer>(thrust::device, values.data(), n, 0.5, 0.5 * static_cast<double>(n + 1),
                                       out.data());
    out.copy_to_host(ranks);
  });
}

RankSums rank_sums_cuda(std::span<const double> x, std::span<const double> y) {
  return with_thrust_errors([&] {
    const DeviceBuffer<double> device_x(x), device_y(y);
    return rank_sums_thrust<DeviceBuffer>(thrust::device, device_x.data(), device_y.data(), length(x));
  });
}

PairCounts pair_counts_cuda(std::span<const double> x, std::span<const double> y) {
  return with_thrust_errors([&] {
    const DeviceBuffer<double> device_x(x), device_y(y);
    return pair_counts_thrust<DeviceBuffer>(thrust::device, device_x.data(), device_y.data(), length(x));
  });
}

// Sums in doubles: exact up to n = 3e5, where n^3 / 3 = 2^53, and to some 1e-15 of the sum of squares beyond.
std::vector<RankSums> rank_sums_matrix_cuda(Columns columns) {
  return with_thrust_errors([&]() -> std::vector<RankSums> {
    const auto size = static_cast<std::int64_t>(columns.size());
    if (size == 0) return {};
    const std::int64_t n = length(columns[0]);
    DeviceBuffer<double> values(n), u(size * n), gram(size * size);  // u [D, n]
    for (std::int64_t d = 0; d < size; ++d) {
      values.copy_from_host(columns[d]);
      scatter_ranks_thrust<DeviceBuffer>(thrust::device, values.data(), n, 1, 0, u.data() + d * n);
    }
    const double one = 1, zero = 0;
    const CublasHandle handle;
    cublas_check(
        cublas().dsyrk(handle.get(), CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_T, static_cast<int>(size), static_cast<int>(n),
                       &one, u.data(), static_cast<int>(n), &zero, gram.data(), static_cast<int>(size)),
        "cublasDsyrk");
    std::vector<double> products(size * size);  // row-major, so the lower triangle in columns is the upper in rows
    gram.copy_to_host(products);

    std::vector<RankSums> sums(size * size);
    for (std::int64_t i = 0; i < size; ++i)
      for (std::int64_t j = i; j < size; ++j)
        sums[i * size + j] = {static_cast<Int128>(products[i * size + i]), static_cast<Int128>(products[i * size + j]),
                              static_cast<Int128>(products[j * size + j])};
    return sums;
  });
}

std::vector<PairCounts> pair_counts_matrix_cuda(Columns columns) {
  return with_thrust_errors([&] {
    std::vector<DeviceBuffer<double>> device_columns;
    for (const std::span<const double> column : columns) device_columns.emplace_back(column);
    const std::size_t size = columns.size();
    std::vector<PairCounts> counts(size * size);
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = i; j < size; ++j)
        counts[i * size + j] = pair_counts_thrust<DeviceBuffer>(thrust::device, device_columns[i].data(),
                                                                device_columns[j].data(), length(columns[i]));
    return counts;
  });
}

}  // namespace oneproxy::detail
