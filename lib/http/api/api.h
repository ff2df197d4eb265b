// /api/v1 over HTTP: Prometheus' envelope, JSON or CSV.
#pragma once

#include <vector>

#include "http/api/answers.h"
#include "http/routes.h"

namespace geotally::http {

/// Appends their routes.
void add_api(std::vector<Route>& routes, const Sources& sources);

/// {"status":"success","data":…} or {"status":"error","errorType":…,"error":…}, with a newline.
[[nodiscard]] std::string envelope(const Reply& reply);

}  // namespace geotally::http
