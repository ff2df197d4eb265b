// `geotally study`: accounts, ranks, activity and growth between two days, as one self-contained
// document. Its model are the studies that Semiocast published in 2012. Every sentence is made
// from the figures.
#pragma once

#include <string>

#include "country/country.h"
#include "http/api/answers.h"

namespace geotally::study {

enum class Format { kMarkdown, kHtml };
enum class Language { kEnglish, kFrench };

struct Options {
  Format format = Format::kMarkdown;
  Language language = Language::kEnglish;
  std::string from = {};          ///< YYYY-MM-DD: the figures at the end of that day
  std::string to = {};            ///< the same; empty = the newest day that is over
  std::string country = "FR";     ///< the one that is looked at closely
  std::string region = {};        ///< UN M49; empty = the country's macro region
  std::string window = "90d";     ///< in which an account must have posted to be active
  std::string limit = "20";       ///< rows of the table
  std::string min_accounts = {};  ///< for shares and growth; empty = by the size of the network
};

struct Study {
  unsigned code = 200;  ///< as http::Reply::code; 400: `error` says what is allowed
  std::string error;
  std::string document;
};

/// Asks for what it needs: some thirty questions, until all answers are of one commit. Where they
/// never are, the document says so. Throws what `ask` throws.
[[nodiscard]] Study write(const http::Ask& ask, const Options& options);

}  // namespace geotally::study
