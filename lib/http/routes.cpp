#include "http/routes.h"

#include "http/api/api.h"
#include "http/forget.h"
#include "http/pages.h"

namespace geotally::http {

std::vector<Route> make_routes(const Sources& sources) {
  std::vector<Route> routes;
  add_pages(routes, sources);
  add_api(routes, sources);
  add_forget(routes, sources);
  return routes;
}

const Route* find_route(const std::vector<Route>& routes, std::string_view path) {
  const Route* best = nullptr;
  for (const Route& route : routes) {
    if (route.path == path) return &route;
    const bool prefix = route.path.size() > 1 && route.path.ends_with('/');
    if (prefix && path.starts_with(route.path) &&
        (best == nullptr || route.path.size() > best->path.size())) {
      best = &route;
    }
  }
  return best;
}

}  // namespace geotally::http
