#include "oneproxy/kernels/score/cuda/deal.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <thread>
#include <utility>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy::detail {
namespace {

using Piece = std::pair<std::uint64_t, std::uint64_t>;

// What is left to do: large pieces first, small ones at the end, so that no device waits long for a slow one.
class Pieces {
 public:
  Pieces(std::uint64_t count, std::uint64_t least, std::size_t n_devices)
      : count_(count), least_(std::max<std::uint64_t>(least, 1)), share_(4 * n_devices) {}

  bool empty() const { return back_.empty() && next_ == count_; }
  Piece take() {
    if (!back_.empty()) {
      const Piece piece = back_.front();
      back_.pop_front();
      return piece;
    }
    const std::uint64_t left = count_ - next_, size = std::min(left, std::max(least_, left / share_));
    next_ += size;
    return {next_ - size, next_};
  }
  void give_back(const Piece& piece) { back_.push_back(piece); }

 private:
  std::uint64_t count_, least_, share_, next_ = 0;
  std::deque<Piece> back_;
};

}  // namespace

void DevicesAtWork::reduce(std::uint64_t count, std::uint64_t least_piece, Reduction& reduction, const Reduce& reduce) {
  Pieces pieces(count, least_piece, out_.size());
  std::vector<Reduction> parts(out_.size(), Reduction(reduction.settings()));
  std::exception_ptr failure;

  const auto work = [&](std::size_t i) {
    for (;;) {
      Piece piece;
      {
        const std::scoped_lock lock(mutex_);
        if (failure || pieces.empty()) return;
        piece = pieces.take();
      }
      const Reduction before = parts[i];
      try {
        reduce(i, piece.first, piece.second, parts[i]);
      } catch (const OutOfDeviceMemory& full) {
        parts[i] = before;  // of the piece, which others do, nothing counts
        const std::scoped_lock lock(mutex_);
        out_[i] = full.what();
        pieces.give_back(piece);
        return;
      } catch (...) {
        const std::scoped_lock lock(mutex_);
        if (!failure) failure = std::current_exception();
        return;
      }
    }
  };

  const std::uint64_t worth = std::max<std::uint64_t>(1, count / std::max<std::uint64_t>(least_piece, 1));
  // A piece may come back when all others are done already: then those with memory go on.
  for (;;) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < out_.size() && threads.size() < worth; ++i)
      if (out_[i].empty()) threads.emplace_back(work, i);
    if (threads.empty()) throw OutOfDeviceMemory(out_.empty() ? "no device" : out_.front());
    for (auto& thread : threads) thread.join();
    if (failure) std::rethrow_exception(failure);
    if (pieces.empty()) break;
  }
  for (const auto& part : parts) reduction.merge(part);
}

std::vector<std::string> DevicesAtWork::out_of_memory() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> said;
  for (const auto& one : out_)
    if (!one.empty()) said.push_back(one);
  return said;
}

}  // namespace oneproxy::detail
