#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "api/object_meta.h"
#include "api/status.h"
#include "apiserver/custom_resources/custom_version.h"
#include "apiserver/encode.h"
#include "apiserver/request_options.h"
#include "apiserver/watch.h"
#include "reflect/json.h"
#include "reflect/protobuf.h"

namespace podium::apiserver {
namespace {

constexpr size_t kPiece = size_t{48} << 10;
constexpr size_t kIdlePiece = 1024;
constexpr int64_t kBookmarkSeconds = 60;
constexpr double kBookmarkJitter = 0.25;
// Before the end, so that a client goes on from there.
constexpr int64_t kLastBookmarkSeconds = 2;
// A watch of a definition that was changed or deleted ends within this.
constexpr int64_t kRetiredSeconds = 3;
constexpr std::string_view kInitialEventsEnd = "k8s.io/initial-events-end";

std::string_view NameOf(WatchEventType type) {
  switch (type) {
    case WatchEventType::kAdded:
      return "ADDED";
    case WatchEventType::kModified:
      return "MODIFIED";
    case WatchEventType::kDeleted:
      return "DELETED";
    case WatchEventType::kBookmark:
      break;
  }
  return "BOOKMARK";
}

// Writes events one behind the other: JSON in lines, protobuf behind its length in four bytes.
class EventWriter {
 public:
  EventWriter(const ServedResource& resource, ObjectEncoder encoder)
      : resource_(resource), encoder_(encoder) {}

  void SetNow(int64_t now) { encoder_.set_now(api::Time::FromUnix(now / kNanosPerSecond)); }

  Result<void> Append(const EntryEvent& event, std::string* out) {
    if (event.type == WatchEventType::kBookmark) return AppendBookmark(event, out);
    if (is_protobuf()) {
      object_.clear();
      TRY_VOID(encoder_.AppendProtobuf(*event.entry, ObjectEncoder::Place::kAlone, &object_));
      AppendFrame(NameOf(event.type), out);
      return {};
    }
    BeginLine(NameOf(event.type), out);
    if (is_table()) BeginTable(event.revision, out);
    TRY_VOID(encoder_.AppendJson(*event.entry, ObjectEncoder::Place::kAlone, out));
    out->append(is_table() ? "]}}\n" : "}\n");
    return {};
  }

  Result<void> AppendError(const Error& error, std::string* out) {
    const api::meta::v1::Status status = api::StatusOf(error);
    const reflect::Type& type = reflect::TypeOf<api::meta::v1::Status>();
    if (is_protobuf()) {
      object_.clear();
      TRY_VOID(reflect::EncodeEnveloped(type, &status, &object_));
      AppendFrame("ERROR", out);
      return {};
    }
    BeginLine("ERROR", out);
    TRY_VOID(reflect::EncodeJson(type, &status, out));
    out->append("}\n");
    return {};
  }

 private:
  bool is_protobuf() const { return encoder_.form().media == Media::kProtobuf; }
  bool is_table() const { return encoder_.form().view == View::kTable; }

  // An object that has nothing but its version.
  Result<void> AppendBookmark(const EntryEvent& event, std::string* out) {
    const reflect::Type& type = *resource_.type;
    reflect::AnyObject object(type);
    const std::string header =
        R"({"kind":")" + resource_.kind + R"(","apiVersion":")" + resource_.api_version + R"("})";
    TRY_VOID(reflect::DecodeJsonInto(header, type, object.get(), {.strict = false}));
    if (auto* metadata = api::EnsureObjectMeta(type, object.get())) {
      metadata->resourceVersion = std::to_string(event.revision);
      if (event.initial_events_end) metadata->annotations[std::string(kInitialEventsEnd)] = "true";
    }
    if (is_protobuf()) {
      object_.clear();
      TRY_VOID(encoder_.AppendProtobuf(type, object.get(), &object_));
      AppendFrame(NameOf(event.type), out);
      return {};
    }
    BeginLine(NameOf(event.type), out);
    if (is_table()) BeginTable(event.revision, out);
    TRY_VOID(encoder_.AppendJson(type, object.get(), out));
    out->append(is_table() ? "]}}\n" : "}\n");
    return {};
  }

  static void BeginLine(std::string_view type, std::string* out) {
    out->append(R"({"type":")").append(type).append(R"(","object":)");
  }

  // Only the first one says what its columns are.
  void BeginTable(store::Revision revision, std::string* out) {
    out->append(R"({"kind":"Table","apiVersion":")").append(ViewVersion(encoder_.form()));
    out->append(R"(","metadata":{"resourceVersion":")").append(std::to_string(revision));
    out->append("\"},");
    out->append(std::exchange(has_columns_, true) ? "\"columnDefinitions\":null"
                                                  : encoder_.ColumnsJson());
    out->append(",\"rows\":[");
  }

  static void AppendLength(size_t size, std::string* out) {
    for (; size >= 0x80; size >>= 7) out->push_back(static_cast<char>(size | 0x80));
    out->push_back(static_cast<char>(size));
  }

  // WatchEvent: the type, and a RawExtension that has object_.
  void AppendFrame(std::string_view type, std::string* out) {
    std::string inner = "\x0a";
    AppendLength(object_.size(), &inner);
    std::string event = "\x0a";
    AppendLength(type.size(), &event);
    event.append(type).push_back('\x12');
    AppendLength(inner.size() + object_.size(), &event);
    event.append(inner);
    const size_t size = event.size() + object_.size();
    for (const int shift : {24, 16, 8, 0}) out->push_back(static_cast<char>(size >> shift));
    out->append(event).append(object_);
  }

  const ServedResource& resource_;
  ObjectEncoder encoder_;
  bool has_columns_ = false;
  std::string object_;
};

class WatchBody : public http::PulledBody {
 public:
  // The request itself is not needed any more: ten thousand watches do not keep theirs.
  WatchBody(std::shared_ptr<const void> keeps_alive, const WatchRoom& room,
            const ServedResource& resource, ObjectEncoder encoder)
      : keeps_alive_(std::move(keeps_alive)),
        room_(room),
        custom_(resource.custom.get()),
        writer_(resource, encoder) {}

  ~WatchBody() override {
    watch_.reset();
    if (timer_ != 0) room_.executor.Cancel(timer_);
  }

  // Errors are answers, but for a place that is gone: that is told as an event, as upstream's
  // watch cache does.
  Result<void> Start(const WatchRequest& request) {
    auto watch = EntryWatch::Create(room_.store, request, [this] { waker_.Wake(); });
    if (!watch.ok() && watch.error().code() != Code::kExpired) return std::move(watch).error();
    if (watch.ok()) {
      watch_ = *std::move(watch);
    } else {
      error_ = std::move(watch).error();
    }
    const int64_t now = room_.clock.Now();
    deadline_ = now + static_cast<int64_t>(LifeOf(request.options) * kNanosPerSecond);
    if (request.options.allowWatchBookmarks) PlanBookmark(now);
    return {};
  }

  void Attach(http::BodyWaker waker) override {
    waker_ = std::move(waker);
    SetTimer(room_.clock.Now());
  }

  Result<http::BodyPiece> Next() override {
    using Then = http::BodyPiece::Then;
    piece_.clear();
    const int64_t now = room_.clock.Now();
    const bool retired = custom_ != nullptr && custom_->retired->load();
    if (over_ || retired || now >= deadline_) return http::BodyPiece{{}, Then::kEnd};
    writer_.SetNow(now);
    bool more = watch_ != nullptr;
    store::Revision revision = 0;
    while (more && piece_.size() < kPiece) {
      auto batch = watch_->Take();
      if (!batch.ok()) {
        error_ = std::move(batch).error();
        break;
      }
      for (const EntryEvent& event : batch->events) TRY_VOID(writer_.Append(event, &piece_));
      revision = batch->revision;
      more = batch->more;
    }
    if (error_) {
      over_ = true;
      TRY_VOID(writer_.AppendError(*error_, &piece_));
      return http::BodyPiece{piece_, Then::kEnd};
    }
    if (!more && now >= bookmark_) {
      TRY_VOID(writer_.Append({.type = WatchEventType::kBookmark, .revision = revision}, &piece_));
      PlanBookmark(now);
    }
    if (more || !piece_.empty()) return http::BodyPiece{piece_, Then::kMore};
    // Ten thousand watches that wait hold no room for what they once sent.
    if (piece_.capacity() > kIdlePiece) std::string().swap(piece_);
    SetTimer(now);
    return http::BodyPiece{{}, Then::kWait};
  }

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  double LifeOf(const api::meta::v1::ListOptions& options) const {
    constexpr int64_t kLongest = int64_t{1} << 32;
    const int64_t asked = options.timeoutSeconds.value_or(0);
    if (asked != 0) return static_cast<double>(std::clamp<int64_t>(asked, 0, kLongest));
    return static_cast<double>(room_.min_request_seconds) * (1 + room_.random());
  }

  void PlanBookmark(int64_t now) {
    bookmark_ = now + static_cast<int64_t>(static_cast<double>(kBookmarkSeconds * kNanosPerSecond) *
                                           (1 + kBookmarkJitter * room_.random()));
    const int64_t last = deadline_ - kLastBookmarkSeconds * kNanosPerSecond;
    if (last > now) bookmark_ = std::min(bookmark_, last);
  }

  // For what happens without a change: a bookmark, the end.
  void SetTimer(int64_t now) {
    int64_t next = std::min(bookmark_, deadline_);
    // Nothing else tells that a definition has changed.
    if (custom_ != nullptr) next = std::min(next, now + kRetiredSeconds * kNanosPerSecond);
    if (timer_ != 0 && next == timer_at_ && now < timer_at_) return;
    if (timer_ != 0) room_.executor.Cancel(timer_);
    timer_at_ = next;
    timer_ = room_.executor.PostAfter(std::chrono::nanoseconds(std::max<int64_t>(next - now, 0)),
                                      [waker = waker_] { waker.Wake(); });
  }

  const std::shared_ptr<const void> keeps_alive_;
  const WatchRoom& room_;
  const CustomVersion* const custom_;  // null: built-in
  EventWriter writer_;
  http::BodyWaker waker_;
  int64_t deadline_ = kNever;
  int64_t bookmark_ = kNever;
  int64_t timer_at_ = kNever;
  Executor::TimerId timer_ = 0;
  bool over_ = false;
  std::optional<Error> error_;
  std::string piece_;
  std::unique_ptr<EntryWatch> watch_;
};

Result<Answer> WatchAnswer(const CallPtr& call, const WatchRoom& room,
                           const ServedResource& resource,
                           std::shared_ptr<const void> keeps_alive) {
  WatchRequest request{.resource = &resource,
                       .namespace_ = std::string(call->info.namespace_),
                       .name = std::string(call->info.name)};
  TRY(request.options, OptionsOfQuery<api::meta::v1::ListOptions>(call->query));
  OutputRules rules = RulesOf(resource);
  rules.streams = true;
  // As upstream: what a list by way of a watch begins with would be a table for each object.
  if (request.options.sendInitialEvents.value_or(false) && request.options.allowWatchBookmarks) {
    rules.table = false;
  }
  TRY(const OutputForm form, NegotiateStream(*call, rules));
  TRY(const api::IncludeObject include, ReadTableOptions(*call, form));
  auto body = std::make_unique<WatchBody>(std::move(keeps_alive), room, resource,
                                          ObjectEncoder(resource, form, include, TimeOf(*call)));
  TRY_VOID(body->Start(request));
  Answer answer;
  std::string type(MediaTypeOf(form.media));
  if (form.media != Media::kJson) type += ";stream=watch";
  answer.headers.Add("Content-Type", type);
  answer.pulled = std::move(body);
  return answer;
}

}  // namespace

Answer AnswerWatch(const CallPtr& call, const WatchRoom& room, const ServedResource& resource,
                   std::shared_ptr<const void> keeps_alive) {
  auto answer = WatchAnswer(call, room, resource, std::move(keeps_alive));
  return answer.ok() ? std::move(*answer) : AnswerWithError(*call, answer.error());
}

}  // namespace podium::apiserver
