#include "apiserver/request_log.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "api/time.h"
#include "apiserver/metrics.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

void AppendMember(std::string_view key, std::string_view value, std::string* out) {
  *out += ",\"";
  *out += key;
  *out += "\":";
  reflect::AppendJsonString(value, out);
}

}  // namespace

void RequestLog::Note(const Call& call, int status) const {
  const int64_t now = clock_.Now();
  const int64_t took = now - call.received;
  const bool waits = call.info.verb == "watch" || call.info.verb == "proxy";
  const bool slow = !waits && took > options_.slow.count();
  if (!slow && !options_.all) return;
  std::string line = fmt::format("{{\"ts\":{}.{:03},\"msg\":\"{}\"", now / 1'000'000,
                                 now / 1000 % 1000, options_.all ? "HTTP" : "slow request");
  AppendMember("verb", LabelsOf(call, nullptr).verb, &line);
  AppendMember("URI", call.uri, &line);
  AppendMember("latency", api::Duration::FromNanos(took).String(), &line);
  AppendMember("userAgent", call.Header("User-Agent"), &line);
  AppendMember("audit-ID", call.audit_id, &line);
  AppendMember("srcIP", call.remote, &line);
  line += fmt::format(",\"resp\":{}}}", status);
  // What finds no room is counted and told by the log.
  (void)log_.Write(std::move(line));
}

}  // namespace podium::apiserver
