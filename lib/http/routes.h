// Which path is answered by which function. Functions are plain: a request in, an
// answer out; HTTP itself is server.cpp's.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "http/sources.h"
#include "metrics/metrics.h"

namespace geotally::http {

/// Gives the answer when there is one; once, on any thread, while the server lives.
using Later = std::function<void(Response)>;

struct Route {
  /// A path that ends in '/' (and is longer) also stands for whatever begins with it.
  std::string path;
  metrics::Handler handler{};
  bool open = false;                               ///< asks for no token
  std::function<Response(const Request&)> answer;  ///< of GET and HEAD; not set = POST only
  /// Of POST; answers later, and must not block. Not set = GET and HEAD only.
  std::function<void(const Request&, Later)> post = {};
  /// A new commit is shown: what will be asked for can be made before it is. Not set = nothing.
  std::function<void()> on_commit = {};
};

/// Every route of the admin server. Used by one thread; `sources` is copied.
[[nodiscard]] std::vector<Route> make_routes(const Sources& sources);

/// nullptr = no such path. The longest match wins.
[[nodiscard]] const Route* find_route(const std::vector<Route>& routes, std::string_view path);

}  // namespace geotally::http
