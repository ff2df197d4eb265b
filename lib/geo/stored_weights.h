// What the pieces of a profile count when they are stored. An evidence state holds a profile's
// countries with their strengths (proto/store.md, "Evidence state"), so that these are part of the
// store's format: another value would make the same profile leave other bytes. What is fitted
// (weights.inc) counts from there on, when a state is resolved.
#pragma once

namespace geotally::geo {

/// Exponent of the prior.
inline constexpr float kPriorExponent = 1.025F;
/// Shift of the log-odds that a name is a place: in a field for places, in name and description.
inline constexpr float kStoredLocation = 0.300F;
inline constexpr float kStoredDescription = 0.150F;
/// How often a lone flag is right, and what several share.
inline constexpr float kStoredFlag = 0.928F;
inline constexpr float kStoredFlags = 0.600F;
/// How often a website's domain is right, and the region in a profile's language.
inline constexpr float kStoredWebsite = 0.500F;
inline constexpr float kStoredProfileRegion = 0.850F;
/// Nats for words of a country's way to write its language: times log(1 + words).
inline constexpr float kStoredHint = 1.425F;

/// Log of a language's share in a country over its share elsewhere, from which on words of the
/// country's way to write it count; and the share of English elsewhere.
inline constexpr float kStoredSpoken = 1.0F;
inline constexpr double kStoredEnglishAnywhere = 0.12;

}  // namespace geotally::geo
