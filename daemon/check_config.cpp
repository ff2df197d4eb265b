#include <fmt/format.h>

#include "daemon/commands.h"
#include "daemon/exit_code.h"

namespace geotally {

int check_config(const config::Inputs& inputs) {
  fmt::print("{}", config::to_toml(config::load(inputs)));
  return kExitOk;
}

}  // namespace geotally
