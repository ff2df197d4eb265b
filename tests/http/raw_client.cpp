#include "raw_client.h"

#include <array>
#include <sstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <zlib.h>

namespace geotally::http {

RawClient::RawClient(std::uint16_t port, int receive_buffer_bytes, const char* text) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{30, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (receive_buffer_bytes > 0) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                 sizeof receive_buffer_bytes);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, text, &address.sin_addr);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect");
  }
}

RawClient::~RawClient() { ::close(socket_); }

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::shut_down_sending() { ::shutdown(socket_, SHUT_WR); }

bool RawClient::fill() {
  std::array<char, 65'536> chunk{};
  const ssize_t size = ::recv(socket_, chunk.data(), chunk.size(), 0);
  if (size <= 0) return false;
  received_.append(chunk.data(), static_cast<std::size_t>(size));
  return true;
}

Answer RawClient::receive(bool head) {
  Answer answer;
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return answer;
  }
  std::istringstream lines(received_.substr(0, end));
  std::string line;
  std::getline(lines, line);
  answer.code = std::stoi(line.substr(line.find(' ') + 1));
  while (std::getline(lines, line)) {
    if (line.ends_with('\r')) line.pop_back();
    std::string name = line.substr(0, line.find(':'));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    answer.headers[name] = line.substr(line.find(':') + 2);
  }
  received_.erase(0, end + 4);
  const auto length = answer.headers.find("content-length");
  const std::size_t size = head || length == answer.headers.end() ? 0 : std::stoul(length->second);
  while (received_.size() < size) {
    if (!fill()) break;
  }
  answer.body = received_.substr(0, size);
  received_.erase(0, size);
  return answer;
}

bool RawClient::closed_by_server() {
  std::array<char, 65'536> chunk{};
  ssize_t size = 0;
  while ((size = ::recv(socket_, chunk.data(), chunk.size(), 0)) > 0) {
  }
  // A reset is a way of closing; running out of patience is none.
  return size == 0 || errno == ECONNRESET;
}

Answer get(std::uint16_t port, std::string_view target, std::string_view more_headers) {
  RawClient client(port);
  client.send("GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" +
              std::string(more_headers) + "\r\n");
  return client.receive();
}

std::string gunzip(const std::string& member) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return "";
  std::string input = member;
  std::string out;
  std::array<char, 65'536> chunk{};
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(chunk.data(), chunk.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  return result == Z_STREAM_END ? out : "";
}

}  // namespace geotally::http
