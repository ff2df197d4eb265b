// rankings?by=…: who is first. Its rules are DEFINITIONS' and README's.
#pragma once

#include "http/api/answers.h"
#include "tally/snapshot.h"

namespace geotally::http {

[[nodiscard]] Reply ask_rankings(const Sources& sources, const tally::Snapshot& snapshot,
                                 const Parameters& parameters);

}  // namespace geotally::http
