#include <utility>

#include "oneproxy/engine/adapt/methods/adapted_mixture.h"
#include "oneproxy/engine/adapt/methods/methods.h"
#include "oneproxy/engine/adapt/sheet_regression.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

class DataSheetMethod : public AdaptationMethod {
 public:
  explicit DataSheetMethod(Sources sources)
      : sources_(std::move(sources)),
        standardised_(sources_),
        regression_(data_sheets_of(sources_, "data_sheet"), standardised_) {}

  std::unique_ptr<AdaptedPredictor> adapt(const TargetSamples& measured, const DataSheet* data_sheet) const override {
    if (!data_sheet) throw Error(no_data_sheet("data_sheet"));
    const auto known = known_samples(measured, "data_sheet");
    const auto prediction = regression_.predict(*data_sheet);
    auto latency =
        in_ms(sources_, standardised_, prediction.weights, mixture(sources_, standardised_, prediction.weights));
    return std::make_unique<AdaptedMixture>(sources_.features,
                                            on_scale_of(known, *sources_.features, std::move(latency)),
                                            SheetRegression::remarks(prediction), "");
  }

  std::string prior() const override {
    return "data sheets by " + join(regression_.numbers()) + " and class, " +
           fixed(regression_.effective_dimensions(), 1) + " effective dimensions";
  }

 private:
  Sources sources_;
  StandardisedSources standardised_;
  SheetRegression regression_;
};

class DataSheetSettings : public MethodSettings {
 public:
  std::unique_ptr<MethodSettings> clone() const override { return std::make_unique<DataSheetSettings>(*this); }
  void read(Config& /*config*/) override {}
  bool needs_data_sheet() const override { return true; }
  int min_measurements() const override { return 0; }
  std::unique_ptr<AdaptationMethod> make(const Sources& sources, const LearnedFromSources& /*learned*/,
                                         std::uint64_t /*seed*/) const override {
    return std::make_unique<DataSheetMethod>(sources);
  }
};

}  // namespace

std::string no_data_sheet(const std::string& method) {
  return "method " + method +
         " needs a data sheet of the target, and there is none; give one (a data sheet FILE.toml, or a [[device]] of "
         "its name in the file of data sheets)";
}

AdaptationMethodKind data_sheet_method() {
  return {"data_sheet", "the vendor's numbers alone: a mixture of the sources whose data sheets are near", 3, false,
          [] { return std::make_unique<DataSheetSettings>(); }};
}

}  // namespace oneproxy
