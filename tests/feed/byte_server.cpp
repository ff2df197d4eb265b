#include "byte_server.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/socket.h>
#include <unistd.h>

namespace geotally::feed {
namespace {

void check(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::abort();
}

std::string accept_key(std::string key) {
  key += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, section 1.3
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
  unsigned char text[64];
  const int size = EVP_EncodeBlock(text, digest, SHA_DIGEST_LENGTH);
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
}

sockaddr_in address_of(const char* text, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  check(::inet_pton(AF_INET, text, &address.sin_addr) == 1, "inet_pton");
  return address;
}

}  // namespace

Peer::~Peer() {
  if (tls_ != nullptr) SSL_free(tls_);
  ::close(descriptor_);
}

bool Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = tls_ != nullptr
                             ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                             : ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

bool Peer::dribble(std::string_view bytes, std::size_t piece) {
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    if (!send(bytes.substr(at, piece))) return false;
  }
  return true;
}

bool Peer::read_exactly(char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = tls_ != nullptr ? SSL_read(tls_, to, static_cast<int>(size))
                                        : ::recv(descriptor_, to, size, 0);
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool Peer::read_request() {
  request_.clear();
  char c = 0;
  while (!request_.ends_with("\r\n\r\n")) {
    if (!read_exactly(&c, 1)) return false;
    request_ += c;
  }
  return true;
}

bool Peer::upgrade() { return read_request() && accept(); }

bool Peer::accept() {
  return send(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      accept_key(header_of("Sec-WebSocket-Key")) + "\r\n\r\n");
}

std::string Peer::target() const {
  const auto begin = request_.find(' ') + 1;
  return request_.substr(begin, request_.find(' ', begin) - begin);
}

std::string Peer::server_name() const {
  const char* name =
      tls_ != nullptr ? SSL_get_servername(tls_, TLSEXT_NAMETYPE_host_name) : nullptr;
  return name != nullptr ? name : "";
}

std::string Peer::header_of(std::string_view name) const {
  const auto at = request_.find("\r\n" + std::string(name) + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 4;
  return request_.substr(begin, request_.find("\r\n", begin) - begin);
}

Peer::Received Peer::receive() {
  Received frame;
  unsigned char head[2];
  if (!read_exactly(reinterpret_cast<char*>(head), 2)) return frame;
  frame.opcode = head[0] & 0x0F;
  frame.masked = (head[1] & 0x80) != 0;
  const std::size_t size = head[1] & 0x7F;  // a client of a feed sends nothing longer
  char mask[4] = {};
  if (frame.masked && !read_exactly(mask, 4)) return frame;
  frame.payload.resize(size);
  if (!read_exactly(frame.payload.data(), size)) return frame;
  for (std::size_t i = 0; i < size; ++i) {
    frame.payload[i] = static_cast<char>(frame.payload[i] ^ mask[i % 4]);
  }
  frame.ok = true;
  return frame;
}

bool Peer::wait_for_end() {
  for (Received frame = receive(); frame.ok; frame = receive()) {
    if (frame.opcode == 8) send(std::string("\x88\x02") + frame.payload.substr(0, 2));
  }
  // An end of the stream and a reset both mean that the client is gone; a timeout does not.
  return errno != EAGAIN && errno != EWOULDBLOCK;
}

void Peer::reset() {
  const linger hard{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

ByteServer::ByteServer(Script script, SSL_CTX* tls, const char* text, std::uint16_t port)
    : script_(std::move(script)), tls_(tls) {
  // OpenSSL writes without MSG_NOSIGNAL; a client that is gone is an error like any other.
  std::signal(SIGPIPE, SIG_IGN);
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  check(listener_ >= 0, "socket");
  sockaddr_in address = address_of(text, port);
  check(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  check(::listen(listener_, 16) == 0, "listen");
  socklen_t size = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

ByteServer::~ByteServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  {
    const std::lock_guard lock(mutex_);
    if (current_ >= 0) ::shutdown(current_, SHUT_RDWR);
  }
  thread_.join();
  ::close(listener_);
}

std::string ByteServer::url() const {
  return (tls_ != nullptr ? "wss://127.0.0.1:" : "ws://127.0.0.1:") + std::to_string(port_) +
         "/subscribe";
}

void ByteServer::run() {
  for (int index = 0; !stopping_; ++index) {
    const int descriptor = ::accept(listener_, nullptr, nullptr);
    if (descriptor < 0) return;
    const int one = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const timeval limit{10, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    {
      const std::lock_guard lock(mutex_);
      current_ = descriptor;
      if (stopping_) ::shutdown(descriptor, SHUT_RDWR);
    }
    ++accepted_;
    SSL* session = nullptr;
    bool ready = true;
    if (tls_ != nullptr) {
      session = SSL_new(tls_);
      SSL_set_fd(session, descriptor);
      ready = SSL_accept(session) == 1;
    }
    {
      Peer peer(descriptor, session);
      try {
        if (ready) script_(peer, index);
      } catch (const std::exception& error) {
        ADD_FAILURE() << "the server's script at connection " << index << ": " << error.what();
      }
      const std::lock_guard lock(mutex_);
      current_ = -1;
    }
  }
}

DeadAddress::DeadAddress(const char* text, std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockets_.push_back(listener);
  const sockaddr_in address = address_of(text, port);
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  check(::bind(listener, to, sizeof address) == 0, "bind");
  check(::listen(listener, 0) == 0, "listen");
  // A queue of this length holds one; what comes after it is not answered.
  for (int i = 0; i < 4; ++i) {
    sockets_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ::connect(sockets_.back(), to, sizeof address);
  }
}

DeadAddress::~DeadAddress() {
  for (const int one : sockets_) ::close(one);
}

}  // namespace geotally::feed
