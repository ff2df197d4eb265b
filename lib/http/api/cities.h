// cities?by=…: which cities the accounts are in, as far as their profiles name one.
#pragma once

#include "http/api/answers.h"
#include "tally/snapshot.h"

namespace geotally::http {

[[nodiscard]] Reply ask_cities(const Sources& sources, const tally::Snapshot& snapshot,
                               const Parameters& parameters);

}  // namespace geotally::http
