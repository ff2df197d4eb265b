// The subcommands. Each returns the exit code; exceptions go to main().
#pragma once

#include <string>

#include "config/load.h"

namespace geotally {

int run(const config::Inputs& inputs);
/// Prints every key with its value and origin, unless `quiet`.
int check_config(const config::Inputs& inputs, bool quiet);
int verify(const config::Inputs& inputs);
/// Asks `/readyz` of the daemon that `inputs` would run.
int healthcheck(const config::Inputs& inputs);

}  // namespace geotally
