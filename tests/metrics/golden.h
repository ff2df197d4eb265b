// Whole pages compared with files, and held to Prometheus' own linter.
#pragma once

#include <string>

namespace geotally::metrics {

/// Fails the test where `page` differs from golden/NAME, byte by byte. With
/// GEOTALLY_WRITE_GOLDEN in the environment it writes the file instead; look at the diff.
void expect_golden(const std::string& name, const std::string& page);

/// Fails the test unless `promtool check metrics` takes `page` in silence.
void expect_lint_silent(const std::string& page);

}  // namespace geotally::metrics
