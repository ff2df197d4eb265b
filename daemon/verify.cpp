#include "store/verify.h"

#include <fmt/format.h>

#include "daemon/commands.h"
#include "daemon/exit_code.h"
#include "daemon/store_view.h"

namespace geotally {

int verify(const config::Inputs& inputs) {
  const config::Config config = config::load(inputs).config;
  refuse_held(config.store.data_dir);
  store::Options options;
  options.directory = config.store.data_dir;
  options.create = false;
  options.read_only = true;
  const auto store = store::Store::open(options);
  const store::Verification result = store::verify(*store);
  for (const std::string& difference : result.differences) fmt::print("{}\n", difference);
  fmt::print("{}\n", store::summary(result));
  return result.differing == 0 ? kExitOk : kExitFailure;
}

}  // namespace geotally
