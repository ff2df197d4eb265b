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

/// The reverse, for who asked `question` over HTTP and got `code` with `body`; a body that is no
/// envelope gives code 502.
[[nodiscard]] Reply parse_envelope(std::string_view question, unsigned code, std::string_view body);

}  // namespace geotally::http
