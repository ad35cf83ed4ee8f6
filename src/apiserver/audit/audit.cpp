#include "apiserver/audit/audit.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "api/ip.h"
#include "api/object_meta.h"
#include "api/scheme.h"
#include "apiserver/authentication/token_review.h"
#include "apiserver/authorization/server_authorizer.h"
#include "base/text.h"
#include "http/pulled_body.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/object.h"
#include "reflect/protobuf.h"
#include "reflect/yaml.h"

namespace podium::apiserver {
namespace {

using api::audit::v1::Event;
using api::meta::v1::Status;
using reflect::JsonValue;

constexpr size_t kMostUserAgent = 1024;
// Of a list that is sent piece by piece: as much as the queue of the log would ever take.
constexpr size_t kMostPulled = size_t{16} << 20;
constexpr std::string_view kTruncated = "audit.k8s.io/truncated";
constexpr std::string_view kJson = "application/json";

api::MicroTime MicrosOf(int64_t nanos) { return api::MicroTime::FromUnixMicros(nanos / 1000); }

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Of "10.0.0.1:4711" and "[fd00::1]:4711".
std::string_view HostOf(std::string_view address) {
  std::string_view host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

// What proxies say, which a client may make up, then the other end of the connection itself
// (k8s.io/apimachinery/pkg/util/net, SourceIPs).
reflect::List<std::string> SourceIPs(const Call& call) {
  reflect::List<std::string> sources;
  for (const std::string_view each : Split(call.Header("X-Forwarded-For"), ',')) {
    if (const auto ip = api::ParseIP(Trimmed(each))) sources.push_back(ip->String());
  }
  if (const auto ip = api::ParseIP(call.Header("X-Real-Ip"))) {
    std::string text = ip->String();
    if (std::ranges::find(sources, text) == sources.end()) sources.push_back(std::move(text));
  }
  if (const auto ip = api::ParseIP(HostOf(call.remote))) {
    std::string text = ip->String();
    if (sources.empty() || sources.back() != text) sources.push_back(std::move(text));
  }
  return sources;
}

Event EventOf(const Call& call, const AuthorizationQuestion& question, AuditLevel level) {
  Event event;
  event.kind = "Event";
  event.apiVersion = "audit.k8s.io/v1";
  event.level = NameOf(level);
  event.auditID = call.audit_id;
  event.requestURI = call.uri;
  event.verb = question.verb;
  event.user = ToUserInfo(question.user);
  event.sourceIPs = SourceIPs(call);
  const std::string_view agent = call.Header("User-Agent");
  event.userAgent = agent.substr(0, kMostUserAgent);
  if (agent.size() > kMostUserAgent) event.userAgent += "...TRUNCATED";
  event.requestReceivedTimestamp = MicrosOf(call.received);
  if (question.is_resource) {
    auto& about = event.objectRef.ensure();
    about.resource = question.resource;
    about.namespace_ = question.namespace_;
    about.name = question.name;
    about.apiGroup = question.group;
    about.apiVersion = question.version;
    about.subresource = question.subresource;
  }
  return event;
}

// What the client has tried, in words.
std::string AttemptsOf(const Call& call, bool has_certificate) {
  std::vector<std::string_view> attempts;
  const std::string_view authorization = Trimmed(call.Header("Authorization"));
  const size_t space = authorization.find(' ');
  const std::string scheme = LowerCase(authorization.substr(0, space));
  if (space != authorization.npos && scheme == "basic") attempts.emplace_back("basic");
  if (space != authorization.npos && scheme == "bearer") attempts.emplace_back("bearer");
  if (!Trimmed(QueryValue(call.query, "access_token")).empty()) {
    attempts.emplace_back("access_token");
  }
  if (has_certificate) attempts.emplace_back("x509");
  return attempts.empty() ? "Authentication failed, no credentials provided"
                          : "Authentication failed, attempted: " + Join(attempts, ", ");
}

void EraseManagedFields(JsonValue* object) {
  JsonValue* metadata = object->Find("metadata");
  if (metadata != nullptr && metadata->is_object()) metadata->Erase("managedFields");
}

// Of an object, of those of a list, and of those in a table.
std::string WithoutManagedFields(std::string json) {
  auto tree = reflect::ParseJson(json);
  if (!tree.ok() || !tree->is_object()) return json;
  EraseManagedFields(&*tree);
  for (const std::string_view list : {"items", "rows"}) {
    JsonValue* elements = tree->Find(list);
    if (elements == nullptr || !elements->is_array()) continue;
    for (JsonValue& element : elements->array()) {
      JsonValue* object = list == "rows" ? element.Find("object") : &element;
      if (object != nullptr) EraseManagedFields(object);
    }
  }
  return reflect::ToText(*tree);
}

// The JSON of an answer in any of the server's forms; nothing for what has none.
std::optional<std::string> JsonOf(std::string_view content_type, std::string_view text) {
  if (content_type.starts_with(kJson)) return std::string(text);
  if (content_type.starts_with("application/yaml")) {
    auto document = reflect::YamlToJson(text, {.positions = false});
    if (document.ok()) return std::move(document->json);
  }
  if (content_type.starts_with("application/vnd.kubernetes.protobuf")) {
    const auto envelope = reflect::ReadEnvelope(text);
    if (!envelope.ok()) return std::nullopt;
    const reflect::Type* type = api::FindType(envelope->api_version, envelope->kind);
    if (type == nullptr) return std::nullopt;
    reflect::AnyObject object(*type);
    std::string json;
    if (reflect::DecodeEnveloped(text, *type, object.get()).ok() &&
        reflect::EncodeJson(*type, object.get(), &json).ok()) {
      return json;
    }
  }
  return std::nullopt;
}

// The Status that an answer is, if it is one; cheap when it is none.
std::optional<Status> StatusIn(std::string_view content_type, std::string_view text) {
  constexpr size_t kHead = 256;
  if (text.substr(0, kHead).find("Status") == text.npos) return std::nullopt;
  const auto json = JsonOf(content_type, text);
  if (!json) return std::nullopt;
  const auto header = reflect::ReadHeader(*json);
  if (!header.ok() || header->kind != "Status" || header->api_version != "v1") return std::nullopt;
  auto status = reflect::FromJson<Status>(*json, {.strict = false});
  if (!status.ok()) return std::nullopt;
  return *std::move(status);
}

// Hands a body on, and remembers it for the log.
class AuditedBody final : public http::PulledBody {
 public:
  AuditedBody(std::unique_ptr<http::PulledBody> body, std::shared_ptr<AuditRecord> record,
              std::string content_type, bool remembers)
      : body_(std::move(body)),
        record_(std::move(record)),
        content_type_(std::move(content_type)),
        remembers_(remembers) {}
  ~AuditedBody() override {
    if (remembers_) record_->SetResponse(content_type_, text_, is_cut_ || !is_whole_);
  }
  AuditedBody(const AuditedBody&) = delete;
  AuditedBody& operator=(const AuditedBody&) = delete;

  void Attach(http::BodyWaker waker) override { body_->Attach(std::move(waker)); }
  Result<http::BodyPiece> Next() override {
    TRY(const http::BodyPiece piece, body_->Next());
    is_whole_ = piece.then == http::BodyPiece::Then::kEnd;
    if (!remembers_ || is_cut_) return piece;
    is_cut_ = text_.size() + piece.bytes.size() > kMostPulled;
    if (is_cut_) {
      text_ = std::string();
    } else {
      text_ += piece.bytes;
    }
    return piece;
  }

 private:
  const std::unique_ptr<http::PulledBody> body_;
  const std::shared_ptr<AuditRecord> record_;
  const std::string content_type_;
  const bool remembers_;
  std::string text_;
  bool is_cut_ = false;
  bool is_whole_ = false;
};

bool IsLongRunning(const RequestInfo& info) {
  return info.verb == "watch" || info.verb == "proxy" || info.subresource == "attach" ||
         info.subresource == "exec" || info.subresource == "proxy" || info.subresource == "log" ||
         info.subresource == "portforward";
}

}  // namespace

AuditRule Audit::RuleFor(const AuthorizationQuestion& question) const {
  const AuditRule rule = policy_.RuleFor(question);
  by_level_[static_cast<size_t>(rule.level)].fetch_add(1, std::memory_order_relaxed);
  return rule;
}

std::shared_ptr<AuditRecord> Audit::Begin(const Call& call,
                                          const AuthorizationQuestion& question) const {
  const AuditRule rule = RuleFor(question);
  if (rule.level == AuditLevel::kNone) return nullptr;
  Event event = EventOf(call, question, rule.level);
  // What authentication has found out; the rest is not known at this stage.
  for (const auto& [key, value] : call.annotations) event.annotations.emplace(key, value);
  Write(event, rule, AuditStage::kRequestReceived);
  return std::make_shared<AuditRecord>(*this, rule, std::move(event));
}

void Audit::Refuse(const Call& call, bool has_certificate) const {
  const User nobody{.name = ""};
  const AuthorizationQuestion question = QuestionOf(nobody, call.info, call.query);
  const AuditRule rule = RuleFor(question);
  if (rule.level == AuditLevel::kNone) return;
  Event event = EventOf(call, question, rule.level);
  Status& status = event.responseStatus.ensure();
  status.message = AttemptsOf(call, has_certificate);
  status.code = 401;
  // As upstream: no other stage of these is told.
  Write(event, rule, AuditStage::kResponseStarted);
}

Audit::Counts Audit::counts() const {
  Counts counts;
  counts.events = events_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < 4; ++i) counts.by_level[i] = by_level_[i].load(std::memory_order_relaxed);
  counts.log = log_.counts();
  return counts;
}

void Audit::Write(Event& event, const AuditRule& rule, AuditStage stage) const {
  if (rule.Omits(stage)) return;
  event.stage = NameOf(stage);
  event.stageTimestamp = stage == AuditStage::kRequestReceived ? event.requestReceivedTimestamp
                                                               : MicrosOf(clock_.Now());
  events_.fetch_add(1, std::memory_order_relaxed);
  std::string line;
  if (!reflect::EncodeJson(reflect::TypeOf<Event>(), &event, &line).ok()) {
    // A body that is no JSON: a patch that was refused.
    event.requestObject.reset();
    event.responseObject.reset();
    line.clear();
    if (!reflect::EncodeJson(reflect::TypeOf<Event>(), &event, &line).ok()) return;
  }
  // What finds no room is counted and told by the log.
  (void)log_.Write(std::move(line));
}

AuditRecord::~AuditRecord() {
  if (finished_) return;
  if (!event_.responseStatus) {
    Status& status = event_.responseStatus.ensure();
    status.status = "Success";
    status.message = "Connection closed early";
    status.code = 200;
  }
  Finish();
}

void AuditRecord::Finish() {
  if (std::exchange(finished_, true)) return;
  audit_.Write(event_, rule_, AuditStage::kResponseComplete);
}

void AuditRecord::SetImpersonated(const User& user, std::string_view constraint) {
  event_.impersonatedUser.ensure() = ToUserInfo(user);
  if (constraint.empty()) return;
  event_.authenticationMetadata.ensure().impersonationConstraint = constraint;
}

void AuditRecord::SetRequest(const reflect::Type& type, const void* object) {
  if (const auto* metadata = api::FindObjectMeta(type, object); metadata != nullptr) {
    auto& about = event_.objectRef.ensure();
    if (about.namespace_.empty()) about.namespace_ = metadata->namespace_;
    if (about.name.empty()) about.name = metadata->name;
    if (about.uid.empty()) about.uid = metadata->uid;
    if (about.resourceVersion.empty()) about.resourceVersion = metadata->resourceVersion;
  }
  if (rule_.level < AuditLevel::kRequest || event_.requestObject) return;
  std::string json;
  if (reflect::EncodeJson(type, object, &json).ok()) SetRequest(std::move(json));
}

void AuditRecord::SetRequest(std::string json) {
  if (rule_.level < AuditLevel::kRequest || event_.requestObject || json.empty()) return;
  if (rule_.omit_managed_fields) json = WithoutManagedFields(std::move(json));
  event_.requestObject = reflect::RawJson{std::move(json)};
}

void AuditRecord::TakeAnnotations(const Call& call) {
  for (const auto& [key, value] : call.annotations) event_.annotations.emplace(key, value);
}

void AuditRecord::TakeStatus(const Status& status) {
  Status& told = event_.responseStatus.ensure();
  told.status = status.status;
  told.message = status.message;
  told.reason = status.reason;
  told.details = status.details;
}

void AuditRecord::Answer(const Call& call, apiserver::Answer* answer) {
  TakeAnnotations(call);
  const std::string* type = answer->headers.Find("Content-Type");
  const std::string content_type = type != nullptr ? *type : std::string();
  const bool tells = tells_response() && call.info.is_resource;
  if (answer->pulled == nullptr) {
    if (const auto status = StatusIn(content_type, answer->body)) TakeStatus(*status);
    if (tells) SetResponse(content_type, answer->body, false);
  } else {
    answer->pulled =
        std::make_unique<AuditedBody>(std::move(answer->pulled), shared_from_this(), content_type,
                                      tells && !IsLongRunning(call.info));
  }
  event_.responseStatus.ensure().code = answer->status;
  if (IsLongRunning(call.info)) audit_.Write(event_, rule_, AuditStage::kResponseStarted);
  if (answer->pulled == nullptr) Finish();
}

void AuditRecord::Answer(const Call& call, int status, const reflect::Type* type,
                         const void* object) {
  TakeAnnotations(call);
  if (type == &reflect::TypeOf<Status>()) TakeStatus(*static_cast<const Status*>(object));
  std::string json;
  if (tells_response() && type != nullptr && reflect::EncodeJson(*type, object, &json).ok()) {
    SetResponse(kJson, json, false);
  }
  event_.responseStatus.ensure().code = status;
  Finish();
}

void AuditRecord::AnswerList(const Call& call, std::string_view json, bool is_cut) {
  TakeAnnotations(call);
  if (tells_response()) SetResponse(kJson, json, is_cut);
  event_.responseStatus.ensure().code = 200;
  Finish();
}

void AuditRecord::Start(const Call& call, int status) {
  TakeAnnotations(call);
  event_.responseStatus.ensure().code = status;
  audit_.Write(event_, rule_, AuditStage::kResponseStarted);
}

void AuditRecord::SetResponse(std::string_view content_type, std::string_view text, bool is_cut) {
  if (is_cut) {
    event_.annotations.insert_or_assign(std::string(kTruncated), "true");
    return;
  }
  auto json = JsonOf(content_type, text);
  if (!json) return;
  if (rule_.omit_managed_fields) json = WithoutManagedFields(*std::move(json));
  event_.responseObject = reflect::RawJson{*std::move(json)};
}

}  // namespace podium::apiserver
