// Probes, and the URLs of those over HTTP.
#include <string>
#include <string_view>

#include "api/describe/parts.h"
#include "api/printed_text.h"
#include "base/ascii.h"
#include "base/text.h"

namespace podium::api {
namespace {

using core::v1::Probe;

// What Go's net/url leaves as it is, beside letters and digits.
constexpr std::string_view kPlainInHost = "-_.~!$&'()*+,;=:[]<>\"";
constexpr std::string_view kPlainInPath = "-_.~$&+,/:;=@";

std::string PercentEncoded(std::string_view text, std::string_view plain) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (IsLetterOrDigit(c) || plain.find(c) != plain.npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.append(1, '%').append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    }
  }
  return out;
}

std::string UrlOf(const core::v1::HTTPGetAction& get) {
  std::string out = LowerCase(get.scheme);
  if (!out.empty()) out += ':';
  out += "//" + PercentEncoded(HostPort(get.host, get.port.String()), kPlainInHost);
  if (!get.path.empty() && !get.path.starts_with('/')) out += '/';
  return out + (get.path == "*" ? get.path : PercentEncoded(get.path, kPlainInPath));
}

std::string ActionOf(const Probe& probe) {
  if (probe.exec) return "exec " + GoText(probe.exec->command);
  if (probe.httpGet) return "http-get " + UrlOf(*probe.httpGet);
  if (probe.tcpSocket) {
    return "tcp-socket " + probe.tcpSocket->host + ':' + probe.tcpSocket->port.String();
  }
  if (probe.grpc) {
    return "grpc <pod>:" + std::to_string(probe.grpc->port) + ' ' +
           probe.grpc->service.value_or("");
  }
  return "unknown";
}

}  // namespace

std::string ProbeText(const Probe& probe) {
  return ActionOf(probe) + " delay=" + std::to_string(probe.initialDelaySeconds) +
         "s timeout=" + std::to_string(probe.timeoutSeconds) +
         "s period=" + std::to_string(probe.periodSeconds) +
         "s #success=" + std::to_string(probe.successThreshold) +
         " #failure=" + std::to_string(probe.failureThreshold);
}

}  // namespace podium::api
