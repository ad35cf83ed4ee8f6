#include "node/network_probes.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::node {

std::string HttpCall::Url() const {
  const bool brackets = host.contains(':') && !host.starts_with('[');
  std::string out = tls ? "https://" : "http://";
  out += brackets ? "[" + host + "]" : host;
  out += ":" + std::to_string(port);
  if (!path.starts_with('/')) out += '/';
  return out + path;
}

bool HttpCall::Has(std::string_view name) const {
  return std::ranges::any_of(
      headers, [&](const auto& header) { return EqualsIgnoringCase(header.first, name); });
}

Result<NetworkProbes::Reply> HttpGetAndWait(NetworkProbes& network, HttpCall call) {
  struct Waiting {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<Result<NetworkProbes::Reply>> reply;
  };
  const auto waiting = std::make_shared<Waiting>();
  network.HttpGet(std::move(call), [waiting](Result<NetworkProbes::Reply> reply) {
    const std::lock_guard lock(waiting->mutex);
    waiting->reply = std::move(reply);
    waiting->came.notify_all();
  });
  std::unique_lock lock(waiting->mutex);
  waiting->came.wait(lock, [&] { return waiting->reply.has_value(); });
  return *std::move(waiting->reply);
}

Result<uint16_t> ResolvePort(const api::IntOrString& port, const v1::Container& container) {
  int64_t number = 0;
  if (port.is_string()) {
    for (const v1::ContainerPort& each : container.ports) {
      if (each.name == port.str_val) number = each.containerPort;
    }
    if (number == 0) {
      const char* end = port.str_val.data() + port.str_val.size();
      const auto read = std::from_chars(port.str_val.data(), end, number);
      if (read.ec != std::errc() || read.ptr != end) {
        return Error(
            Code::kInvalidArgument,
            "strconv.Atoi: parsing " + reflect::GoQuoted(port.str_val) + ": invalid syntax");
      }
    }
  } else {
    number = port.IntValue();
  }
  if (number < 1 || number > 65535) {
    return Error(Code::kInvalidArgument, "invalid port number: " + std::to_string(number));
  }
  return static_cast<uint16_t>(number);
}

Result<HttpCall> MakeHttpCall(const v1::HTTPGetAction& action, const v1::Container& container,
                              const std::string& address, std::string_view purpose,
                              std::chrono::seconds timeout) {
  HttpCall call;
  call.tls = action.scheme == "HTTPS";
  call.host = action.host.empty() ? address : action.host;
  if (call.host.empty()) return Error(Code::kUnavailable, "the pod has no address yet");
  TRY(call.port, ResolvePort(action.port, container));
  call.path = action.path;
  for (const v1::HTTPHeader& header : action.httpHeaders) {
    call.headers.emplace_back(header.name, header.value);
  }
  if (!call.Has("User-Agent")) {
    call.headers.emplace_back("User-Agent", "kube-" + std::string(purpose) + "/1.36");
  }
  const auto accept = std::ranges::find_if(
      call.headers, [](const auto& header) { return EqualsIgnoringCase(header.first, "Accept"); });
  if (accept == call.headers.end()) {
    call.headers.emplace_back("Accept", "*/*");
  } else if (accept->second.empty()) {
    // Who gives it without a value wants none sent.
    std::erase_if(call.headers,
                  [](const auto& header) { return EqualsIgnoringCase(header.first, "Accept"); });
  }
  call.timeout = timeout;
  return call;
}

}  // namespace podium::node
