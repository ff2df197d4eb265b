// POST /api/v1/forget?did=...: erases an account at once.
#pragma once

#include <string_view>
#include <vector>

#include "http/routes.h"

namespace geotally::http {

/// What the header Geotally-Action must say: a page of another origin cannot send it.
inline constexpr std::string_view kForgetAction = "forget";

/// Whether `text` can be a DID (did:METHOD:ID, at most 2,048 bytes; W3C DID Core, 3.1).
[[nodiscard]] bool is_did(std::string_view text);

/// Appends the route.
void add_forget(std::vector<Route>& routes, const Sources& sources);

}  // namespace geotally::http
