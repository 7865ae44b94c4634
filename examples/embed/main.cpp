// How well one device of the store ranks architectures for another, and the architectures that a search on it would
// propose: the Pareto front of latency and test accuracy.
#include <cstdio>
#include <exception>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/device/measurements.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/front/pareto.h"
#include "oneproxy/kernels/rank/rank.h"

int main() {
  using namespace oneproxy;
  try {
    set_home_folder(ONEPROXY_DATA_DIR);
    const Store store(shipped_store());
    const auto space = SearchSpace::load("nasbench201");
    const Measurements data(store, space, "help");
    const auto proxy = data.device("titan_rtx_1"), target = data.device("pixel3");
    const auto accuracy = data.quality("metric:natsbench:cifar10");

    const auto srcc = spearman(proxy.values, target.values, Backend::cpu);
    std::printf("store %s\n", store.path().c_str());
    std::printf("SRCC of %s and %s over %lld architectures: %.4f\n", proxy.name.c_str(), target.name.c_str(),
                static_cast<long long>(srcc.n_pairs), srcc.value);
    for (const auto row : pareto_front(target.values, accuracy.values, Backend::cpu))
      std::printf("%.3f ms  %.2f %%  %s\n", target.values[row], accuracy.values[row],
                  space.to_string(data.rows().row(row)).c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "embed: error: %s\n", error.what());
    return 1;
  }
}
