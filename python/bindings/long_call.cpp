#include "python/bindings/long_call.h"

#include <pthread.h>

namespace oneproxy::python {

std::mutex& engine_mutex() {
  static std::mutex mutex;
  static const int registered = pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); }, [] { mutex.unlock(); });
  static_cast<void>(registered);
  return mutex;
}

}  // namespace oneproxy::python
