#pragma once
// Loops over independent pieces on the CPU's threads. Results never depend on the number of threads:
// each piece writes its own place.
#include <cstdint>
#include <functional>

namespace oneproxy {

// Threads that parallel_for uses: set_thread_count, else ONEPROXY_THREADS, else what the process may use.
int thread_count();
void set_thread_count(int threads);  // 0: back to the default

// Calls body(i) for i in 0 .. count-1; the first exception is rethrown after all threads have stopped.
// A nested call runs in the calling thread. Error: a thread can not be started; fewer threads still work.
void parallel_for(std::int64_t count, const std::function<void(std::int64_t)>& body);

}  // namespace oneproxy
