#include <fmt/format.h>

#include "daemon/commands.h"
#include "daemon/exit_code.h"
#include "daemon/http_client.h"

namespace geotally {

int healthcheck(const config::Inputs& inputs) {
  const config::Endpoint server = config::load(inputs).config.http.listen;
  try {
    const HttpReply reply = http_get(server, "/readyz");
    fmt::print("{}\n", reply.body.substr(0, reply.body.find('\n')));
    return reply.code == 200 ? kExitOk : kExitFailure;
  } catch (const NoAnswer& error) {
    fmt::print(stderr, "geotally: {}\n", error.what());
    return kExitFailure;
  }
}

}  // namespace geotally
