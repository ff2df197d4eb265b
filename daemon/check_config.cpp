#include <fmt/format.h>

#include "daemon/commands.h"
#include "daemon/exit_code.h"
#include "daemon/options.h"

namespace geotally {

int check_config(const config::Inputs& inputs, bool quiet) {
  const config::Loaded loaded = config::load(inputs);
  // What `run` would refuse for want of memory is refused here.
  static_cast<void>(store_options(loaded.config));
  if (!quiet) fmt::print("{}", config::to_toml(loaded));
  return kExitOk;
}

}  // namespace geotally
