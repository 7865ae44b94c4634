#include "experiments/cli/score_table.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "experiments/cli/python_command.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/hdf5_rows.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/shell_command.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

std::vector<std::string> kept_columns(const ScoreTableInfo& info) {
  return info.kept.empty() ? std::vector<std::string>{"index", "arch"} : info.kept;
}

std::vector<std::string> kept_of(const ScoreTableInfo& info, const ScoreRows& rows, std::size_t i) {
  if (!info.kept.empty()) return rows.kept[i];
  return {to_decimal(info.space.index(rows.choices[i])), info.space.to_string(rows.choices[i])};
}

std::string csv_header(const ScoreTableInfo& info) {
  std::string text;
  for (const auto& names : {kept_columns(info), info.names})
    for (const auto& name : names) text += (text.empty() ? "" : ",") + csv_field(name);
  return text + "\n";
}

std::string csv_rows(const ScoreTableInfo& info, const ScoreRows& rows) {
  std::string text;
  for (std::size_t i = 0; i < rows.choices.size(); ++i) {
    const auto kept = kept_of(info, rows, i);
    for (std::size_t c = 0; c < kept.size(); ++c) text += (c ? "," : "") + csv_field(kept[c]);
    for (const auto& column : rows.values) text += "," + exact(column[i]);
    text += "\n";
  }
  return text;
}

class CsvScores : public ScoreTable {
 public:
  CsvScores(const std::string& path, const ScoreTableInfo& info) : info_(info), out_(path) {
    out_.write(csv_header(info_));
  }
  void add(const ScoreRows& rows) override { out_.write(csv_rows(info_, rows)); }
  void finish() override { out_.finish(); }
  std::string form() const override { return ""; }

 private:
  ScoreTableInfo info_;
  OutputFile out_;
};

// NumPy's format 3.0 (numpy.lib.format): magic, length of the header, a Python dictionary in UTF-8, the rows.
class NpyScores : public ScoreTable {
 public:
  NpyScores(const std::string& path, const ScoreTableInfo& info) : info_(info), out_(path) {
    std::string fields = "('choices', '|u1', (" + std::to_string(info_.space.n_decisions()) + ",))";
    for (const auto& name : info_.names) fields += ", (" + python_text(name) + ", '<f8')";
    std::string header =
        "{'descr': [" + fields + "], 'fortran_order': False, 'shape': (" + std::to_string(info_.n_rows) + ",), }";
    constexpr std::size_t kBefore = 12, kAligned = 64;
    header += std::string(kAligned - 1 - (kBefore + header.size()) % kAligned, ' ') + "\n";
    std::string begin("\x93NUMPY\x03\x00", 8);
    for (int i = 0; i < 4; ++i) begin += static_cast<char>(header.size() >> (8 * i) & 255);
    out_.write(begin + header);
  }
  void add(const ScoreRows& rows) override {
    std::string bytes;
    for (std::size_t i = 0; i < rows.choices.size(); ++i) {
      bytes.append(reinterpret_cast<const char*>(rows.choices[i].data()), rows.choices[i].size());
      for (const auto& column : rows.values) bytes.append(reinterpret_cast<const char*>(&column[i]), sizeof(double));
    }
    out_.write(bytes);
  }
  void finish() override { out_.finish(); }
  std::string form() const override {
    return "numpy.load gives a structured array with the fields choices, " + join(info_.names);
  }

 private:
  static std::string python_text(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return quoted + "'";
  }

  ScoreTableInfo info_;
  OutputFile out_;
};

class H5Scores : public ScoreTable {
 public:
  H5Scores(const std::string& path, const ScoreTableInfo& info) : info_(info), path_(path) {
    using Type = H5Rows::Type;
    path_.make_file();
    file_.emplace(path_.temporary(), H5Mode::create, path);
    arch_ = column("arch", Type::texts, "architecture, the space's own string", "");
    file_->make_scale("arch", "arch");
    index_ = column("index", Type::texts, "index: mixed radix, first decision most significant", "");
    std::vector<std::string> decisions;
    for (const auto& decision : info_.space.decisions()) decisions.push_back(decision.name);
    file_->write("decision", decisions);
    file_->set_attribute("decision", "long_name", std::string("decision of the space"));
    file_->set_attribute("decision", "units", std::string());
    file_->make_scale("decision", "decision");
    choices_ = column("choices", Type::bytes, "choice of each decision", "1", info_.space.n_decisions());
    file_->attach_scale("choices", 1, "decision", "decision");
    for (std::size_t p = 0; p < info_.names.size(); ++p) {
      const auto name = free_name(info_.names[p]);
      values_.push_back(column(name, Type::doubles, info_.labels[p], info_.units[p].empty() ? "1" : info_.units[p]));
      file_->set_attribute(name, "predictor", info_.names[p]);
    }
    for (std::size_t c = 0; c < info_.kept.size(); ++c)
      if (info_.kept[c] != "arch")
        kept_.push_back({c, column(free_name(info_.kept[c]), Type::texts, "column of the file of architectures", "")});
    file_->set_attribute("/", "format", std::string("oneproxy-scores-1"));
    file_->set_attribute("/", "space", info_.space.name());
    file_->set_attribute("/", "precision", info_.precision);
    file_->set_attribute("/", "backend", info_.backend);
  }

  void add(const ScoreRows& rows) override {
    std::vector<std::string> arch, index;
    std::vector<std::uint8_t> choices;
    for (const auto& own : rows.choices) {
      arch.push_back(info_.space.to_string(own));
      index.push_back(to_decimal(info_.space.index(own)));
      choices.insert(choices.end(), own.begin(), own.end());
    }
    rows_[arch_].append(std::span<const std::string>(arch));
    rows_[index_].append(std::span<const std::string>(index));
    rows_[choices_].append(std::span<const std::uint8_t>(choices));
    for (std::size_t p = 0; p < values_.size(); ++p) rows_[values_[p]].append(std::span<const double>(rows.values[p]));
    for (const auto& [column, place] : kept_) {
      std::vector<std::string> texts;
      for (const auto& row : rows.kept) texts.push_back(row[column]);
      rows_[place].append(std::span<const std::string>(texts));
    }
  }

  void finish() override {
    for (auto& one : rows_) one.finish();
    file_->close();
    path_.rename();
  }

  std::string form() const override {
    return "h5py and xarray (engine=\"h5netcdf\") open it with architectures as labels";
  }

 private:
  // A name of its own in the file; a slash within one would make a group.
  std::string free_name(std::string name) const {
    std::replace(name.begin(), name.end(), '/', '_');
    while (name.empty() || name == "." || file_->exists(name)) name += "_";
    return name;
  }
  // A dataset with a row an architecture; its place in rows_.
  std::size_t column(const std::string& name, H5Rows::Type type, const std::string& long_name, const std::string& units,
                     std::int64_t width = 0) {
    rows_.emplace_back(*file_, name, type, info_.n_rows, width);
    file_->set_attribute(name, "long_name", long_name);
    file_->set_attribute(name, "units", units);
    if (rows_.size() > 1) file_->attach_scale(name, 0, "arch", "arch");
    return rows_.size() - 1;
  }

  ScoreTableInfo info_;
  AtomicPath path_;
  std::optional<H5File> file_;
  std::vector<H5Rows> rows_;
  std::size_t arch_ = 0, index_ = 0, choices_ = 0;         // places in rows_
  std::vector<std::size_t> values_;                        // likewise, of the predictors
  std::vector<std::pair<std::size_t, std::size_t>> kept_;  // a column of the file, and its place
};

// Types are given, not guessed from the first rows. In pieces, as they come.
constexpr const char* kToParquet = R"(
import sys
sys.path[:] = filter(None, sys.path)  # no module of the working directory
import csv, json
import pyarrow, pyarrow.csv, pyarrow.parquet
source, target, columns = sys.argv[1:]
fields = [pyarrow.field(c["name"], c["type"], metadata={"units": c["units"]} if c["units"] else None)
          for c in json.loads(columns)]
schema = pyarrow.schema(fields)
rows = pyarrow.csv.open_csv(
    source,
    parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
    convert_options=pyarrow.csv.ConvertOptions(column_types=schema, null_values=[""], strings_can_be_null=False))
with pyarrow.parquet.ParquetWriter(target, schema) as writer:
    for piece in rows:
        writer.write_batch(pyarrow.RecordBatch.from_arrays(piece.columns, schema=schema))
)";

// The rows go into a text beside the file first.
class ParquetScores : public ScoreTable {
 public:
  ParquetScores(const std::string& path, const ScoreTableInfo& info)
      : info_(info), path_(path), text_(path_.temporary() + ".csv"), python_(find_python()) {
    // Before hours of scoring, not after them.
    if (!run_by_shell(shell_word(python_) + " -c", {"import pyarrow.csv, pyarrow.parquet"}, 0).good())
      throw Error(path + ": a .parquet file is written by a Python with pyarrow, and " + python_ +
                  " has none; install it there (pip install pyarrow), name another Python by ONEPROXY_PYTHON, or take "
                  "another ending: " +
                  join(score_formats()));
    path_.make_file();
    rows_.open(text_, std::ios::binary);
    rows_ << csv_header(info_);
  }
  ~ParquetScores() override {
    std::error_code ignored;
    fs::remove(text_, ignored);
  }
  void add(const ScoreRows& rows) override { rows_ << csv_rows(info_, rows); }
  void finish() override {
    rows_.close();
    if (!rows_) throw Error(path_.path() + ": can not be written; is the disk full?");
    const auto done = run_by_shell(shell_word(python_) + " -c", {kToParquet, text_, path_.temporary(), columns()}, 0);
    if (!done.good()) throw Error(path_.path() + ": " + python_ + " with pyarrow " + done.describe());
    path_.rename();
  }
  std::string form() const override { return ""; }

 private:
  std::string columns() const {
    auto all = nlohmann::json::array();
    const bool index_fits = !(info_.space.size() >> 63);
    for (const auto& name : kept_columns(info_)) {
      const bool number = info_.kept.empty() && name == "index" && index_fits;
      all.push_back({{"name", name}, {"type", number ? "int64" : "string"}, {"units", ""}});
    }
    for (std::size_t p = 0; p < info_.names.size(); ++p)
      all.push_back({{"name", info_.names[p]}, {"type", "float64"}, {"units", info_.units[p]}});
    return all.dump();
  }

  ScoreTableInfo info_;
  AtomicPath path_;
  std::string text_, python_;
  std::ofstream rows_;
};

struct Format {
  std::string ending;
  std::unique_ptr<ScoreTable> (*make)(const std::string& path, const ScoreTableInfo& info);
};

template <class Table>
std::unique_ptr<ScoreTable> make(const std::string& path, const ScoreTableInfo& info) {
  return std::make_unique<Table>(path, info);
}

const std::vector<Format>& formats() {
  static const std::vector<Format> all = {
      {".csv", make<CsvScores>}, {".npy", make<NpyScores>}, {".h5", make<H5Scores>}, {".parquet", make<ParquetScores>}};
  return all;
}

const Format& format_of(const std::string& path) {
  for (const auto& format : formats())
    if (fs::path(path).extension() == format.ending) return format;
  throw Error(path + ": its ending says the form of the table, and should be one of " + join(score_formats()));
}

}  // namespace

std::vector<std::string> score_formats() {
  std::vector<std::string> endings;
  for (const auto& format : formats()) endings.push_back(format.ending);
  return endings;
}

void require_score_format(const std::string& path) { format_of(path); }

std::unique_ptr<ScoreTable> make_score_table(const std::string& path, const ScoreTableInfo& info) {
  return format_of(path).make(path, info);
}

}  // namespace oneproxy
