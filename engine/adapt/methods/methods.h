#pragma once
// The methods that method_registry.cpp lists; what each is called, needs and reads is in its own file.
//   bayes      Gaussian process over sources, physics and code (gaussian_process/bayes.h); keys prior, split_sources
//   adaproxy   the paper's (adaproxy/adaproxy.h): of several sources, the one whose predictions rank the target's
//              samples best is the proxy; key p
//   finetune   a neural predictor of a source, fine-tuned (fine_tune.h); its keys are FineTuneSettings'
#include "oneproxy/engine/adapt/method_registry.h"

namespace oneproxy {

AdaptationMethodKind bayes_method();
AdaptationMethodKind adaproxy_method();
AdaptationMethodKind finetune_method();

}  // namespace oneproxy
