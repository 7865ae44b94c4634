#pragma once
// Work that takes less memory in smaller parts. Private to kernels/.
#include <algorithm>
#include <cstdint>

namespace oneproxy::detail {

// work(size), with `size` halved, down to `least`, until there is memory: OutOfMemory is what says that there is none.
// release() gives back what failed work and earlier work left. The last failure goes on to the caller.
template <class OutOfMemory, class Release, class Work>
auto with_less_memory(std::int64_t& size, std::int64_t least, const Release& release, const Work& work) {
  for (bool released = false;; released = true) {
    try {
      return work(size);
    } catch (const OutOfMemory&) {
      release();
      if (size <= least && released) throw;
      size = std::max(std::min(size, least), size / 2);
    }
  }
}

}  // namespace oneproxy::detail
