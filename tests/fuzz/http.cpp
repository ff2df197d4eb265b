// Whatever a client may put into a request: the target, then a space, then the value of a header.
// Every route answers, the API included.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "http/access.h"
#include "http/encoding.h"
#include "http/message.h"
#include "http/negotiation.h"
#include "http/routes.h"
#include "tally/windows.h"
#include "target.h"

namespace {

namespace http = geotally::http;

std::shared_ptr<const geotally::tally::Snapshot> snapshot() {
  static const auto shown = [] {
    auto made = std::make_shared<geotally::tally::Snapshot>();
    made->commit = 1;
    made->windows = geotally::tally::default_windows();
    made->window_coverage_us.assign(made->windows.size(), 0);
    made->countries.resize(geotally::Country::count());
    return made;
  }();
  return shown;
}

http::Sources sources() {
  http::Sources sources;
  sources.snapshot = snapshot;
  sources.metrics_page = [] { return std::string("# nothing\n"); };
  sources.status = [] { return http::Status(); };
  sources.now_us = [] { return std::int64_t{1'760'000'000'000'000}; };
  return sources;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<http::Route> routes = http::make_routes(sources());
  static const http::Access access("127.0.0.1", {"status.example.org"}, {});
  geotally::fuzz::Input input(data, size);
  const std::string_view target_text = input.until(' ');
  const std::string_view header = input.rest();
  (void)http::accepts_gzip(header);
  (void)http::prefers_csv(header);
  (void)http::names_etag(header, "\"1\"");
  (void)access.host_allowed(header, "127.0.0.1");

  const auto target = http::parse_target(target_text);
  if (!target) return 0;
  geotally::fuzz::require(target->query.size() <= http::kParametersMax);
  http::Request request;
  request.path = target->path;
  request.query = target->query;
  request.accept = request.accept_encoding = request.if_none_match = header;
  if (const http::Route* route = http::find_route(routes, target->path)) {
    const http::Response response = route->answer(request);
    geotally::fuzz::require(response.code >= 200 && response.code < 600);
  }
  return 0;
}
