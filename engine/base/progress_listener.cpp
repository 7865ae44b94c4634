#include "oneproxy/engine/base/progress_listener.h"

#include <utility>

namespace oneproxy {
namespace {

thread_local const ListenToProgress* listening = nullptr;
const ProgressListener nobody;

}  // namespace

ListenToProgress::ListenToProgress(ProgressListener listener) : listener_(std::move(listener)), before_(listening) {
  listening = this;
}

ListenToProgress::~ListenToProgress() { listening = before_; }

const ProgressListener& ListenToProgress::current() { return listening ? listening->listener_ : nobody; }

}  // namespace oneproxy
