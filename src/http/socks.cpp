#include "http/socks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <iterator>
#include <span>

namespace podium::http {
namespace {

constexpr char kVersion = 5;
enum Method : char { kNone = 0, kPassword = 2 };
enum AddressType : char { kIpv4 = 1, kName = 3, kIpv6 = 4 };

Result<void> ReadExactly(Stream& stream, std::span<char> buffer) {
  while (!buffer.empty()) {
    TRY(const size_t size, stream.Read(buffer));
    if (size == 0) return Error(Code::kUnavailable, "unexpected EOF");
    buffer = buffer.subspan(size);
  }
  return {};
}

Result<void> AppendText(std::string_view text, std::string* out) {
  if (text.size() > 255) return Error(Code::kInvalidArgument, "too long for SOCKS");
  *out += static_cast<char>(text.size());
  out->append(text);
  return {};
}

Result<void> SignIn(const Url& proxy, Stream& stream) {
  const std::string_view info = proxy.user_info;
  const size_t colon = std::min(info.find(':'), info.size());
  TRY(const std::string user, PercentDecode(info.substr(0, colon)));
  TRY(const std::string password, PercentDecode(info.substr(std::min(colon + 1, info.size()))));
  std::string request = "\x01";
  TRY_VOID(AppendText(user, &request));
  TRY_VOID(AppendText(password, &request));
  TRY_VOID(stream.Write(request));
  char answer[2];
  TRY_VOID(ReadExactly(stream, answer));
  if (answer[1] != 0) return Error(Code::kUnauthenticated, "the user was refused");
  return {};
}

std::string_view ReplyText(char code) {
  static constexpr std::string_view kTexts[] = {"succeeded",
                                                "general SOCKS server failure",
                                                "connection not allowed by ruleset",
                                                "network unreachable",
                                                "host unreachable",
                                                "connection refused",
                                                "TTL expired",
                                                "command not supported",
                                                "address type not supported"};
  const auto index = static_cast<unsigned char>(code);
  return index < std::size(kTexts) ? kTexts[index] : "unknown error";
}

Result<std::string> ConnectRequest(const std::string& host, uint16_t port) {
  std::string request = {kVersion, 1, 0};
  char address[sizeof(in6_addr)];
  if (inet_pton(AF_INET, host.c_str(), address) == 1) {
    request.push_back(static_cast<char>(kIpv4));
    request.append(address, sizeof(in_addr));
  } else if (inet_pton(AF_INET6, host.c_str(), address) == 1) {
    request.push_back(static_cast<char>(kIpv6));
    request.append(address, sizeof(in6_addr));
  } else {
    request.push_back(static_cast<char>(kName));
    TRY_VOID(AppendText(host, &request));
  }
  request += static_cast<char>(port >> 8);
  request += static_cast<char>(port & 0xFF);
  return request;
}

// The address that the proxy connects from, which is of no use here.
Result<void> SkipAddress(char type, Stream& stream) {
  char buffer[256 + 2];
  size_t size = 0;
  if (type == kIpv4) size = sizeof(in_addr);
  if (type == kIpv6) size = sizeof(in6_addr);
  if (type == kName) {
    TRY_VOID(ReadExactly(stream, {buffer, 1}));
    size = static_cast<unsigned char>(buffer[0]);
  } else if (size == 0) {
    return Error(Code::kInvalidArgument, "an answer that is no SOCKS");
  }
  return ReadExactly(stream, {buffer, size + 2});
}

}  // namespace

bool IsSocks(const Url& proxy) { return proxy.scheme == "socks5" || proxy.scheme == "socks5h"; }

Result<void> OpenSocksTunnel(const Url& proxy, const std::string& host, uint16_t port,
                             Stream& stream) {
  TRY(const std::string request, ConnectRequest(host, port));
  std::string hello = {kVersion, 1, kNone};
  if (!proxy.user_info.empty()) hello = {kVersion, 2, kNone, kPassword};
  TRY_VOID(stream.Write(hello));
  char chosen[2];
  TRY_VOID(ReadExactly(stream, chosen));
  if (chosen[0] != kVersion) return Error(Code::kInvalidArgument, "an answer that is no SOCKS");
  if (chosen[1] == kPassword && !proxy.user_info.empty()) {
    TRY_VOID(SignIn(proxy, stream));
  } else if (chosen[1] != kNone) {
    return Error(Code::kUnauthenticated, "the proxy wants another way to sign in");
  }
  TRY_VOID(stream.Write(request));
  char answer[4];
  TRY_VOID(ReadExactly(stream, answer));
  if (answer[0] != kVersion) return Error(Code::kInvalidArgument, "an answer that is no SOCKS");
  if (answer[1] != 0) return Error(Code::kUnavailable, std::string(ReplyText(answer[1])));
  return SkipAddress(answer[3], stream);
}

}  // namespace podium::http
