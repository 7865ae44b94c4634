#include "oneproxy/kernels/score/cpu/mlp_on_tiles.h"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "oneproxy/kernels/base/aligned.h"
#include "oneproxy/kernels/base/digits.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/bf16.h"
#include "oneproxy/kernels/score/cpu/inner_digits.h"

namespace oneproxy::detail {
namespace {

constexpr std::uint64_t kTableBytes = 128 << 10;   // stays in L2 beside a layer's weights
constexpr std::uint64_t kMaxTableBytes = 2 << 20;  // where the last digit alone passes kTableBytes
constexpr std::int64_t kTileBytes = 24 << 10;      // of one layer's activations
constexpr int kMinTileRows = 48, kMaxTileRows = 192;
constexpr std::int64_t kWeightsInCache = 256 << 10;  // more come from afar, for more rows at once
constexpr int kFarTileRows = 96;

int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

// Widths of panels, in groups, of which the widest are the fastest: fours, and threes instead of a lone one or two.
std::vector<int> panels(int groups, int max_groups) {
  std::vector<int> widths;
  while (groups > 0) {
    int width = std::min(groups, max_groups);
    if (max_groups == 4 && (groups == 5 || groups == 6 || groups == 9)) width = 3;
    widths.push_back(width);
    groups -= width;
  }
  return widths;
}

template <typename T>
T converted(double value, bool bf16) {
  if constexpr (std::is_same_v<T, std::uint16_t>) return bf16_bits(static_cast<float>(value));
  if constexpr (std::is_same_v<T, float>)
    if (bf16) return bf16_value(bf16_bits(static_cast<float>(value)));
  return static_cast<T>(value);
}

// Memory of one thread, kept between calls.
std::byte* scratch(std::size_t bytes) {
  thread_local AlignedVector<std::byte> memory;
  if (memory.size() < bytes) memory.assign(bytes, std::byte{0});
  return memory.data();
}

template <typename Sum, typename Act>
class Tiled final : public MlpOnTiles {
 public:
  Tiled(const Mlp& model, std::shared_ptr<const RowLists> code, const TileKernels<Sum, Act>& kernels)
      : code_(std::move(code)), kernels_(kernels), width_(round_up(model.first_width, kernels.group)) {
    take_first_layer(model);
    take_hidden_layers(model);
    make_table();
    choose_tile();
  }

  void score_range(ArchIndex begin, std::int64_t count, double* scores) const override { range(begin, count, scores); }
  void score_range(ArchIndex begin, std::int64_t count, float* scores) const override { range(begin, count, scores); }
  void score_digits(const std::uint32_t* digits, std::int64_t n, double* scores) const override {
    list(digits, n, scores);
  }
  void score_digits(const std::uint32_t* digits, std::int64_t n, float* scores) const override {
    list(digits, n, scores);
  }

  std::string path() const override {
    const char* number = sizeof(Sum) == 8 ? " fp64" : !kernels_.bf16 ? " fp32" : " bf16";
    std::string text = std::string(kernels_.isa) + number;
    if (kernels_.bf16 && sizeof(Act) == sizeof(float)) text += " emulated in fp32";
    text += inner_count_ > 1 ? ", table of " + std::to_string(inner_count_) + " inner sums" : ", rows added one by one";
    if (hidden_.empty()) return text + ", no hidden matrix";
    text +=
        ", tile " + std::to_string(kernels_.panel_rows) + "x" + std::to_string(kernels_.max_groups * kernels_.group);
    for (const auto& layer : hidden_)
      if (layer.packed.inputs_per_block < layer.packed.inputs)
        return text + ", inputs in blocks of " + std::to_string(layer.packed.inputs_per_block);
    return text;
  }

 private:
  struct Hidden {
    PackedLayer<Sum, Act> packed;
    std::vector<int> panels;
    AlignedVector<Act> weights;
    AlignedVector<Sum> bias;
  };

  // Where the parts of a thread's memory lie.
  struct Scratch {
    Act* activations[2];
    Sum *lanes, *partial, *scores, *prefixes;
    std::uint32_t *offsets, *outer;
    std::int32_t* counts;
  };

  void take_first_layer(const Mlp& model) {
    const std::uint64_t size = static_cast<std::uint64_t>(code_->n_rows) * width_;
    if (size > std::numeric_limits<std::uint32_t>::max())
      throw Error("an MLP whose first layer has " + std::to_string(code_->n_rows) + " rows of " +
                  std::to_string(model.first_width) + " numbers passes 2^32; use a code of fewer rows");
    rows_.assign(size, Sum{0});
    for (int row = 0; row < code_->n_rows; ++row)
      for (int j = 0; j < model.first_width; ++j)
        rows_[static_cast<std::size_t>(row) * width_ + j] =
            static_cast<Sum>(model.rows[static_cast<std::size_t>(row) * model.first_width + j]);
    first_bias_.assign(width_, Sum{0});
    for (int j = 0; j < model.first_width; ++j) first_bias_[j] = static_cast<Sum>(model.first_bias[j]);
    row_offsets_.resize(code_->rows.size());
    for (std::size_t i = 0; i < row_offsets_.size(); ++i)
      row_offsets_[i] = static_cast<std::uint32_t>(std::max(code_->rows[i], 0)) * static_cast<std::uint32_t>(width_);
  }

  void take_hidden_layers(const Mlp& model) {
    const auto& last = model.layers.back();
    score_weights_.assign(round_up(last.inputs, kernels_.group), Sum{0});
    for (int k = 0; k < last.inputs; ++k) score_weights_[k] = static_cast<Sum>(last.weights[k]);
    score_bias_ = static_cast<Sum>(last.bias[0]);
    score_inputs_ = kernels_.ordered ? last.inputs : static_cast<int>(score_weights_.size());
    hidden_.resize(model.layers.size() - 1);
    for (std::size_t l = 0; l < hidden_.size(); ++l) pack(model.layers[l], hidden_[l]);
    if (!hidden_.empty() && !kernels_.ordered) hidden_.back().packed.score = score_weights_.data();
  }

  void pack(const DenseLayer& layer, Hidden& hidden) const {
    const int step = kernels_.inputs_per_step, group = kernels_.group;
    auto& packed = hidden.packed;
    packed.inputs = round_up(layer.inputs, step);
    packed.outputs = round_up(layer.outputs, group);
    const int panel_row = kernels_.max_groups * group * static_cast<int>(sizeof(Act));
    const int blocks = (packed.inputs * panel_row + kernels_.panel_bytes - 1) / kernels_.panel_bytes;
    packed.inputs_per_block = round_up((packed.inputs + blocks - 1) / blocks, step);
    hidden.panels = panels(packed.outputs / group, kernels_.max_groups);
    packed.panels = hidden.panels.data();
    packed.n_panels = static_cast<int>(hidden.panels.size());
    hidden.bias.assign(packed.outputs, Sum{0});
    for (int j = 0; j < layer.outputs; ++j) hidden.bias[j] = static_cast<Sum>(layer.bias[j]);
    packed.bias = hidden.bias.data();
    hidden.weights.assign(static_cast<std::size_t>(packed.inputs) * packed.outputs, Act{0});
    packed.weights = hidden.weights.data();
    Act* panel = hidden.weights.data();
    int output = 0;
    for (const int groups : hidden.panels) {
      const int width = groups * group;
      for (int j = 0; j < width && output + j < layer.outputs; ++j)
        for (int k = 0; k < layer.inputs; ++k)
          panel[(static_cast<std::size_t>(k / step) * width + j) * step + k % step] =
              converted<Act>(layer.weights[static_cast<std::size_t>(output + j) * layer.inputs + k], kernels_.bf16);
      panel += static_cast<std::size_t>(packed.inputs) * width;
      output += width;
    }
  }

  // How many digits at the end are tabulated. The definition's order of additions allows only the rows of the last
  // one, added last.
  void choose_inner() {
    const auto n_digits = static_cast<int>(code_->radices.size());
    first_inner_ = n_digits;
    if (kernels_.ordered) {
      const auto last = code_->counts.begin() + code_->offsets.back();
      const bool single = std::all_of(last, last + code_->radices.back(), [](std::int32_t n) { return n <= 1; });
      const std::uint64_t bytes = std::uint64_t{code_->radices.back()} * width_ * sizeof(Sum);
      if (single && bytes <= kMaxTableBytes) --first_inner_;
    } else {
      for (const std::uint64_t bytes : {kTableBytes, kMaxTableBytes}) {
        const std::uint64_t max_count = std::max<std::uint64_t>(1, bytes / (width_ * sizeof(Sum)));
        first_inner_ = inner_digits(code_->radices, max_count).first;
        if (first_inner_ < n_digits) break;
      }
    }
    inner_count_ = 1;
    for (int d = first_inner_; d < n_digits; ++d) inner_count_ *= code_->radices[d];
  }

  // Sums of the inner digits' rows, each digit's added to those of the digits before it.
  void make_table() {
    choose_inner();
    table_.assign(inner_count_ * width_, Sum{0});
    std::int64_t filled = 1;
    for (std::size_t d = first_inner_; d < code_->radices.size(); ++d) {
      const std::int64_t radix = code_->radices[d];
      for (std::int64_t i = filled - 1; i >= 0; --i)  // downwards: what is still needed is not overwritten
        for (std::int64_t value = radix - 1; value >= 0; --value)
          add_value(table_.data() + i * width_, d, static_cast<std::uint32_t>(value),
                    table_.data() + (i * radix + value) * width_);
      filled *= radix;
    }
  }

  void add_value(const Sum* start, std::size_t digit, std::uint32_t value, Sum* out) const {
    const std::size_t at = code_->offsets[digit] + value;
    kernels_.add_rows(start, rows_.data(), row_offsets_.data() + at * code_->parts, code_->counts[at], width_, out);
  }

  void choose_tile() {
    std::int64_t weights = 0;
    widest_ = width_;
    for (const auto& layer : hidden_) {
      weights += static_cast<std::int64_t>(layer.weights.size() * sizeof(Act));
      widest_ = std::max(widest_, layer.packed.outputs);
    }
    const std::int64_t rows = kTileBytes / (widest_ * static_cast<std::int64_t>(sizeof(Act)));
    tile_rows_ = static_cast<int>(std::clamp<std::int64_t>(rows, kMinTileRows, kMaxTileRows));
    if (weights > kWeightsInCache) tile_rows_ = std::max(tile_rows_, kFarTileRows);
    tile_rows_ = tile_rows_ / kernels_.row_multiple * kernels_.row_multiple;
  }

  Scratch thread_memory() const {
    std::size_t bytes = 0;
    const auto place = [&bytes](std::size_t count, std::size_t size) {
      const std::size_t at = bytes;
      bytes += (count * size + 63) / 64 * 64;
      return at;
    };
    const std::size_t tile = static_cast<std::size_t>(tile_rows_), n_digits = code_->radices.size();
    const std::size_t activations[2] = {place(tile * widest_, sizeof(Act)), place(tile * widest_, sizeof(Act))};
    const std::size_t lanes = place(tile * kernels_.group, sizeof(Sum)), scores = place(tile, sizeof(Sum));
    const std::size_t partial = place(tile * widest_, sizeof(Sum));
    const std::size_t prefixes = place((n_digits + 1) * width_, sizeof(Sum));
    const std::size_t offsets = place(tile * code_->max_rows, sizeof(std::uint32_t));
    const std::size_t outer = place(n_digits, sizeof(std::uint32_t));
    const std::size_t counts = place(tile * 2, sizeof(std::int32_t));
    std::byte* memory = scratch(bytes);
    const auto at = [memory]<typename T>(std::size_t offset, T*& pointer) {
      pointer = reinterpret_cast<T*>(memory + offset);
    };
    Scratch own;
    at(activations[0], own.activations[0]);
    at(activations[1], own.activations[1]);
    at(lanes, own.lanes);
    at(partial, own.partial);
    at(scores, own.scores);
    at(prefixes, own.prefixes);
    at(offsets, own.offsets);
    at(outer, own.outer);
    at(counts, own.counts);
    return own;
  }

  // Prefixes [d + 1] = bias + rows of outer digits 0 .. d.
  void add_outer_from(int digit, const Scratch& own) const {
    for (int d = digit; d < first_inner_; ++d)
      add_value(own.prefixes + static_cast<std::int64_t>(d) * width_, d, own.outer[d],
                own.prefixes + static_cast<std::int64_t>(d + 1) * width_);
  }

  template <typename Out>
  void range(ArchIndex begin, std::int64_t count, Out* scores) const {
    if (count <= 0) return;
    const Scratch own = thread_memory();
    decode_digits(begin / inner_count_, code_->radices.data(), first_inner_, own.outer);
    std::copy(first_bias_.begin(), first_bias_.end(), own.prefixes);
    add_outer_from(0, own);
    const Sum* base = own.prefixes + static_cast<std::int64_t>(first_inner_) * width_;
    const auto inner_count = static_cast<std::int64_t>(inner_count_);
    auto inner = static_cast<std::int64_t>(begin % inner_count_);
    for (std::int64_t done = 0; done < count;) {
      const int n = static_cast<int>(std::min<std::int64_t>(tile_rows_, count - done));
      for (int filled = 0; filled < n;) {
        if (inner == inner_count) {
          inner = 0;
          int d = first_inner_ - 1;
          while (d > 0 && own.outer[d] + 1 == code_->radices[d]) own.outer[d--] = 0;
          ++own.outer[d];
          add_outer_from(d, own);
        }
        const int some = static_cast<int>(std::min<std::int64_t>(n - filled, inner_count - inner));
        kernels_.first(base, table_.data() + inner * width_, some, width_,
                       own.activations[0] + static_cast<std::int64_t>(filled) * width_);
        filled += some;
        inner += some;
      }
      finish_tile(own, n, scores + done);
      done += n;
    }
  }

  template <typename Out>
  void list(const std::uint32_t* digits, std::int64_t n, Out* scores) const {
    if (n <= 0) return;
    const Scratch own = thread_memory();
    const auto n_digits = static_cast<int>(code_->radices.size());
    for (std::int64_t done = 0; done < n; done += tile_rows_) {
      const int rows = static_cast<int>(std::min<std::int64_t>(tile_rows_, n - done));
      if (code_->one_each)
        place_rows(digits + done * n_digits, rows, own);
      else
        append_rows(digits + done * n_digits, rows, own);
      kernels_.gather(first_bias_.data(), rows_.data(), own.offsets, own.counts, code_->max_rows, rows, width_,
                      own.activations[0]);
      finish_tile(own, rows, scores + done);
    }
  }

  // Offsets of the rows that listed architectures stand for, outer digits first.
  void place_rows(const std::uint32_t* digits, int n, const Scratch& own) const {
    const std::size_t n_digits = code_->radices.size();
    const std::uint32_t *first = code_->offsets.data(), *rows = row_offsets_.data();
    for (int row = 0; row < n; ++row, digits += n_digits) {
      std::uint32_t* offsets = own.offsets + row * n_digits;
      for (std::size_t d = 0; d < n_digits; ++d) offsets[d] = rows[first[d] + digits[d]];
      own.counts[2 * row] = first_inner_;
      own.counts[2 * row + 1] = static_cast<std::int32_t>(n_digits);
    }
  }
  void append_rows(const std::uint32_t* digits, int n, const Scratch& own) const {
    const auto n_digits = static_cast<int>(code_->radices.size());
    for (int row = 0; row < n; ++row, digits += n_digits) {
      std::uint32_t* offsets = own.offsets + static_cast<std::int64_t>(row) * code_->max_rows;
      std::int32_t placed = 0;
      for (int d = 0; d < n_digits; ++d) {
        if (d == first_inner_) own.counts[2 * row] = placed;
        const std::size_t at = code_->offsets[d] + digits[d];
        for (std::int32_t i = 0; i < code_->counts[at]; ++i) offsets[placed++] = row_offsets_[at * code_->parts + i];
      }
      if (first_inner_ == n_digits) own.counts[2 * row] = placed;
      own.counts[2 * row + 1] = placed;
    }
  }

  // From the first layer's activations to scores.
  template <typename Out>
  void finish_tile(const Scratch& own, int n, Out* scores) const {
    int stride = width_, now = 0;
    for (const auto& layer : hidden_) {
      kernels_.layer(layer.packed, own.activations[now], stride, n, own.activations[1 - now], own.lanes, own.partial);
      stride = layer.packed.outputs;
      now = 1 - now;
    }
    if (hidden_.empty() || kernels_.ordered)
      kernels_.score(own.activations[now], stride, n, score_inputs_, score_weights_.data(), score_bias_, own.lanes,
                     own.scores);
    else
      kernels_.finish(own.lanes, n, score_bias_, own.scores);
    for (int row = 0; row < n; ++row) scores[row] = static_cast<Out>(own.scores[row]);
  }

  std::shared_ptr<const RowLists> code_;
  const TileKernels<Sum, Act>& kernels_;
  int width_, widest_ = 0, tile_rows_ = 0, first_inner_ = 0, score_inputs_ = 0;
  std::uint64_t inner_count_ = 1;
  AlignedVector<Sum> rows_, first_bias_, table_, score_weights_;
  std::vector<std::uint32_t> row_offsets_;
  std::vector<Hidden> hidden_;
  Sum score_bias_ = 0;
};

}  // namespace

template <typename Sum, typename Act>
std::unique_ptr<MlpOnTiles> make_mlp_on_tiles(const Mlp& model, std::shared_ptr<const RowLists> code,
                                              const TileKernels<Sum, Act>& kernels) {
  return std::make_unique<Tiled<Sum, Act>>(model, std::move(code), kernels);
}
template std::unique_ptr<MlpOnTiles> make_mlp_on_tiles(const Mlp&, std::shared_ptr<const RowLists>, const Fp64Tile&);
template std::unique_ptr<MlpOnTiles> make_mlp_on_tiles(const Mlp&, std::shared_ptr<const RowLists>, const Fp32Tile&);
template std::unique_ptr<MlpOnTiles> make_mlp_on_tiles(const Mlp&, std::shared_ptr<const RowLists>, const Bf16Tile&);

}  // namespace oneproxy::detail
