#include "feed/dialer.h"

#include <algorithm>
#include <list>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace geotally::feed {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

}  // namespace

std::vector<asio::ip::tcp::endpoint> interleaved(
    const std::vector<asio::ip::tcp::endpoint>& addresses) {
  std::vector<asio::ip::tcp::endpoint> ours;
  std::vector<asio::ip::tcp::endpoint> others;
  for (const auto& address : addresses) {
    (address.protocol() == addresses.front().protocol() ? ours : others).push_back(address);
  }
  std::vector<asio::ip::tcp::endpoint> turns;
  for (std::size_t i = 0; i < std::max(ours.size(), others.size()); ++i) {
    if (i < ours.size()) turns.push_back(ours[i]);
    if (i < others.size()) turns.push_back(others[i]);
  }
  return turns;
}

struct Dialer::Race : std::enable_shared_from_this<Race> {
  explicit Race(asio::io_context& context) : io(context), changed(context) {}

  void begin(const Endpoint& address) {
    attempts.emplace_back(io.get_executor());
    ++pending;
    Socket& socket = attempts.back();
    socket.async_connect(address, [self = shared_from_this(), &socket, address](error_code failed) {
      self->end(socket, address, failed);
    });
  }

  // An attempt ended. The first that accepted is the winner; dial() sees to the rest.
  void end(Socket& socket, const Endpoint& address, error_code failed) {
    --pending;
    if (over) return;
    if (!failed) {
      over = true;
      result.socket.emplace(std::move(socket));
      result.address = address;
    } else {
      result.failed.push_back(address);
      result.error = failed;
    }
    changed.cancel();
  }

  void close_all() {
    over = true;
    error_code ignored;
    for (Socket& socket : attempts) socket.close(ignored);
  }

  asio::io_context& io;
  asio::steady_timer changed;  // cancelled when an attempt ends
  std::list<Socket> attempts;  // a list: handlers refer to its members
  std::size_t pending = 0;
  bool over = false;
  Result result;
};

Dialer::Dialer(asio::io_context& io) : race_(std::make_shared<Race>(io)) {}

Dialer::~Dialer() { cancel(); }

void Dialer::cancel() {
  if (std::exchange(race_->over, true)) return;
  race_->result.error = asio::error::operation_aborted;
  race_->changed.cancel();
  race_->close_all();
}

asio::awaitable<Dialer::Result> Dialer::dial(const std::vector<Endpoint>& addresses,
                                             const Options& options) {
  const std::shared_ptr<Race> race = race_;
  std::size_t next = 0;
  bool its_turn = true;  // of the next address
  while (!race->over && (next < addresses.size() || race->pending > 0)) {
    if (next < addresses.size() && (its_turn || race->pending == 0)) {
      const Endpoint& address = addresses[next++];
      if (options.on_attempt) options.on_attempt(address);
      race->begin(address);
    }
    if (next < addresses.size()) {
      race->changed.expires_after(options.attempt_delay);
    } else {
      race->changed.expires_at(asio::steady_timer::time_point::max());
    }
    const std::size_t failed_before = race->result.failed.size();
    auto [cancelled] = co_await race->changed.async_wait(kToken);
    its_turn = !cancelled || race->result.failed.size() > failed_before;
  }
  race->close_all();
  co_return std::move(race->result);
}

}  // namespace geotally::feed
