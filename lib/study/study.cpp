#include "study/study.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "study/charts.h"
#include "study/figures.h"
#include "study/page.h"
#include "study/wording.h"

namespace geotally::study {
namespace {

constexpr std::size_t kShort = 10;  // rows of the smaller tables and charts

/// Writes the sections of one document, each from the figures alone.
class Writer {
 public:
  Writer(const Figures& figures, const Options& options)
      : f_(figures),
        w_(options.language),
        page_(options.format, w_.of("en", "fr"),
              fmt::format(fmt::runtime(w_.of("Activity by country, {} to {}",
                                             "L’activité par pays, du {} au {}")),
                          w_.date(figures.from), w_.date(figures.to))) {}

  std::string document() {
    findings();
    accounts();
    region();
    changes();
    active();
    engagement();
    growth();
    over_time();
    methodology();
    return page_.finish();
  }

 private:
  /// fmt with a text of either language.
  template <class... Parts>
  [[nodiscard]] std::string say(std::string_view english, std::string_view french,
                                const Parts&... parts) const {
    return fmt::format(fmt::runtime(w_.french() ? french : english), parts...);
  }
  [[nodiscard]] std::string share(std::uint64_t part) const {
    if (f_.world.accounts == 0) return "–";
    return w_.percent(static_cast<double>(part) / static_cast<double>(f_.world.accounts));
  }
  [[nodiscard]] std::string percent(std::optional<double> value) const {
    return value ? w_.percent(*value) : "–";
  }
  [[nodiscard]] std::string change(std::optional<double> value) const {
    return value ? w_.change(*value) : "–";
  }
  [[nodiscard]] std::string moved(std::uint32_t before, std::uint32_t now) const {
    if (before == 0) return w_.of("new", "nouveau");
    if (before == now) return "=";
    return before > now ? fmt::format("▲ {}", before - now) : fmt::format("▼ {}", now - before);
  }
  [[nodiscard]] std::string window() const { return say("{} days", "{} jours", f_.window_days); }
  [[nodiscard]] static std::vector<Country> first(const std::vector<Country>& countries,
                                                  std::size_t count) {
    return {countries.begin(),
            countries.begin() + static_cast<std::ptrdiff_t>(std::min(count, countries.size()))};
  }
  /// The first `count`, and the country that is looked at closely.
  [[nodiscard]] std::vector<Country> first_and_focus(const std::vector<Country>& countries,
                                                     std::size_t count) const {
    std::vector<Country> out = first(countries, count);
    const bool there = std::ranges::find(countries, f_.focus) != countries.end();
    if (there && std::ranges::find(out, f_.focus) == out.end()) out.push_back(f_.focus);
    return out;
  }

  void findings() {
    page_.heading(w_.of("Findings", "L’essentiel"));
    std::vector<std::string> texts;
    texts.push_back(
        say("On {} the network had {} accounts, {} since {}; {} of them posted within {}.",
            "Au {}, le réseau compte {} comptes, {} depuis le {} ; {} d’entre eux ont "
            "publié en {}.",
            w_.date(f_.to), w_.number(f_.world.accounts), change(f_.world.growth()),
            w_.date(f_.from), percent(f_.world.active_share()), window()));
    if (f_.order.size() >= 3) {
      const Country top = f_.order[0];
      texts.push_back(say("{} {} 1st with {} accounts ({}), ahead of {} ({}) and {} ({}).",
                          "{} {} en tête avec {} comptes ({}), devant {} ({}) et {} ({}).",
                          capital(w_.the(top)), w_.verb(top, "is", "est", "sont"),
                          w_.number(f_.of(top).accounts), share(f_.of(top).accounts),
                          w_.the(f_.order[1]), share(f_.of(f_.order[1]).accounts),
                          w_.the(f_.order[2]), share(f_.of(f_.order[2]).accounts)));
    }
    for (const Overtaking& o : f_.overtakings) {
      texts.push_back(say("{0} overtook {1} on {2}: it is {3}.", "{0} {4} {1} le {2}, et {5} {3}.",
                          capital(w_.the(o.ahead)), w_.the(o.behind), w_.date(o.day),
                          w_.ordinal(f_.of(o.ahead).rank),
                          w_.verb(o.ahead, "", "a dépassé", "ont dépassé"),
                          w_.verb(o.ahead, "", "est", "sont")));
    }
    focus(texts);
    if (f_.by_active_share.size() >= 3) {
      const Country top = f_.by_active_share[0];
      const auto with_share = [&](Country country) {
        return fmt::format("{} ({})", w_.the(country), percent(f_.of(country).active_share()));
      };
      texts.push_back(
          say("{} {} by active share: {} of the accounts posted within {}, ahead of {} "
              "and {}.",
              "{} {} en part de comptes actifs : {} des comptes ont publié en {}, "
              "devant {} et {}.",
              capital(w_.the(top)), w_.verb(top, "leads", "mène", "mènent"),
              percent(f_.of(top).active_share()), window(), with_share(f_.by_active_share[1]),
              with_share(f_.by_active_share[2])));
    }
    if (f_.by_growth.size() >= 2) {
      const Country top = f_.by_growth.front();
      const Country last = f_.by_growth.back();
      texts.push_back(
          say("{} {} fastest ({}), {} slowest ({}), of the {} countries with at least "
              "{} accounts.",
              "{} {} le plus vite ({}), {} le moins ({}), parmi les {} pays d’au moins "
              "{} comptes.",
              capital(w_.the(top)), w_.verb(top, "grows", "croît", "croissent"),
              change(f_.of(top).growth()), w_.the(last), change(f_.of(last).growth()),
              f_.by_growth.size(), w_.number(f_.min_accounts)));
    }
    page_.bullets(texts);
  }

  // "France is 18th with … between Argentina and Germany; it was 16th"; "4th in Europe, after …".
  void focus(std::vector<std::string>& texts) {
    const Standing& own = f_.of(f_.focus);
    if (own.rank == 0) {
      texts.push_back(
          say("No account of {} is known.", "Aucun compte n’est connu pour {}.", w_.the(f_.focus)));
      return;
    }
    const std::string name = capital(w_.the(f_.focus));
    const std::string is = w_.verb(f_.focus, "is", "est", "sont");
    const auto here =
        static_cast<std::size_t>(std::ranges::find(f_.order, f_.focus) - f_.order.begin());
    std::string between;
    if (here > 0 && here + 1 < f_.order.size()) {
      between = say(", between {} and {}", ", entre {} et {}", w_.the(f_.order[here - 1]),
                    w_.the(f_.order[here + 1]));
    }
    std::string before;
    if (own.rank_before != 0) {
      before = say("; it was {} on {}", " et {2} {0} au {1}", w_.ordinal(own.rank_before),
                   w_.date(f_.from), w_.verb(f_.focus, "", "était", "étaient"));
    }
    texts.push_back(say("{} {} {} with {} accounts ({}){}{}.", "{} {} {} avec {} comptes ({}){}{}.",
                        name, is, w_.ordinal(own.rank), w_.number(own.accounts),
                        share(own.accounts), between, before));
    if (own.region_rank != 0 && f_.region->code != 1) {
      std::vector<std::string> ahead;
      for (const Country country : f_.region_order) {
        if (country == f_.focus || ahead.size() == 5) break;
        ahead.push_back(w_.the(country));
      }
      const bool all = ahead.size() + 1 == own.region_rank;
      texts.push_back(
          say("{} {} {} {}{}.", "{} {} {} {}{}.", name, is, w_.ordinal(own.region_rank),
              w_.in(*f_.region),
              ahead.empty() || !all ? "" : say(", after {}", ", après {}", w_.list(ahead))));
    }
    passed(texts, true);
    passed(texts, false);
  }

  // Whom the country passed (`forward`), or who passed it, between the two days.
  void passed(std::vector<std::string>& texts, bool forward) {
    const Standing& own = f_.of(f_.focus);
    std::vector<std::string> names;
    std::vector<Country> countries;
    for (const Country country : f_.order) {
      const Standing& other = f_.of(country);
      if (own.rank_before == 0 || other.rank_before == 0) continue;
      const bool was_ahead = other.rank_before < own.rank_before;
      const bool was_behind = other.rank_before > own.rank_before;
      if (forward ? was_ahead && other.rank > own.rank : was_behind && other.rank < own.rank) {
        names.push_back(w_.the(country));
        countries.push_back(country);
      }
    }
    if (names.empty()) return;
    const std::string focus = w_.the(f_.focus);
    if (forward) {
      texts.push_back(say("{} overtook {} in the period.", "{0} {2} {1} dans la période.",
                          capital(focus), w_.list(names),
                          w_.verb(f_.focus, "", "a dépassé", "ont dépassé")));
    } else {
      texts.push_back(say("{} overtook {} in the period.", "{0} {2} {1} dans la période.",
                          capital(w_.list(names)), focus,
                          names.size() > 1
                              ? w_.of("", "ont dépassé")
                              : w_.verb(countries.front(), "", "a dépassé", "ont dépassé")));
    }
  }

  [[nodiscard]] std::vector<std::string> titles() const {
    return {w_.of("Rank", "Rang"),
            w_.of("Was", "Avant"),
            w_.of("Change", "Évolution"),
            w_.of("Country", "Pays"),
            w_.of("Accounts", "Comptes"),
            w_.of("Share", "Part"),
            say("On {}", "Au {}", w_.date(f_.from)),
            w_.of("Growth", "Croissance"),
            w_.of("Active share", "Part active")};
  }
  [[nodiscard]] std::vector<std::string> row(Country country, bool in_region) const {
    const Standing& s = f_.of(country);
    const std::uint32_t rank = in_region ? s.region_rank : s.rank;
    const std::uint32_t before = in_region ? s.region_rank_before : s.rank_before;
    return {std::to_string(rank),         before == 0 ? "–" : std::to_string(before),
            moved(before, rank),          w_.name(country),
            w_.number(s.accounts),        share(s.accounts),
            w_.number(s.accounts_before), change(s.growth()),
            percent(s.active_share())};
  }

  void accounts() {
    page_.heading(w_.of("Accounts by country", "Les comptes par pays"));
    std::vector<std::vector<std::string>> rows;
    std::vector<Bar> chart;
    for (const Country country : first_and_focus(f_.order, f_.limit)) {
      rows.push_back(row(country, false));
      const Standing& s = f_.of(country);
      chart.push_back({w_.name(country), static_cast<double>(s.accounts),
                       static_cast<double>(s.accounts_before), w_.number(s.accounts),
                       country == f_.focus});
    }
    rows.push_back({"", "", "", w_.of("World, with ZZ", "Monde, avec ZZ"),
                    w_.number(f_.world.accounts), w_.percent(1),
                    w_.number(f_.world.accounts_before), change(f_.world.growth()),
                    percent(f_.world.active_share())});
    page_.table(titles(), rows, {3});
    const std::string caption = say("Accounts by country on {}; the line across a bar is {}.",
                                    "Comptes par pays au {} ; le trait sur une barre : au {}.",
                                    w_.date(f_.to), w_.date(f_.from));
    page_.chart(bars(caption, chart), caption);
  }

  void region() {
    page_.heading(say("In the region: {}", "Dans la région : {}", w_.name(*f_.region)));
    std::vector<std::vector<std::string>> rows;
    for (const Country country : first_and_focus(f_.region_order, f_.limit)) {
      rows.push_back(row(country, true));
    }
    page_.table(titles(), rows, {3});
  }

  void changes() {
    page_.heading(w_.of("Changes of rank", "Les changements de rang"));
    std::vector<Slope> rows;
    for (const Country country : first(f_.order, f_.limit)) {
      const auto before = static_cast<std::size_t>(std::ranges::find(f_.order_before, country) -
                                                   f_.order_before.begin());
      const Standing& s = f_.of(country);
      rows.push_back({w_.name(country),
                      before < f_.limit + 5 ? std::optional(before) : std::nullopt, rows.size(),
                      s.rank_before, s.rank, country == f_.focus});
    }
    const std::string caption =
        say("Ranks by accounts on {} and on {}; who moved is in colour.",
            "Rangs par comptes au {} et au {} ; en couleur, ceux qui ont bougé.", w_.date(f_.from),
            w_.date(f_.to));
    page_.chart(slopes(caption, w_.date(f_.from), w_.date(f_.to), rows), caption);
  }

  /// A chart of `countries` by a ratio, with the world for comparison.
  template <class Value>
  void ratio_chart(const std::vector<Country>& countries, const std::string& caption, bool sign,
                   Value value) {
    std::vector<Bar> chart;
    const auto add = [&](const std::string& name, const Standing& s, bool marked) {
      const std::optional<double> v = value(s);
      chart.push_back({name, v.value_or(0), std::nullopt, sign ? change(v) : percent(v), marked});
    };
    for (const Country country : first_and_focus(countries, kShort)) {
      add(w_.name(country), f_.of(country), country == f_.focus);
    }
    add(w_.of("World", "Monde"), f_.world, false);
    page_.chart(bars(caption, chart), caption);
  }

  void active() {
    page_.heading(w_.of("Active accounts", "Les comptes actifs"));
    ratio_chart(f_.by_active_share,
                say("Share of accounts that posted within {} before the end of {}; countries with "
                    "at least {} accounts.",
                    "Part des comptes qui ont publié dans les {} avant la fin du {} ; pays d’au "
                    "moins {} comptes.",
                    window(), w_.date(f_.to), w_.number(f_.min_accounts)),
                false, [](const Standing& s) { return s.active_share(); });
    if (f_.observed_since_day > f_.to - f_.window_days + 1) {
      page_.paragraph(
          say("Observation began on {}: this window reaches back before it, and the "
              "shares hold for what was seen only.",
              "L’observation a commencé le {} : cette fenêtre remonte au-delà, les "
              "parts ne valent que pour ce qui a été vu.",
              w_.date(f_.observed_since_day)));
    }
  }

  void engagement() {
    page_.heading(w_.of("Engagement", "L’engagement"));
    page_.paragraph(
        say("Engaged accounts posted on at least 8 of the last 28 days: {} of {} "
            "({}).",
            "Un compte engagé a publié au moins 8 des 28 derniers jours : {} sur {} "
            "({}).",
            w_.number(f_.world.engaged), w_.number(f_.world.accounts), share(f_.world.engaged)));
    std::vector<std::vector<std::string>> rows;
    for (const Country country : first_and_focus(f_.by_engaged, kShort)) {
      const Standing& s = f_.of(country);
      rows.push_back(
          {w_.name(country), w_.number(s.engaged),
           w_.percent(static_cast<double>(s.engaged) / static_cast<double>(s.accounts))});
    }
    page_.table({w_.of("Country", "Pays"), w_.of("Engaged accounts", "Comptes engagés"),
                 w_.of("Of its accounts", "De ses comptes")},
                rows, {0});
  }

  void growth() {
    page_.heading(w_.of("Growth", "La croissance"));
    ratio_chart(f_.by_growth,
                say("Growth of accounts from {} to {}; countries with at least {} accounts.",
                    "Croissance des comptes du {} au {} ; pays d’au moins {} comptes.",
                    w_.date(f_.from), w_.date(f_.to), w_.number(f_.min_accounts)),
                true, [](const Standing& s) { return s.growth(); });
  }

  void over_time() {
    if (f_.days.size() < 2) return;
    page_.heading(w_.of("The network over time", "Le réseau dans le temps"));
    std::vector<std::int32_t> days;
    Line accounts{w_.of("accounts", "comptes"), {}, false};
    Line active{say("active, {}", "actifs, {}", window()), {}, true};
    double most = 1;
    for (const DayTotals& day : f_.days) {
      days.push_back(day.day);
      accounts.values.push_back(static_cast<double>(day.accounts));
      active.values.push_back(static_cast<double>(day.active));
      most = std::max(most, accounts.values.back());
    }
    // Three to six steps of 1, 2 or 5 times a power of ten.
    double step = std::pow(10, std::floor(std::log10(most)));
    if (most / step < 3) step /= most / step < 1.5 ? 5 : 2;
    if (most / step > 6) step *= 2;
    step = std::max(step, 1.0);
    std::vector<Tick> ticks;
    for (double value = 0; ticks.empty() || ticks.back().value < most; value += step) {
      ticks.push_back({value, w_.number(static_cast<std::uint64_t>(value))});
    }
    const std::string caption = w_.of("Accounts and active accounts, at the end of each day (UTC).",
                                      "Comptes et comptes actifs, à la fin de chaque jour (UTC).");
    page_.chart(lines(caption, days, w_.date(days.front()), w_.date(days.back()),
                      {accounts, active}, ticks),
                caption);
  }

  void methodology() {
    page_.heading(w_.of("Methodology", "Méthodologie"));
    page_.paragraph(w_.of(
        "Every public post of the feed is read as it appears, and counted once. An account is "
        "known from its first post, profile, address, identity or return; accounts that were "
        "deleted, suspended or deactivated are not counted. Figures are those of the end of a "
        "day, UTC. Equal countries share a rank; growth is the figure at the end over that at the "
        "start.",
        "Chaque message public du flux est lu à sa parution et compté une seule fois. Un compte "
        "est connu dès son premier message, profil, adresse, identité ou retour ; les comptes "
        "supprimés, suspendus ou désactivés ne sont pas comptés. Les chiffres sont ceux de la fin "
        "du jour, UTC. À égalité, les pays partagent un rang ; la croissance est le chiffre de fin "
        "rapporté à celui de début."));
    const Standing& unknown = f_.of(kUnknownCountry);
    page_.paragraph(
        say("Accounts whose country is not certain enough count as ZZ: {} ({}). They "
            "are part of totals and of shares, and are not ranked.",
            "Les comptes dont le pays n’est pas assez sûr comptent comme ZZ : {} ({}). "
            "Ils entrent dans les totaux et les parts, mais ne sont pas classés.",
            w_.number(unknown.accounts), share(unknown.accounts)));
    page_.paragraph(
        say("Observed since {}; {} of the period was observed; {} gaps in all; commit "
            "{} of {}.",
            "Observé depuis le {} ; {} de la période a été observé ; {} lacunes en "
            "tout ; commit {} du {}.",
            w_.date(f_.observed_since_day), w_.percent(f_.covered), f_.gaps, f_.commit,
            f_.committed_at));
    if (f_.commit_last != f_.commit) {
      page_.paragraph(say(
          "The daemon committed while it was asked: figures of the present, certainty "
          "among them, are of commits {} to {}, and need not fit each other exactly.",
          "Le service a enregistré pendant qu’il était interrogé : les chiffres du présent, dont "
          "la certitude, sont de plusieurs commits, de {} à {}, et peuvent ne pas s’accorder "
          "exactement.",
          f_.commit, f_.commit_last));
    }
    std::vector<std::vector<std::string>> evidence;
    for (std::size_t i = 0; i < kEvidenceKinds; ++i) {
      if (f_.evidence[i] <= 0) continue;
      evidence.push_back({w_.evidence(static_cast<EvidenceKind>(i)), w_.percent(f_.evidence[i])});
    }
    page_.table({w_.of("The country rests on", "Le pays repose sur"), w_.of("Accounts", "Comptes")},
                evidence, {0});
    std::vector<std::vector<std::string>> rows;
    for (const Certainty& certainty : f_.certainty) {
      rows.push_back({w_.name(certainty.country), w_.percent(certainty.confidence),
                      w_.evidence(certainty.strongest), w_.percent(certainty.strongest_share)});
    }
    page_.paragraph(
        w_.of("Certainty: how likely it is in the mean that an account is of its "
              "country, today.",
              "Certitude : probabilité moyenne qu’un compte soit bien de son pays, "
              "aujourd’hui."));
    page_.table({w_.of("Country", "Pays"), w_.of("Certainty", "Certitude"),
                 w_.of("Most rest on", "La plupart reposent sur"), w_.of("Share", "Part")},
                rows, {0, 2});
  }

  const Figures& f_;
  const Wording w_;
  Page page_;
};

}  // namespace

Study write(const http::Ask& ask, const Options& options) {
  auto [figures, failure] = gather(ask, options);
  if (!figures) return {failure.code, failure.error, ""};
  return {200, "", Writer(*figures, options).document()};
}

}  // namespace geotally::study
