#include "daemon/app.h"
#include "daemon/commands.h"

namespace geotally {

int run(const config::Inputs& inputs) {
  App app(inputs);
  return app.run();
}

}  // namespace geotally
