#pragma once
// LibTorch is one module, loaded when training is first asked for: loading it takes a second. What the module makes is
// behind plain headers (train/network.h, train/policy_network.h).
#include "oneproxy/kernels/base/shared_library.h"

namespace oneproxy {

bool torch_compiled() noexcept;  // whether this build can train

// Error, with the remedy, where this build can not train.
void require_torch();

// Loaded at the first call. Errors: a build without LibTorch, a module that can not be loaded (with the remedy).
const SharedLibrary& torch_module();

// The interface of what the module exports. The number guards against a module of an older build.
inline constexpr int kTorchModuleInterface = 2;

}  // namespace oneproxy
