#include <fmt/format.h>

#include "daemon/commands.h"
#include "daemon/exit_code.h"
#include "daemon/options.h"

namespace geotally {

int check_config(const config::Inputs& inputs, bool quiet) {
  const config::Loaded loaded = config::load(inputs);
  // What `run` would refuse for want of memory, or for a feed that says nothing, is refused here.
  static_cast<void>(store_options(loaded.config));
  for (const std::string& warning : check_feed(loaded.config.feed)) {
    fmt::print(stderr, "geotally: warning: {}\n", warning);
  }
  if (!quiet) fmt::print("{}", config::to_toml(loaded));
  return kExitOk;
}

}  // namespace geotally
