#include "oneproxy/engine/train/training_checkpoint.h"

#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {
constexpr const char* kFormat = "oneproxy-training-1";
}  // namespace

void save_checkpoint(const std::string& path, const TrainingCheckpoint& checkpoint) {
  write_h5_atomically(path, "", [&](H5File& file) {
    auto write = [&](const char* name, const std::vector<double>& values) {
      file.write(name, std::span<const double>(values));
    };
    write("parameters", checkpoint.state.parameters);
    write("first_moment", checkpoint.state.first_moment);
    write("second_moment", checkpoint.state.second_moment);
    write("best_parameters", checkpoint.best_parameters);
    write("train_loss", checkpoint.train_loss);
    write("validation_loss", checkpoint.validation_loss);
    file.set_attribute("/", "format", std::string(kFormat));
    file.set_attribute("/", "identity", checkpoint.identity);
    file.set_attribute("/", "epoch", checkpoint.epoch);
    file.set_attribute("/", "batch", checkpoint.batch);
    file.set_attribute("/", "steps", checkpoint.state.steps);
    file.set_attribute("/", "loss_sum", checkpoint.loss_sum);
    file.set_attribute("/", "best_loss", checkpoint.best_loss);
    file.set_attribute("/", "best_epoch", checkpoint.best_epoch);
  });
}

TrainingCheckpoint load_checkpoint(const std::string& path, const std::string& identity, std::int64_t n_parameters) {
  const H5File file(path, H5Mode::read);
  const auto found = file.attributes("/");
  if (attribute_text(found, "format") != kFormat)
    throw Error(path + ": is no checkpoint of a training; remove it, or write the result elsewhere");
  if (attribute_text(found, "identity") != identity)
    throw Error(path +
                ": is the checkpoint of a training with other settings or other data; finish that one, remove the "
                "file, or write the result elsewhere");
  AttributeReader attributes(found, path, "the checkpoint is damaged, remove it");
  TrainingCheckpoint checkpoint;
  checkpoint.identity = identity;
  checkpoint.epoch = attributes.integer("epoch");
  checkpoint.batch = attributes.integer("batch");
  checkpoint.loss_sum = attributes.number("loss_sum");
  checkpoint.state = {file.read_doubles("parameters"), file.read_doubles("first_moment"),
                      file.read_doubles("second_moment"), attributes.integer("steps")};
  checkpoint.best_parameters = file.read_doubles("best_parameters");
  checkpoint.best_loss = attributes.number("best_loss");
  checkpoint.best_epoch = attributes.integer("best_epoch");
  checkpoint.train_loss = file.read_doubles("train_loss");
  checkpoint.validation_loss = file.read_doubles("validation_loss");
  const auto n = static_cast<std::size_t>(n_parameters);
  if (checkpoint.state.parameters.size() != n || checkpoint.state.first_moment.size() != n ||
      checkpoint.state.second_moment.size() != n)
    throw Error(path + ": holds another number of parameters than the network; remove it");
  return checkpoint;
}

}  // namespace oneproxy
