#pragma once
// The methods that method_registry.cpp lists; what each is called, needs and reads is in its own file.
//   bayes      Gaussian process over sources, physics and code (gaussian_process/bayes.h); keys prior, split_sources,
//              use_data_sheet
//   adaproxy   the paper's (adaproxy/adaproxy.h): of several sources, the one whose predictions rank the target's
//              samples best is the proxy; key p
//   finetune   a neural predictor of a source, fine-tuned (fine_tune.h); its keys are FineTuneSettings'
//   pca        Gaussian over the principal components of the sources' latency functions (principal_components.h);
//              keys components, inflation
//   data_sheet the target's data sheet alone, no measurement (sheet_regression.h)
//   references one network on (architecture, latencies of the measured architectures), trained on the sources
//              (reference_network.h); keys reference_hidden, reference_epochs, reference_learning_rate
#include "oneproxy/engine/adapt/method_registry.h"

namespace oneproxy {

AdaptationMethodKind bayes_method();
AdaptationMethodKind adaproxy_method();
AdaptationMethodKind finetune_method();
AdaptationMethodKind pca_method();
AdaptationMethodKind data_sheet_method();
AdaptationMethodKind references_method();

// "method bayes needs a data sheet of the target ...", with the remedy.
std::string no_data_sheet(const std::string& method);

}  // namespace oneproxy
