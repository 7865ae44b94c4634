#pragma once
// Runs CUDA kernels on the CPU, one coroutine a thread: threadIdx, barriers, shuffles, atomics and the warp's matrix
// products, whose fragments are those of the PTX ISA. For tests of device code where there is no GPU: a wrong index, a
// missing barrier (threads run in either order), an element in the wrong lane show here; races in time do not.
//   simt::launch({blocks, threads, shared_bytes}, [&] { kernel(arguments); });
//   simt::Runtime().launch(kernel, {blocks, threads, shared_bytes}, arguments);  // with the limits of shared memory
// Include it before a header of device code; nothing else may be included between them.
#define ONEPROXY_SIMT_ON_HOST
#define ONEPROXY_DEVICE inline
#define ONEPROXY_UNROLL
#define __global__
#define __launch_bounds__(...)

#include <ucontext.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/score/cuda/mma_layout.h"

struct uint4 {
  std::uint32_t x, y, z, w;
};
struct float4 {
  float x, y, z, w;
};
struct float2 {
  float x, y;
};

namespace oneproxy::simt {

struct Dim {
  unsigned x = 0;
};

struct Launch {
  unsigned blocks = 1, threads = 32;
  std::size_t shared_bytes = 0;
  bool backwards = false;   // run the blocks, and the threads of a block, from the last to the first
  std::uint64_t order = 0;  // not 0: run them in this one of many random orders instead
};

// Of 0 .. n-1, the order in which they run.
inline std::vector<unsigned> order_of(const Launch& launch, unsigned n, std::uint64_t stream) {
  std::vector<unsigned> order(n);
  for (unsigned i = 0; i < n; ++i) order[i] = launch.backwards ? n - 1 - i : i;
  const Philox random{launch.order, stream};
  for (unsigned i = n; launch.order != 0 && i > 1; --i)
    std::swap(order[i - 1], order[static_cast<unsigned>(random.below(i, i))]);
  return order;
}

class Block {
 public:
  Block(const Launch& launch, unsigned block, const std::function<void()>& body)
      : launch_(launch), body_(body), shared_(launch.shared_bytes / 16 + 1), threads_(launch.threads) {
    index_.x = block;
    std::memset(shared_.data(), 0xFF, shared_.size() * sizeof(Line));  // NaN: what nobody wrote must not be read
    for (auto& thread : threads_) {
      thread.stack = std::make_unique<char[]>(kStack);
      getcontext(&thread.context);
      thread.context.uc_stack.ss_sp = thread.stack.get();
      thread.context.uc_stack.ss_size = kStack;
      thread.context.uc_link = &scheduler_;
      makecontext(&thread.context, &Block::enter, 0);
    }
  }

  void run() {
    current_block = this;
    const std::vector<unsigned> order = order_of(launch_, launch_.threads, index_.x + 1);
    for (unsigned left = launch_.threads; left > 0;) {
      bool moved = false;
      for (const unsigned i : order) {
        active_ = i;
        auto& thread = threads_[active_];
        if (thread.done || thread.waits) continue;
        moved = true;
        swapcontext(&scheduler_, &thread.context);
        if (failure_) std::rethrow_exception(failure_);
        if (thread.done) --left;
      }
      if (!moved) throw std::logic_error("threads wait for each other: a barrier that not all of them reach");
    }
  }

  // All threads of a block, or of a warp with `exchange` done by the last one that comes.
  void block_barrier() {
    wait(block_waiting_, 0, launch_.threads, [] {});
  }
  // Whether any thread of the block says so.
  bool block_any(bool own) {
    thread().says = own;
    wait(block_waiting_, 0, launch_.threads, [this] {
      block_said_ = std::any_of(threads_.begin(), threads_.end(), [](const Thread& thread) { return thread.says; });
    });
    return block_said_;
  }
  template <class Exchange>
  void warp_barrier(Exchange exchange) {
    const unsigned warp = active_ / 32;
    warp_waiting_.resize(launch_.threads / 32);
    wait(warp_waiting_[warp], warp * 32, 32, exchange);
  }

  struct Thread {
    ucontext_t context{};
    std::unique_ptr<char[]> stack;
    bool done = false, waits = false, says = false;
    void* operand = nullptr;  // of a warp's exchange
  };
  Thread& thread() { return threads_[active_]; }
  Thread* warp() { return &threads_[active_ / 32 * 32]; }
  unsigned lane() const { return active_ % 32; }
  Dim thread_index() const { return {active_}; }
  Dim block_index() const { return index_; }
  Dim block_size() const { return {launch_.threads}; }
  Dim grid_size() const { return {launch_.blocks}; }
  char* shared() { return reinterpret_cast<char*>(shared_.data()); }

  static inline thread_local Block* current_block = nullptr;

 private:
  static constexpr std::size_t kStack = 128 * 1024;
  struct alignas(16) Line {
    char bytes[16];
  };

  static void enter() {
    Block& block = *current_block;
    try {
      block.body_();
    } catch (...) {
      block.failure_ = std::current_exception();
    }
    block.thread().done = true;
  }
  template <class Exchange>
  void wait(unsigned& waiting, unsigned first, unsigned count, Exchange exchange) {
    auto& self = thread();
    if (++waiting == count) {
      exchange();
      waiting = 0;
      for (unsigned i = first; i < first + count; ++i) threads_[i].waits = false;
      return;
    }
    self.waits = true;
    swapcontext(&self.context, &scheduler_);
  }

  Launch launch_;
  const std::function<void()>& body_;
  std::vector<Line> shared_;
  std::vector<Thread> threads_;
  ucontext_t scheduler_{};
  unsigned active_ = 0, block_waiting_ = 0;
  bool block_said_ = false;
  std::vector<unsigned> warp_waiting_;
  Dim index_;
  std::exception_ptr failure_;
};

inline Block& block() { return *Block::current_block; }

inline void launch(const Launch& launch, const std::function<void()>& body) {
  for (const unsigned i : order_of(launch, launch.blocks, 0)) Block(launch, i, body).run();
}

// What the CUDA runtime knows of functions: the dynamic shared memory that one may be launched with is its attribute,
// 48 KiB until it is set, and the last one who sets it decides for all.
class Runtime {
 public:
  explicit Runtime(int shared_bytes_of_device = 232448) : most_(shared_bytes_of_device) {}

  template <class... Args>
  void allow_shared_bytes(void (*kernel)(Args...), int bytes) {
    if (bytes > most_) throw std::logic_error("more dynamic shared memory allowed than the device has");
    allowed_[reinterpret_cast<void (*)()>(kernel)] = bytes;
  }
  template <class... Args>
  int resident_blocks(void (*kernel)(Args...), int, int shared_bytes) const {
    return shared_bytes > allowed(kernel) ? 0 : shared_bytes > most_ / 2 ? 1 : 2;
  }
  template <class... Args>
  void launch(void (*kernel)(Args...), const Launch& launch, const std::type_identity_t<Args>&... args) const {
    if (launch.shared_bytes > static_cast<std::size_t>(allowed(kernel)))
      throw std::logic_error("a launch with " + std::to_string(launch.shared_bytes) +
                             " bytes of dynamic shared memory; " + std::to_string(allowed(kernel)) + " are allowed");
    simt::launch(launch, [&] { kernel(args...); });
  }

 private:
  template <class... Args>
  int allowed(void (*kernel)(Args...)) const {
    const auto found = allowed_.find(reinterpret_cast<void (*)()>(kernel));
    return found == allowed_.end() ? 48 * 1024 : found->second;
  }
  int most_;
  std::map<void (*)(), int> allowed_;
};

template <class Layout, class Value>
void mma(float* c, const std::uint32_t* a, std::uint32_t b0, std::uint32_t b1, const Value& value) {
  struct Operand {
    float* c;
    const std::uint32_t* a;
    std::uint32_t b[2];
  } operand{c, a, {b0, b1}};
  block().thread().operand = &operand;
  block().warp_barrier([&] {
    float left[16][Layout::kColumns], right[Layout::kColumns][8];
    Block::Thread* warp = block().warp();
    for (int lane = 0; lane < 32; ++lane) {
      const auto& own = *static_cast<Operand*>(warp[lane].operand);
      for (int half = 0; half < Layout::kHalves; ++half) {
        for (int word = 0; word < 4; ++word) {
          const auto at = detail::Element(Layout::a(lane, word, half));
          left[at.row][at.column] = value(own.a[word], half);
        }
        for (int word = 0; word < 2; ++word) {
          const auto at = detail::Element(Layout::b(lane, word, half));
          right[at.row][at.column] = value(own.b[word], half);
        }
      }
    }
    for (int lane = 0; lane < 32; ++lane)
      for (int word = 0; word < 4; ++word) {
        const auto at = detail::mma_c(lane, word);
        float sum = static_cast<Operand*>(warp[lane].operand)->c[word];
        for (int k = 0; k < Layout::kColumns; ++k) sum += left[at.row][k] * right[k][at.column];
        static_cast<Operand*>(warp[lane].operand)->c[word] = sum;
      }
  });
}

}  // namespace oneproxy::simt

#define threadIdx (::oneproxy::simt::block().thread_index())
#define blockIdx (::oneproxy::simt::block().block_index())
#define blockDim (::oneproxy::simt::block().block_size())
#define gridDim (::oneproxy::simt::block().grid_size())

inline void __syncthreads() { oneproxy::simt::block().block_barrier(); }
inline int __syncthreads_or(int predicate) { return oneproxy::simt::block().block_any(predicate != 0); }
inline void __syncwarp() {
  oneproxy::simt::block().warp_barrier([] {});
}

inline float __shfl_xor_sync(unsigned, float value, int mask) {
  float own = value, result = 0;
  struct Operand {
    float in;
    float* out;
  } operand{own, &result};
  auto& block = oneproxy::simt::block();
  block.thread().operand = &operand;
  block.warp_barrier([&] {
    auto* warp = block.warp();
    for (int lane = 0; lane < 32; ++lane)
      *static_cast<Operand*>(warp[lane].operand)->out = static_cast<Operand*>(warp[lane ^ mask].operand)->in;
  });
  return result;
}

inline int __any_sync(unsigned, int predicate) {
  bool result = false;
  struct Operand {
    bool in;
    bool* out;
  } operand{predicate != 0, &result};
  auto& block = oneproxy::simt::block();
  block.thread().operand = &operand;
  block.warp_barrier([&] {
    auto* warp = block.warp();
    bool any = false;
    for (int lane = 0; lane < 32; ++lane) any = any || static_cast<Operand*>(warp[lane].operand)->in;
    for (int lane = 0; lane < 32; ++lane) *static_cast<Operand*>(warp[lane].operand)->out = any;
  });
  return result;
}

template <class T>
T atomicAdd(T* at, T value) {
  const T before = *at;
  *at += value;
  return before;
}

template <class T>
T atomicMin(T* at, T value) {
  const T before = *at;
  if (value < before) *at = value;
  return before;
}

template <class T>
T __ldg(const T* at) {
  return *at;
}

namespace oneproxy::detail {

using std::fmaf;
using std::fmaxf;

inline char* dynamic_shared() { return simt::block().shared(); }

inline void mma_bf16(float* c, const std::uint32_t* a, std::uint32_t b0, std::uint32_t b1) {
  simt::mma<Bf16Layout>(c, a, b0, b1, [](std::uint32_t word, int half) {
    return std::bit_cast<float>(half ? word & 0xFFFF0000u : word << 16);
  });
}
inline void mma_tf32(float* c, const std::uint32_t* a, std::uint32_t b0, std::uint32_t b1) {
  simt::mma<Tf32Layout>(c, a, b0, b1, [](std::uint32_t word, int) { return std::bit_cast<float>(word & ~0x1FFFu); });
}
inline std::uint32_t relu_bf16x2(float low, float high) {
  return bf16_bits(std::max(low, 0.0f)) | bf16_bits(std::max(high, 0.0f)) << 16;
}
inline std::uint32_t relu_tf32(float value) { return tf32_bits(std::max(value, 0.0f)); }

}  // namespace oneproxy::detail
