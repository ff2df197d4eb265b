// /healthz, /readyz, the two metrics pages, and the index.
#pragma once

#include <vector>

#include "http/routes.h"

namespace geotally::http {

/// Appends their routes. The country page and its compressed form are made once a commit: as soon
/// as it is shown if they were asked for since the one before, or else when they are.
void add_pages(std::vector<Route>& routes, const Sources& sources);

}  // namespace geotally::http
