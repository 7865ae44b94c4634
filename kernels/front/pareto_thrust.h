#pragma once
// The Pareto front in Thrust's words, for any of its back ends: the CUDA twin runs it on the device, a test runs it
// with Thrust's sequential back end, without nvcc or a GPU.
//
//   1. drop points with a NaN
//   2. sort the rest by latency; stable, so equal latencies stay in order of index
//   3. running maximum of the qualities; a point stays where the maximum rises
//   4. of points of equal latency only the last, best one stays
#include <thrust/copy.h>
#include <thrust/functional.h>
#include <thrust/gather.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/scan.h>
#include <thrust/sort.h>
#include <thrust/transform.h>

#include <cstdint>

#include "oneproxy/kernels/base/index.h"

namespace oneproxy::detail {

struct IsPoint {
  const double* latency;
  const double* quality;
  ONEPROXY_HD bool operator()(std::int64_t i) const { return latency[i] == latency[i] && quality[i] == quality[i]; }
};

// The radix sorts behind Thrust may order -0.0 before 0.0, which are equal latencies.
struct SortableLatency {
  const double* latency;
  ONEPROXY_HD double operator()(std::int64_t i) const { return latency[i] + 0.0; }
};

// The first point stays whatever its quality, even minus infinity.
struct MaximumRises {
  const double* maximum;
  ONEPROXY_HD bool operator()(std::int64_t position) const {
    return position == 0 || maximum[position] > maximum[position - 1];
  }
};

struct LastOfItsLatency {
  const double* latency;         // sorted
  const std::int64_t* position;  // [n] of the points that stayed
  std::int64_t n;
  ONEPROXY_HD bool operator()(std::int64_t i) const {
    return i + 1 == n || latency[position[i]] < latency[position[i + 1]];
  }
};

// latency, quality [n] -> indices of the front, in memory of the policy's back end. Buffer<T>(size) owns such memory,
// Buffer<T>::data() points to it.
template <template <typename> class Buffer, typename Policy>
Buffer<std::int64_t> pareto_front_thrust(const Policy& policy, const double* latency, const double* quality,
                                         std::int64_t n) {
  const thrust::counting_iterator<std::int64_t> numbers(0);

  Buffer<std::int64_t> index(n);
  n = thrust::copy_if(policy, numbers, numbers + n, index.data(), IsPoint{latency, quality}) - index.data();

  Buffer<double> key(n);
  thrust::transform(policy, index.data(), index.data() + n, key.data(), SortableLatency{latency});
  thrust::stable_sort_by_key(policy, key.data(), key.data() + n, index.data());

  Buffer<double> maximum(n);
  thrust::gather(policy, index.data(), index.data() + n, quality, maximum.data());
  thrust::inclusive_scan(policy, maximum.data(), maximum.data() + n, maximum.data(), thrust::maximum<double>());

  Buffer<std::int64_t> rising(n);
  const std::int64_t n_rising =
      thrust::copy_if(policy, numbers, numbers + n, rising.data(), MaximumRises{maximum.data()}) - rising.data();

  Buffer<std::int64_t> kept(n_rising);
  const LastOfItsLatency last{key.data(), rising.data(), n_rising};
  const std::int64_t n_kept =
      thrust::copy_if(policy, rising.data(), rising.data() + n_rising, numbers, kept.data(), last) - kept.data();

  Buffer<std::int64_t> front(n_kept);
  thrust::gather(policy, kept.data(), kept.data() + n_kept, index.data(), front.data());
  return front;
}

}  // namespace oneproxy::detail
