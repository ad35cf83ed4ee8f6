// The audit log: who asked for what, when, and what became of it, as upstream's API server writes
// it (k8s.io/apiserver/pkg/audit and pkg/endpoints/filters, release 1.36): one Event of
// audit.k8s.io/v1 for each stage of a request, in JSON, one to a line.
//
//   call.audit = audit.Begin(call, question);        // RequestReceived; null: not logged
//   …
//   if (call.audit) call.audit->Answer(call, &answer);  // then its end: ResponseComplete
//
// Without a policy there is no Audit, and a request costs one comparison more.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "api/types/audit_v1.h"
#include "apiserver/audit/policy.h"
#include "apiserver/authorization/authorizer.h"
#include "apiserver/call.h"
#include "apiserver/line_log.h"
#include "base/clock.h"
#include "reflect/type.h"

namespace podium::apiserver {

// Threads: any.
class Audit {
 public:
  // Both outlive it, and it outlives its records.
  Audit(AuditPolicy policy, LineLog& log, const Clock& clock)
      : policy_(std::move(policy)), log_(log), clock_(clock) {}

  // Of a call whose user is known, before anything else is done for it. `question` is what the
  // client itself asks for.
  std::shared_ptr<AuditRecord> Begin(const Call& call, const AuthorizationQuestion& question) const;
  // Of a call whose client is nobody that the server knows, which is answered with 401.
  void Refuse(const Call& call, bool has_certificate) const;

  struct Counts {
    uint64_t events = 0;
    uint64_t by_level[4] = {};  // requests
    LineLog::Counts log;
  };
  Counts counts() const;

 private:
  friend class AuditRecord;
  AuditRule RuleFor(const AuthorizationQuestion& question) const;
  void Write(api::audit::v1::Event& event, const AuditRule& rule, AuditStage stage) const;

  const AuditPolicy policy_;
  LineLog& log_;
  const Clock& clock_;
  mutable std::atomic<uint64_t> events_ = 0;
  mutable std::atomic<uint64_t> by_level_[4] = {};
};

// What is said of one request. Threads: one at a time, as of its call. Who has an answer under way
// (a watch) holds it: ResponseComplete is written at the end of that, and otherwise with the
// answer, before the client can have it, so that what a client does next stands below. A record
// without an answer ends with `Connection closed early`.
class AuditRecord : public std::enable_shared_from_this<AuditRecord> {
 public:
  AuditRecord(const Audit& audit, AuditRule rule, api::audit::v1::Event event)
      : audit_(audit), rule_(rule), event_(std::move(event)) {}
  ~AuditRecord();
  AuditRecord(const AuditRecord&) = delete;
  AuditRecord& operator=(const AuditRecord&) = delete;

  // `constraint` is the verb that allowed it; "" in the legacy way.
  void SetImpersonated(const User& user, std::string_view constraint);
  // The body, as it was decoded or, of a patch, as its JSON. The first one counts.
  void SetRequest(const reflect::Type& type, const void* object);
  void SetRequest(std::string json);

  // What the call is answered with. A body that is pulled is looked at as it goes by, and holds the
  // record until its end. Once.
  void Answer(const Call& call, apiserver::Answer* answer);
  // The answer to a call of this process: null for what is not shown.
  void Answer(const Call& call, int status, const reflect::Type* type, const void* object);
  // The answer to a call of this process that is a list, as JSON.
  void AnswerList(const Call& call, std::string_view json, bool is_cut);
  // A long-running request is answered, and its stream goes on: until the record ends.
  void Start(const Call& call, int status);
  // Whether the object that is answered is to be told.
  bool tells_response() const { return rule_.level == AuditLevel::kRequestResponse; }
  // `text` of a media type, which may be cut off: then the event has the annotation
  // audit.k8s.io/truncated.
  void SetResponse(std::string_view content_type, std::string_view text, bool is_cut);

 private:
  void TakeAnnotations(const Call& call);
  void TakeStatus(const api::meta::v1::Status& status);
  // Writes ResponseComplete. Once.
  void Finish();

  const Audit& audit_;
  const AuditRule rule_;
  api::audit::v1::Event event_;
  bool finished_ = false;
};

}  // namespace podium::apiserver
