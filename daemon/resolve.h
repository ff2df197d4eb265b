// `geotally resolve`: accounts in, countries out, one JSON line each.
#pragma once

#include <cstdio>
#include <istream>

#include "geo/resolver.h"

namespace geotally {

/// Reads JSON lines (see AccountLine) from `in`, writes one answer a line to `out`:
/// country ("ZZ" below the threshold), confidence, evidence, city, alternatives, and with
/// `explain` every piece of evidence with its weight in words. A line that is no JSON object
/// gets an answer with `error`. Returns the exit code.
int run_resolve(std::istream& in, std::FILE* out, const geo::Resolver::Options& options,
                bool explain);

}  // namespace geotally
