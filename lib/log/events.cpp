#include "log/events.h"

#include <array>

namespace geotally::log {
namespace {

constexpr std::array<EventInfo, kEvents> kTable{{
    {Event::kDaemonStarting, Level::kInfo, "daemon.starting", "starting",
     "f6fadfa7e5c14b629362da5cc13da58a", "The process came up: version, data_dir."},
    {Event::kDaemonReady, Level::kInfo, "daemon.ready",
     "ready: state is loaded and the feed is being followed", "2c63888f28f044817e6ddce7a7ace732",
     "From here on /readyz answers 200: duration_ms."},
    {Event::kDaemonStopping, Level::kInfo, "daemon.stopping", "stopping",
     "8a119b9e16bc47328f7b7676d015b0dc", "A signal asked us to stop: signal."},
    {Event::kDaemonStopped, Level::kInfo, "daemon.stopped",
     "stopped; everything counted is committed", "bc67ba94637d4efa609e467ada679f81",
     "The last line of an orderly end."},
    {Event::kDaemonFailed, Level::kFatal, "daemon.failed", "cannot go on",
     "fab36728a78b4b7e0787c0de2f960063",
     "The process ends with the exit code given: error, exit_code."},
    {Event::kConfigLoaded, Level::kInfo, "config.loaded", "configuration is loaded", "", "file."},
    {Event::kConfigReloaded, Level::kInfo, "config.reloaded", "configuration was reloaded",
     "a712755f6cac44d519d5269512e74f7b", "All of the new file holds: file."},
    {Event::kConfigReloadFailed, Level::kError, "config.reload_failed",
     "configuration was not reloaded, the old one stays", "ac8efe121c5949f1ba2dde83458bfed0",
     "Nothing of the new file holds: file, line, column, error."},
    {Event::kConfigRestartNeeded, Level::kWarning, "config.restart_needed",
     "a changed key needs a restart", "", "key."},
    {Event::kConfigWarning, Level::kWarning, "config.warning",
     "the configuration holds, but may not be what was meant", "", "warning."},
    {Event::kFeedConnecting, Level::kDebug, "feed.connecting", "connecting", "",
     "An attempt begins: host, address."},
    {Event::kFeedConnected, Level::kInfo, "feed.connected", "connected to the feed",
     "5796a670482c490e0d9782bfcdc83011", "host, from (live, time or sequence), value."},
    {Event::kFeedConnectFailed, Level::kWarning, "feed.connect_failed",
     "cannot connect to the feed", "0b80a25553a14945a93258ef7777682c",
     "The next attempt follows after delay_ms: host, reason, detail."},
    {Event::kFeedDisconnected, Level::kWarning, "feed.disconnected", "connection to the feed ended",
     "45ac16b9c20d4c210f8a7abff2e91ac7",
     "We resume from the cursor: host, reason, detail, delay_ms, messages."},
    {Event::kFeedCaughtUp, Level::kInfo, "feed.caught_up", "caught up with the feed", "",
     "The replay after a connect is over: host, duration_ms."},
    {Event::kFeedFailover, Level::kWarning, "feed.failover", "changing to another host of the feed",
     "dd2ee150d2844277789c1af40ce8fcc9", "from, to, reason."},
    {Event::kFeedGap, Level::kError, "feed.gap", "a stretch of the feed was missed",
     "3c3ae353fb14428e90b401a6c1cc0aff",
     "Recorded for good; windows that it touches say so: from_us, to_us, seconds, cause."},
    {Event::kFeedCursorTooOld, Level::kError, "feed.cursor_too_old",
     "the server does not go back as far as our cursor", "b9c8b9ffe46e4627d419c7723226db94",
     "A gap follows: host, floor."},
    {Event::kFeedNotice, Level::kWarning, "feed.notice", "the server sent a notice", "",
     "host, name."},
    {Event::kFeedRejected, Level::kWarning, "feed.rejected", "an event was refused", "",
     "Bad bytes from upstream; the connection is kept: reason."},
    {Event::kFeedFutureEvent, Level::kWarning, "feed.future_event",
     "an event lies in the future and is held back", "",
     "Counts once a second account confirms the time: ahead_seconds, confirmed."},
    {Event::kFeedDictionary, Level::kInfo, "feed.dictionary", "a compression dictionary is in use",
     "", "host, dictionary_id."},
    {Event::kFeedStopped, Level::kInfo, "feed.stopped", "the feed is no longer followed", "",
     "On our own wish: host."},
    {Event::kStoreOpened, Level::kInfo, "store.opened", "store is open",
     "bbeeb6361d334c6d96f0da847a2a3b87", "path, commit, accounts, duration_ms."},
    {Event::kStoreClosed, Level::kInfo, "store.closed", "store is closed", "", "path, commit."},
    {Event::kStoreRefused, Level::kFatal, "store.refused", "store cannot be used",
     "68e58909ccb24416525a56c9a30f4300",
     "Of another format, corrupt or in use; a restart does not help: path, error."},
    {Event::kStoreCommitSlow, Level::kWarning, "store.commit_slow", "a commit took long", "",
     "duration_ms, commit."},
    {Event::kStoreCommitFailed, Level::kError, "store.commit_failed",
     "a commit failed and is tried again", "ff53a46f5ead403a84c4b877678537a3",
     "Nothing is lost while the process lives; see disk space: error, commit."},
    {Event::kStoreWriteStopped, Level::kError, "store.write_stopped",
     "the store takes no more writes", "e179f773a6e043c09514b7dde2ad0478",
     "Reading the feed pauses until it does: reason."},
    {Event::kStoreBackgroundError, Level::kError, "store.background_error",
     "the store failed in the background", "0c28cec1b94742af64b936976b4b76b0", "error."},
    {Event::kStoreExpired, Level::kDebug, "store.expired", "expired rows were removed", "",
     "rows, before_us."},
    {Event::kStoreErased, Level::kInfo, "store.erased", "deleted accounts were erased", "",
     "accounts."},
    {Event::kStoreCheckpoint, Level::kInfo, "store.checkpoint",
     "a backup was asked for and takes this commit", "", "commit."},
    {Event::kStoreCheckpointFailed, Level::kError, "store.checkpoint_failed",
     "a backup was asked for, but the commit cannot be given to it", "",
     "error. The last backup stays; `geotally backup` fails and says why."},
    {Event::kTallyFenceOverflow, Level::kWarning, "tally.fence_overflow",
     "an account's fence overflowed", "",
     "More events of one account within the horizon than the fence holds: count."},
    {Event::kTallyToldOutOfOrder, Level::kWarning, "tally.told_out_of_order",
     "a server tells repositories again in another order than that of their keys", "",
     "posts: how many were refused for it so far. Written once; "
     "geotally_told_out_of_order_total goes on."},
    {Event::kTallyAccountsFull, Level::kWarning, "tally.accounts_full",
     "the accounts held in memory reached their bound", "",
     "Cold ones are read from disk: accounts."},
    {Event::kHttpListening, Level::kInfo, "http.listening", "listening",
     "a398d022d4354df48322905089933837", "address."},
    {Event::kHttpRejected, Level::kWarning, "http.rejected", "a request was refused", "",
     "reason."},
    {Event::kHttpError, Level::kError, "http.error", "the admin server failed", "", "error."},
    {Event::kHttpStopped, Level::kInfo, "http.stopped", "no longer listening", "", "address."},
    {Event::kGeoLoaded, Level::kInfo, "geo.loaded", "country data is loaded", "",
     "version, duration_ms."},
    {Event::kResolverChanged, Level::kWarning, "geo.resolver_changed",
     "the resolver changed since the store was written", "4c8b1eb44f1e4ccf4372a2a784a67245",
     "Accounts keep their country until new evidence comes: from, to."},
    {Event::kWatchdogLate, Level::kWarning, "watchdog.late", "the ingest loop was late", "",
     "late_ms."},
    {Event::kInvariantBroken, Level::kFatal, "invariant.broken",
     "an invariant of our own is broken", "ac9130f4547c47d30e3a655f20731ab2",
     "The process aborts and restarts from the last commit; please report it: what."},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].event != static_cast<Event>(i)) return false;
  }
  return true;
}
static_assert(in_order(), "the table follows the order of the enumeration");

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
    case Level::kFatal:
      return "fatal";
  }
  return "";
}

const EventInfo& info(Event event) { return kTable[static_cast<std::size_t>(event)]; }

}  // namespace geotally::log
