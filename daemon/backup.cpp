#include "store/backup.h"

#include <fmt/format.h>

#include "daemon/commands.h"
#include "daemon/exit_code.h"

namespace geotally {

int backup(const config::Inputs& inputs, const std::string& backup_dir, std::uint32_t keep) {
  store::BackupOptions options;
  options.data_dir = config::load(inputs).config.store.data_dir;
  options.backup_dir = backup_dir;
  options.keep = keep;
  const store::BackupDone done = store::back_up(options);
  fmt::print("backup {}: commit {}, {} bytes in {} files, verified\n", done.id, done.commit,
             done.bytes, done.files);
  return kExitOk;
}

int restore(const config::Inputs& inputs, const std::string& backup_dir, std::uint32_t id) {
  const std::string data_dir = config::load(inputs).config.store.data_dir;
  const store::CommitRecord record = store::restore(backup_dir, data_dir, id);
  fmt::print("restored commit {} into {}; the feed is resumed from its cursor\n", record.number,
             data_dir);
  return kExitOk;
}

}  // namespace geotally
