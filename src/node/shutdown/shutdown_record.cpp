#include "node/shutdown/shutdown_record.h"

#include <utility>

#include "api/time.h"
#include "node/files.h"
#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::node {
namespace {

using reflect::JsonValue;

constexpr size_t kMaxFileBytes = 4096;
constexpr mode_t kFileMode = 0644;
constexpr const char* kStart = "startTime";
constexpr const char* kEnd = "endTime";

// 0 where there is none.
Result<int64_t> TimeIn(const JsonValue& state, const char* key) {
  const JsonValue* text = state.Find(key);
  if (!text) return 0;
  TRY(const api::Time time, api::Time::Parse(text->string()));
  return time.unix_seconds();
}

}  // namespace

ShutdownRecord::ShutdownRecord(const Services& services, const std::string& data_dir)
    : services_(services), path_(data_dir + "/graceful_node_shutdown_state") {}

Result<void> ShutdownRecord::Load() {
  const auto text = ReadSmallFile(path_, kMaxFileBytes);
  if (!text.ok()) {
    if (text.error().code() == Code::kNotFound) return {};
    return text.error();
  }
  TRY(const JsonValue state, reflect::ParseJson(*text));
  if (!state.is_object()) return Error(Code::kInvalidArgument, path_ + ": not an object");
  TRY(const int64_t start, TimeIn(state, kStart));
  TRY(const int64_t end, TimeIn(state, kEnd));
  services_.start.Set(start);
  services_.end.Set(end);
  return {};
}

Result<void> ShutdownRecord::Begin() {
  services_.start.Set(Seconds());
  services_.end.Set(0);
  return Keep();
}

Result<void> ShutdownRecord::End() {
  if (services_.start.value() == 0 || services_.end.value() != 0) return {};
  services_.end.Set(Seconds());
  return Keep();
}

Result<void> ShutdownRecord::Keep() {
  JsonValue state = JsonValue::Of(JsonValue::Object());
  const auto set = [&](const char* key, int64_t seconds) {
    if (seconds != 0) state.Set(key, JsonValue::String(api::Time::FromUnix(seconds).String()));
  };
  set(kStart, services_.start.value());
  set(kEnd, services_.end.value());
  return WriteFile(path_, reflect::ToText(state), kFileMode);
}

}  // namespace podium::node
