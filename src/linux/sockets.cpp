#include "linux/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "linux/folder_stream.h"
#include "linux/path.h"

namespace podium::kernel {
namespace {

// Some hundred bytes a socket.
constexpr size_t kMaxTable = size_t{16} << 20;
// include/net/tcp_states.h: TCP_LISTEN, and TCP_CLOSE, which is how an unconnected UDP socket
// shows.
constexpr std::string_view kListening = "0A";
constexpr std::string_view kUnconnected = "07";

std::string ProcPath(pid_t pid, std::string_view rest) {
  std::string path = "/proc/" + std::to_string(pid);
  path += rest;
  return path;
}

template <class T>
std::optional<T> Number(std::string_view text, int base) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The words of a line: sl, local address, remote address, state, queues, timer, retransmissions,
// user, timeout, inode.
constexpr size_t kLocal = 1;
constexpr size_t kState = 3;
constexpr size_t kInode = 9;

std::optional<BoundSocket> ParseLine(std::string_view line, bool udp) {
  std::array<std::string_view, kInode + 1> words;
  size_t count = 0;
  while (count < words.size()) {
    const size_t begin = line.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    line.remove_prefix(begin);
    words[count++] = line.substr(0, line.find(' '));
    line.remove_prefix(words[count - 1].size());
  }
  if (words[kState] != (udp ? kUnconnected : kListening)) return std::nullopt;
  const std::string_view local = words[kLocal];
  const size_t colon = local.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = Number<uint16_t>(local.substr(colon + 1), 16);
  const auto inode = Number<uint64_t>(words[kInode], 10);
  if (!port || !inode || *inode == 0) return std::nullopt;
  return BoundSocket{.udp = udp, .port = *port, .inode = *inode};
}

}  // namespace

std::vector<BoundSocket> ParseBoundSockets(const std::string& text, bool udp) {
  std::vector<BoundSocket> sockets;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    if (const auto socket = ParseLine(rest.substr(0, end), udp)) sockets.push_back(*socket);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return sockets;
}

Result<std::vector<BoundSocket>> ReadBoundSockets(pid_t pid) {
  std::vector<BoundSocket> sockets;
  for (const auto& [table, udp] : {std::pair("/net/tcp", false), std::pair("/net/tcp6", false),
                                   std::pair("/net/udp", true), std::pair("/net/udp6", true)}) {
    auto text = ReadFile(AT_FDCWD, ProcPath(pid, table), kMaxTable);
    // A kernel without IPv6 has no tables of it.
    const bool v6 = std::string_view(table).ends_with('6');
    if (!text.ok() && v6 && text.error().code() == Code::kNotFound) continue;
    if (!text.ok()) return std::move(text).error();
    for (const BoundSocket& socket : ParseBoundSockets(*text, udp)) sockets.push_back(socket);
  }
  return sockets;
}

Result<std::vector<uint64_t>> OpenSockets(pid_t pid) {
  constexpr std::string_view kPrefix = "socket:[";
  const std::string path = ProcPath(pid, "/fd");
  TRY(const UniqueFd folder, OpenPath(path, O_RDONLY | O_DIRECTORY));
  TRY(FolderStream stream, FolderStream::Open(folder.get(), path));
  std::vector<uint64_t> inodes;
  std::array<char, 64> target{};
  int error = 0;  // of a process that ends meanwhile: it has no more
  while (const dirent* entry = stream.Next(&error)) {
    const ssize_t size = readlinkat(stream.fd(), entry->d_name, target.data(), target.size());
    std::string_view text(target.data(), size < 0 ? 0 : static_cast<size_t>(size));
    if (!text.starts_with(kPrefix) || !text.ends_with(']')) continue;
    text.remove_prefix(kPrefix.size());
    text.remove_suffix(1);
    if (const auto inode = Number<uint64_t>(text, 10)) inodes.push_back(*inode);
  }
  return inodes;
}

Result<std::string> ProcessName(pid_t pid) {
  TRY(std::string name, ReadFile(AT_FDCWD, ProcPath(pid, "/comm"), 64));
  while (name.ends_with('\n')) name.pop_back();
  return name;
}

}  // namespace podium::kernel
