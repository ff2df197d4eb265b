#include "http/forget.h"

#include <algorithm>
#include <string>
#include <utility>

#include "http/api/api.h"

namespace geotally::http {
namespace {

constexpr std::size_t kDidBytesMax = 2'048;

Response json(unsigned code, std::string body) {
  Response response = Response::text(code, std::move(body));
  response.content_type = "application/json; charset=utf-8";
  return response;
}

Response error(unsigned code, std::string text) {
  return json(code, envelope({code, std::move(text), nullptr}));
}

}  // namespace

bool is_did(std::string_view text) {
  if (text.size() > kDidBytesMax || !text.starts_with("did:")) return false;
  text.remove_prefix(4);
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == text.size()) return false;
  const auto lower = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return std::ranges::all_of(text.substr(0, colon), lower) &&
         std::ranges::all_of(text.substr(colon), [&](char c) {
           return lower(c) || (c >= 'A' && c <= 'Z') ||
                  std::string_view("._:%-").find(c) != std::string_view::npos;
         });
}

void add_forget(std::vector<Route>& routes, const Sources& sources) {
  if (!sources.forget) return;
  Route route;
  route.path = "/api/v1/forget";
  route.handler = metrics::Handler::kApiForget;
  route.post = [forget = sources.forget, snapshot = sources.snapshot](const Request& request,
                                                                      const Later& later) {
    if (request.action != kForgetAction) {
      return later(error(400, "the header Geotally-Action: forget is needed"));
    }
    const auto did = request.parameter("did");
    if (!did || !is_did(*did)) {
      return later(error(400, "did must be a DID, such as did:plc:abcdefghijklmnopqrstuvwx"));
    }
    if (snapshot() == nullptr) return later(error(503, "the state is not loaded yet"));
    forget(std::string(*did), [later](std::uint64_t commit) {
      if (commit == 0) return later(error(503, "too much is being forgotten; ask again"));
      later(json(
          200, "{\"status\":\"success\",\"data\":{\"commit\":" + std::to_string(commit) + "}}\n"));
    });
  };
  routes.push_back(std::move(route));
}

}  // namespace geotally::http
