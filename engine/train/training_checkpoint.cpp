#include "oneproxy/engine/train/training_checkpoint.h"

#include "oneproxy/engine/base/checkpoint.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

CheckpointKind kind_of(const std::string& identity) { return {"oneproxy-training-2", identity}; }

}  // namespace

void save_checkpoint(const std::string& path, const TrainingCheckpoint& checkpoint) {
  write_checkpoint(path, kind_of(checkpoint.identity), [&](H5File& file) {
    auto write = [&](const char* name, const std::vector<double>& values) {
      file.write(name, std::span<const double>(values));
    };
    write("parameters", checkpoint.state.parameters);
    write("first_moment", checkpoint.state.first_moment);
    write("second_moment", checkpoint.state.second_moment);
    write("best_parameters", checkpoint.best_parameters);
    write("train_loss", checkpoint.train_loss);
    write("validation_loss", checkpoint.validation_loss);
    write("losses", {checkpoint.loss_sum, checkpoint.best_loss});
    const std::int64_t progress[] = {checkpoint.epoch, checkpoint.batch, checkpoint.state.steps, checkpoint.best_epoch};
    file.write("progress", std::span(progress));
  });
}

TrainingCheckpoint load_checkpoint(const std::string& path, const std::string& identity, std::int64_t n_parameters) {
  TrainingCheckpoint checkpoint;
  checkpoint.identity = identity;
  read_checkpoint(path, kind_of(identity), [&](const H5File& file) {
    const auto progress = file.read_integers("progress");
    const auto losses = file.read_doubles("losses");
    if (progress.size() != 4 || losses.size() != 2) throw Error(path + ": does not say how far the training has come");
    checkpoint.epoch = progress[0];
    checkpoint.batch = progress[1];
    checkpoint.state = {file.read_doubles("parameters"), file.read_doubles("first_moment"),
                        file.read_doubles("second_moment"), progress[2]};
    checkpoint.best_epoch = progress[3];
    checkpoint.best_parameters = file.read_doubles("best_parameters");
    checkpoint.loss_sum = losses[0];
    checkpoint.best_loss = losses[1];
    checkpoint.train_loss = file.read_doubles("train_loss");
    checkpoint.validation_loss = file.read_doubles("validation_loss");
    if (checkpoint.epoch < 0 || checkpoint.batch < 0 || checkpoint.state.steps < 0)
      throw Error(path + ": is at an epoch or batch before the first");
    const auto n = static_cast<std::size_t>(n_parameters);
    for (const auto* values : {&checkpoint.state.parameters, &checkpoint.state.first_moment,
                               &checkpoint.state.second_moment, &checkpoint.best_parameters})
      if (values->size() != n && !(values == &checkpoint.best_parameters && values->empty()))
        throw Error(path + ": holds another number of parameters than the network");
  });
  return checkpoint;
}

}  // namespace oneproxy
