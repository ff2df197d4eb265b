// How good the resolver is on accounts whose country is known.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "daemon/account_line.h"

namespace geotally {

/// One account with a known country and what was said of it.
struct Judged {
  Country truth;
  Country answer;         ///< whatever the confidence; ZZ = no evidence at all
  double confidence = 0;  ///< 0 to 1
};

struct Figures {
  std::size_t accounts = 0;
  double coverage = 0;      ///< answered / all
  double accuracy = 0;      ///< right / answered
  double correct = 0;       ///< right / all
  double country_mean = 0;  ///< right / all, the mean over the countries of the truth
  double calibration = 0;   ///< expected calibration error, 10 bins, of all answers
};
/// Answers below `threshold` count as none.
[[nodiscard]] Figures figures(std::span<const Judged> judged, double threshold);

/// What an answer rests on, in words; "several kinds" where several agree.
[[nodiscard]] std::string words_of(geo::Ground ground);

/// Reads FILE of JSON lines with `country` (accounts) or `countries` (places as written; empty:
/// no place, so that silence is right) and prints the report. Returns the exit code.
int run_evaluate(const std::string& file, const geo::Resolver::Options& options);

}  // namespace geotally
