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
#include "oneproxy/kernels/score/cpu/digit_groups.h"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t kTileBytes = 24 << 10;  // of one layer's activations
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
      : code_(std::move(code)),
        kernels_(kernels),
        width_(round_up(model.first_width, kernels.group)),
        groups_(*code_, static_cast<std::uint64_t>(width_) * sizeof(Sum), !kernels.ordered) {
    take_first_layer(model);
    arrange_groups();
    take_hidden_layers(model);
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

  // By how much a digit's value moves the offset of its group's row.
  struct Stride {
    std::uint32_t digit, stride;
  };

  // Where the parts of a thread's memory lie.
  struct Scratch {
    Act* activations[2];
    Sum *lanes, *partial, *scores, *prefixes;
    std::uint32_t *offsets, *outer;
    std::int32_t* counts;
  };

  void take_first_layer(const Mlp& model) {
    const std::uint64_t size = groups_.n_rows * width_;
    if (size > std::numeric_limits<std::uint32_t>::max())
      throw Error("an MLP whose first layer has " + std::to_string(groups_.n_rows) + " rows of " +
                  std::to_string(model.first_width) + " numbers passes 2^32; use a code of fewer rows");
    AlignedVector<Sum> of_code(static_cast<std::size_t>(code_->n_rows) * width_, Sum{0});
    for (int row = 0; row < code_->n_rows; ++row)
      for (int j = 0; j < model.first_width; ++j)
        of_code[static_cast<std::size_t>(row) * width_ + j] =
            static_cast<Sum>(model.rows[static_cast<std::size_t>(row) * model.first_width + j]);
    nothing_.assign(width_, Sum{0});
    first_bias_.assign(width_, Sum{0});
    for (int j = 0; j < model.first_width; ++j) first_bias_[j] = static_cast<Sum>(model.first_bias[j]);
    rows_.assign(size, Sum{0});
    for (const auto& group : groups_.groups) {
      if (group.tabulated)
        tabulate(group, of_code.data());
      else
        std::copy(of_code.begin(), of_code.end(), rows_.begin() + group.first_row * width_);
    }
  }

  // Sums of the digits' rows, each digit's added to those of the digits before it.
  void tabulate(const DigitGroup& group, const Sum* of_code) {
    Sum* table = rows_.data() + group.first_row * width_;
    std::vector<std::uint32_t> offsets(code_->parts);
    std::int64_t filled = 1;
    for (int d = group.first_digit; d < group.end_digit; ++d) {
      const std::int64_t radix = code_->radices[d];
      for (std::int64_t i = filled - 1; i >= 0; --i)  // downwards: what is still needed is not overwritten
        for (std::int64_t value = radix - 1; value >= 0; --value) {
          const std::size_t at = code_->offsets[d] + static_cast<std::size_t>(value);
          for (std::int32_t part = 0; part < code_->counts[at]; ++part)
            offsets[part] = static_cast<std::uint32_t>(code_->rows[at * code_->parts + part] * width_);
          kernels_.add_rows(table + i * width_, of_code, offsets.data(), code_->counts[at], width_,
                            table + (i * radix + value) * width_);
        }
      filled *= radix;
    }
  }

  void arrange_groups() {
    for (const auto& group : groups_.groups) {
      table_offsets_.push_back(static_cast<std::uint32_t>(group.first_row * width_));
      group_digits_ = std::max(group_digits_, group.end_digit - group.first_digit);
    }
    for (const auto& group : groups_.groups) {
      auto stride = static_cast<std::uint32_t>(width_);
      for (int k = 0; k < group_digits_; ++k) {
        const int d = group.end_digit - 1 - k;
        const bool own = d >= group.first_digit;
        strides_.push_back({static_cast<std::uint32_t>(own ? d : group.first_digit), own ? stride : 0});
        if (own) stride *= code_->radices[d];
      }
    }
    const auto& last = groups_.groups.back();
    n_outer_ = groups_.groups.size() - last.tabulated;
    inner_count_ = last.tabulated ? last.radix : 1;
    inner_ = last.tabulated ? rows_.data() + last.first_row * width_ : nothing_.data();
    for (std::size_t g = 0; g < n_outer_; ++g) outer_radices_.push_back(groups_.groups[g].radix);
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
    const std::size_t tile = static_cast<std::size_t>(tile_rows_);
    const std::size_t activations[2] = {place(tile * widest_, sizeof(Act)), place(tile * widest_, sizeof(Act))};
    const std::size_t lanes = place(tile * kernels_.group, sizeof(Sum)), scores = place(tile, sizeof(Sum));
    const std::size_t partial = place(tile * widest_, sizeof(Sum));
    const std::size_t prefixes = place((n_outer_ + 1) * width_, sizeof(Sum));
    const std::size_t offsets = place(tile * max_rows(), sizeof(std::uint32_t));
    const std::size_t outer = place(n_outer_, sizeof(std::uint32_t));
    const std::size_t counts = place(tile, sizeof(std::int32_t));
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

  // Rows that one architecture adds, at most.
  std::size_t max_rows() const {
    return groups_.all_tabulated ? groups_.groups.size() : groups_.groups.size() + code_->max_rows;
  }

  // Offsets of the rows that a value of a group stands for; returns their number.
  std::int32_t rows_of(const DigitGroup& group, std::uint32_t value, std::uint32_t* offsets) const {
    if (group.tabulated) {
      *offsets = static_cast<std::uint32_t>((group.first_row + value) * width_);
      return 1;
    }
    const std::size_t at = code_->offsets[group.first_digit] + value;
    for (std::int32_t i = 0; i < code_->counts[at]; ++i)
      offsets[i] = static_cast<std::uint32_t>((group.first_row + code_->rows[at * code_->parts + i]) * width_);
    return code_->counts[at];
  }

  // Prefixes [g + 1] = bias + rows of outer groups 0 .. g.
  void add_outer_from(std::size_t group, const Scratch& own) const {
    for (std::size_t g = group; g < n_outer_; ++g) {
      const std::int32_t n = rows_of(groups_.groups[g], own.outer[g], own.offsets);
      kernels_.add_rows(own.prefixes + g * width_, rows_.data(), own.offsets, n, width_,
                        own.prefixes + (g + 1) * width_);
    }
  }

  template <typename Out>
  void range(ArchIndex begin, std::int64_t count, Out* scores) const {
    if (count <= 0) return;
    const Scratch own = thread_memory();
    decode_digits(begin / inner_count_, outer_radices_.data(), static_cast<int>(n_outer_), own.outer);
    std::copy(first_bias_.begin(), first_bias_.end(), own.prefixes);
    add_outer_from(0, own);
    const Sum* base = own.prefixes + n_outer_ * width_;
    const auto inner_count = static_cast<std::int64_t>(inner_count_);
    auto inner = static_cast<std::int64_t>(begin % inner_count_);
    for (std::int64_t done = 0; done < count;) {
      const int n = static_cast<int>(std::min<std::int64_t>(tile_rows_, count - done));
      for (int filled = 0; filled < n;) {
        if (inner == inner_count) {
          inner = 0;
          std::size_t g = n_outer_ - 1;
          while (g > 0 && own.outer[g] + 1 == outer_radices_[g]) own.outer[g--] = 0;
          ++own.outer[g];
          add_outer_from(g, own);
        }
        const int some = static_cast<int>(std::min<std::int64_t>(n - filled, inner_count - inner));
        kernels_.first(base, inner_ + inner * width_, some, width_,
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
    const std::size_t n_digits = code_->radices.size();
    for (std::int64_t done = 0; done < n; done += tile_rows_) {
      const int rows = static_cast<int>(std::min<std::int64_t>(tile_rows_, n - done));
      place_rows(digits + done * n_digits, rows, own);
      kernels_.gather(first_bias_.data(), rows_.data(), own.offsets, own.counts, static_cast<int>(max_rows()), rows,
                      width_, own.activations[0]);
      finish_tile(own, rows, scores + done);
    }
  }

  // Offsets of the rows that listed architectures add, in order.
  void place_rows(const std::uint32_t* digits, int n, const Scratch& own) const {
    if (groups_.all_tabulated) {
      std::fill_n(own.counts, n, static_cast<std::int32_t>(groups_.groups.size()));
      if (group_digits_ == 1) return place_tabulated<1>(digits, n, own.offsets);
      if (group_digits_ == 2) return place_tabulated<2>(digits, n, own.offsets);
      return place_tabulated<0>(digits, n, own.offsets);
    }
    for (int row = 0; row < n; ++row, digits += code_->radices.size())
      own.counts[row] = append_rows(digits, own.offsets + row * max_rows());
  }
  // All groups alike, without a branch: one of fewer digits has strides of 0. A number of digits that the compiler
  // knows makes this twice as fast.
  template <int fixed_digits>
  void place_tabulated(const std::uint32_t* digits, int n, std::uint32_t* __restrict offsets) const {
    const std::size_t n_digits = code_->radices.size(), n_groups = groups_.groups.size();
    const int group_digits = fixed_digits > 0 ? fixed_digits : group_digits_;
    for (int row = 0; row < n; ++row, digits += n_digits, offsets += n_groups) {
      const Stride* stride = strides_.data();
      for (std::size_t g = 0; g < n_groups; ++g, stride += group_digits) {
        std::uint32_t offset = table_offsets_[g];
        for (int k = 0; k < group_digits; ++k) offset += digits[stride[k].digit] * stride[k].stride;
        offsets[g] = offset;
      }
    }
  }
  std::int32_t append_rows(const std::uint32_t* digits, std::uint32_t* offsets) const {
    std::uint32_t* next = offsets;
    for (const auto& group : groups_.groups) {
      std::uint32_t value = 0;
      for (int d = group.first_digit; d < group.end_digit; ++d) value = value * code_->radices[d] + digits[d];
      next += rows_of(group, value, next);
    }
    return static_cast<std::int32_t>(next - offsets);
  }

  // From the first layer's activations to scores.
  template <typename Out>
  void finish_tile(const Scratch& own, int n, Out* scores) const {
    // The surplus of a block of rows is computed too: what other types have left there may be denormal, and slow.
    const int surplus = round_up(n, kernels_.row_multiple) - n;
    std::fill_n(own.activations[0] + static_cast<std::ptrdiff_t>(n) * width_, std::ptrdiff_t{surplus} * width_, Act{0});
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
  int width_, widest_ = 0, tile_rows_ = 0, score_inputs_ = 0;
  DigitGroups groups_;
  std::vector<std::uint32_t> table_offsets_;  // [n_groups] of a group's first row
  std::vector<Stride> strides_;               // [n_groups, group_digits]
  int group_digits_ = 0;                      // of the group that has the most
  std::size_t n_outer_ = 0;                   // groups that a range does not run through
  std::vector<std::uint32_t> outer_radices_;  // [n_outer]
  std::uint64_t inner_count_ = 1;
  const Sum* inner_ = nullptr;  // [inner_count, width]: rows of the last group, or one of zeros
  AlignedVector<Sum> rows_, first_bias_, nothing_, score_weights_;
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
