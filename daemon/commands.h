// The subcommands. Each returns the exit code; exceptions go to main().
#pragma once

#include <cstdint>
#include <string>

#include "config/load.h"

namespace geotally {

int run(const config::Inputs& inputs);
/// Prints every key with its value and origin, unless `quiet`.
int check_config(const config::Inputs& inputs, bool quiet);
int verify(const config::Inputs& inputs);
/// Writes one more backup into `backup_dir` and keeps the latest `keep`.
int backup(const config::Inputs& inputs, const std::string& backup_dir, std::uint32_t keep);
/// Puts backup `id` (0 = the latest) into the data directory, which must be empty.
int restore(const config::Inputs& inputs, const std::string& backup_dir, std::uint32_t id);
/// Asks `/readyz` of the daemon that `inputs` would run.
int healthcheck(const config::Inputs& inputs);

}  // namespace geotally
