// What the resolver costs on the hot path: a new account with a full profile, a post that says
// nothing new, a resolution. Hostile descriptions show that the work is bounded.
// The profiles are made up.
#include <array>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "geo/resolver.h"

namespace geotally::geo {
namespace {

const Resolver& resolver() {
  static const Resolver instance{Resolver::Options{}};
  return instance;
}

void new_account_full_profile(benchmark::State& bench) {
  const std::string description =
      "Bibliothekarin, Mutter, Radfahrerin. Ich schreibe über Bücher, Brot und das Wetter. Früher "
      "in "
      "Leipzig, heute in Innsbruck, Österreich. Meinungen sind meine eigenen. Berge > Meer. "
      "Mitglied im Alpenverein, Fan von Tee und langen Sätzen.";
  for (auto _ : bench) {
    EvidenceState state;
    Evidence profile;
    profile.profile = true;
    profile.display_name = "Anna aus den Bergen 🇦🇹";
    profile.description = description;
    profile.location = "Innsbruck, Tirol";
    profile.website = "https://example.at";
    profile.handle = "anna.example.at";
    profile.time_zone = "Vienna";
    (void)resolver().weigh(state, profile);
    benchmark::DoNotOptimize(resolver().resolve(state));
  }
}
BENCHMARK(new_account_full_profile);

void profile_with_everything_and_a_text(benchmark::State& bench) {
  const std::string text =
      "Heute früh lag Schnee auf den Dächern, und die Straßenbahn kam trotzdem pünktlich. Manchmal "
      "geschehen noch Wunder.";
  for (auto _ : bench) {
    EvidenceState state;
    Evidence both;
    both.profile = true;
    both.description = "Based in Graz. Coffee, trains and quiet evenings.";
    both.post = true;
    both.text = text;
    (void)resolver().weigh(state, both);
    benchmark::DoNotOptimize(resolver().resolve(state));
  }
}
BENCHMARK(profile_with_everything_and_a_text);

// `languages` must outlive it.
Evidence post_in(std::span<const LanguageTag> languages) {
  Evidence post;
  post.post = true;
  post.languages = languages;
  post.utc_hour = 12;
  return post;
}

void post_that_says_nothing_new(benchmark::State& bench, const char* tag) {
  const std::array languages = {*LanguageTag::parse(tag)};
  const Evidence post = post_in(languages);
  EvidenceState state;
  for (int i = 0; i < 100; ++i) (void)resolver().weigh(state, post);
  for (auto _ : bench) benchmark::DoNotOptimize(resolver().weigh(state, post));
}
BENCHMARK_CAPTURE(post_that_says_nothing_new, language, "de");
BENCHMARK_CAPTURE(post_that_says_nothing_new, region, "de-AT");

void post_in_another_hour(benchmark::State& bench) {
  const std::array languages = {*LanguageTag::parse("de")};
  Evidence post = post_in(languages);
  EvidenceState state;
  for (auto _ : bench) {
    post.utc_hour = static_cast<std::uint8_t>((post.utc_hour + 1) % 24);
    benchmark::DoNotOptimize(resolver().weigh(state, post));
  }
}
BENCHMARK(post_in_another_hour);

void resolution(benchmark::State& bench, const std::vector<const char*>& tags) {
  std::vector<LanguageTag> languages;
  for (const char* tag : tags) languages.push_back(*LanguageTag::parse(tag));
  EvidenceState state;
  (void)resolver().weigh(state, post_in(languages));
  for (auto _ : bench) benchmark::DoNotOptimize(resolver().resolve(state));
}
BENCHMARK_CAPTURE(resolution, two_languages, std::vector<const char*>{"de", "en"});
BENCHMARK_CAPTURE(resolution, region, std::vector<const char*>{"de-AT"});

void hostile_description(benchmark::State& bench) {
  const std::array<std::string, 3> units = {"New San ", "東京都", "St. Los "};
  std::string text;
  while (text.size() < 65'536) text += units.at(static_cast<std::size_t>(bench.range(0)));
  for (auto _ : bench) {
    EvidenceState state;
    Evidence profile;
    profile.profile = true;
    profile.description = profile.location = profile.display_name = text;
    (void)resolver().weigh(state, profile);
    benchmark::DoNotOptimize(state);
  }
}
BENCHMARK(hostile_description)->Arg(0)->Arg(1)->Arg(2);

}  // namespace
}  // namespace geotally::geo
