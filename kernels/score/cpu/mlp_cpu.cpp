#include "oneproxy/kernels/score/cpu/mlp_cpu.h"

#include <mutex>

#include "oneproxy/kernels/score/cpu/mlp_on_tiles.h"
#include "oneproxy/kernels/score/mlp_error.h"

namespace oneproxy::detail {

// The bound costs as much as scoring thousands of architectures, and most scorers are never asked for it.
struct MlpCpu::State {
  State(const Mlp& mlp, const OwnedCode& of, Precision precision)
      : tiles(make_mlp_on_tiles(mlp, std::make_shared<RowLists>(of.view()), precision, chosen_isa())),
        numbers(mlp),
        code(of),
        precision(precision) {}
  std::unique_ptr<MlpOnTiles> tiles;
  OwnedModel numbers;
  OwnedCode code;
  Precision precision;
  std::once_flag once;
  double bound = 0;
};

MlpCpu::MlpCpu(const Mlp& model, const OwnedCode& code, Precision precision)
    : state_(std::make_unique<State>(model, code, precision)) {}
MlpCpu::~MlpCpu() = default;
MlpCpu::MlpCpu(MlpCpu&&) noexcept = default;

void MlpCpu::score_range(ArchIndex begin, std::int64_t count, double* scores) const {
  state_->tiles->score_range(begin, count, scores);
}
void MlpCpu::score_digits(const std::uint32_t* digits, std::int64_t n, double* scores) const {
  state_->tiles->score_digits(digits, n, scores);
}
double MlpCpu::error_bound() const {
  State& state = *state_;
  std::call_once(state.once, [&state] {
    state.bound = mlp_error_bound(std::get<Mlp>(state.numbers.model), state.code.view(), state.precision, Backend::cpu);
  });
  return state.bound;
}
std::string MlpCpu::path() const { return state_->tiles->path(); }

}  // namespace oneproxy::detail
