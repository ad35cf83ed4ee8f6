#include "controllers/legacy_tokens.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "controllers/delete_as_read.h"
#include "controllers/keyed_work.h"
#include "reflect/copy.h"
#include "reflect/json.h"

namespace podium::controllers {
namespace {

using api::core::v1::ConfigMap;
using api::core::v1::Pod;
using api::core::v1::Secret;
using api::core::v1::ServiceAccount;
using client::Reconciled;
using client::SharedObject;

constexpr std::string_view kName = "legacy-serviceaccount-token-cleaner-controller";
constexpr const char* kType = "kubernetes.io/service-account-token";
constexpr const char* kLastUsed = "kubernetes.io/legacy-token-last-used";
constexpr const char* kInvalidSince = "kubernetes.io/legacy-token-invalid-since";
constexpr const char* kAccountName = "kubernetes.io/service-account.name";
constexpr const char* kAccountUid = "kubernetes.io/service-account.uid";
constexpr const char* kTracking = "kube-apiserver-legacy-service-account-token-tracking";
constexpr const char* kSince = "since";
// The key of the ConfigMap and of the look over all Secrets; others are "namespace/name".
constexpr const char* kAll = "";
constexpr std::chrono::hours kPeriod{24};
constexpr int64_t kDay = int64_t{24} * 3600;
constexpr int64_t kUnusedFor = 365 * kDay;

// 2026-03-14
std::string DateOf(int64_t seconds) {
  constexpr size_t kDateLength = 10;
  return api::Time::FromUnix(seconds).String().substr(0, kDateLength);
}

// Its first second.
std::optional<int64_t> ParseDate(const std::string& date) {
  const auto time = api::Time::Parse(date + "T00:00:00Z");
  if (!time.ok() || DateOf(time->unix_seconds()) != date) return std::nullopt;
  return time->unix_seconds();
}

std::string ValueOf(const reflect::Map<std::string>& values, const char* name) {
  const auto found = values.find(name);
  return found == values.end() ? "" : found->second;
}

bool IsListed(const ServiceAccount& account, const std::string& secret) {
  return std::ranges::any_of(account.secrets,
                             [&](const auto& reference) { return reference.name == secret; });
}

class LegacyTokensController final : public LegacyTokens {
 public:
  explicit LegacyTokensController(const ControllerContext& context)
      : connection_(*context.connection),
        clock_(*context.clock),
        secrets_(context.informers->For<Secret>()),
        accounts_(context.informers->For<ServiceAccount>()),
        pods_(context.informers->For<Pod>()),
        work_(context, kName, 1, [this](const std::string& key) { return Sync(key); }) {}

  std::string_view name() const override { return kName; }
  void Start() override {
    for (client::Informer* informer : {&secrets_, &accounts_, &pods_}) work_.Follow(*informer, {});
    work_.Add(kAll);
    work_.Open();
  }
  void NoteUse(std::string_view name_space, std::string_view secret) override {
    work_.Add(std::string(name_space) + "/" + std::string(secret));
  }

 private:
  Result<Reconciled> Sync(const std::string& key) {
    if (key != kAll) {
      TRY_VOID(Label(SplitKey(key), "", kLastUsed));
      return Reconciled();
    }
    TRY(const int64_t since, TrackedSince());
    // The day that it began on is not whole.
    if (Now() >= since + kDay + kUnusedFor) TRY_VOID(LookOver());
    return Reconciled{.requeue_after = kPeriod};
  }
  Result<int64_t> TrackedSince();
  Result<void> LookOver();
  Result<void> Label(const client::ObjectKey& key, const std::string& uid, const char* label);
  bool IsNamed(const std::string& name_space, const std::string& secret) const;
  int64_t Now() const { return clock_.Now() / kNanosPerSecond; }

  client::Connection& connection_;
  const Clock& clock_;
  client::Informer& secrets_;
  client::Informer& accounts_;
  client::Informer& pods_;
  KeyedWork work_;
};

// Begins today where nobody has begun, or nobody knows when, or in days that are yet to come.
Result<int64_t> LegacyTokensController::TrackedSince() {
  const client::ObjectKey key{"kube-system", kTracking};
  TRY(client::Target target, client::TargetOf(reflect::TypeOf<ConfigMap>(), key));
  const auto got = connection_.Get(target, {});
  if (!got.ok() && got.error().code() != Code::kNotFound) return got.error();
  ConfigMap map;
  if (got.ok()) {
    map = reflect::Copy(*got->As<ConfigMap>());
    const auto since = ParseDate(ValueOf(map.data, kSince));
    if (since && *since <= Now()) return *since;
  }
  const std::string today = DateOf(Now());
  map.metadata.namespace_ = key.namespace_;
  map.metadata.name = key.name;
  map.data[kSince] = today;
  if (got.ok()) {
    TRY_VOID(connection_.Update(target, map, {}));
  } else {
    target.name.clear();
    TRY_VOID(connection_.Create(target, map, {}));
  }
  return *ParseDate(today);
}

Result<void> LegacyTokensController::LookOver() {
  for (const SharedObject& each : secrets_.List()) {
    const auto secret = each.As<Secret>();
    const auto& metadata = secret->metadata;
    const auto account = accounts_.Get<ServiceAccount>(
        {metadata.namespace_, ValueOf(metadata.annotations, kAccountName)});
    const LegacyTokenFate fate =
        DecideLegacyToken({.secret = secret.get(),
                           .account = account.get(),
                           .is_named = [&] { return IsNamed(metadata.namespace_, metadata.name); },
                           .now = Now()});
    if (fate == LegacyTokenFate::kBecomesInvalid) {
      TRY_VOID(Label({metadata.namespace_, metadata.name}, metadata.uid, kInvalidSince));
    }
    if (fate == LegacyTokenFate::kIsDeleted) {
      TRY(const client::Target target,
          client::TargetOf(reflect::TypeOf<Secret>(), {metadata.namespace_, ""}));
      TRY_VOID(DeleteAsRead(connection_, target, metadata));
    }
  }
  return {};
}

// Of today. A Secret that is gone meanwhile needs none.
Result<void> LegacyTokensController::Label(const client::ObjectKey& key, const std::string& uid,
                                           const char* label) {
  TRY(const client::Target target, client::TargetOf(reflect::TypeOf<Secret>(), key));
  std::string patch = R"({"metadata":{)";
  if (!uid.empty()) patch += R"("uid":")" + uid + R"(",)";
  patch += R"("labels":{")" + std::string(label) + R"(":")" + DateOf(Now()) + R"("}}})";
  const auto patched = connection_.Patch(target, client::PatchType::kMerge, patch, {});
  if (patched.ok()) return {};
  const Code code = patched.error().code();
  if (code == Code::kNotFound || code == Code::kConflict) return {};
  return patched.error();
}

// Anywhere, as whatever: a pod that only seems to name it keeps it as well. Seldom asked.
bool LegacyTokensController::IsNamed(const std::string& name_space,
                                     const std::string& secret) const {
  const std::string quoted = '"' + secret + '"';
  return std::ranges::any_of(pods_.List(name_space), [&](const SharedObject& each) {
    const auto text = reflect::ToJson(each.As<Pod>()->spec);
    return !text.ok() || text->contains(quoted);
  });
}

}  // namespace

LegacyTokenFate DecideLegacyToken(const LegacyTokenFacts& facts) {
  const auto& metadata = facts.secret->metadata;
  const int64_t old = facts.now - kUnusedFor;
  const std::string old_date = DateOf(old);
  if (facts.secret->type != kType || metadata.deletionTimestamp) return LegacyTokenFate::kStays;
  if (metadata.creationTimestamp.unix_seconds() >= old) return LegacyTokenFate::kStays;
  if (const auto used = metadata.labels.find(kLastUsed); used != metadata.labels.end()) {
    if (!ParseDate(used->second) || used->second >= old_date) return LegacyTokenFate::kStays;
  }
  // Made by a controller is what its account lists.
  const std::string uid = ValueOf(metadata.annotations, kAccountUid);
  const bool is_generated = facts.account != nullptr &&
                            (uid.empty() || uid == facts.account->metadata.uid) &&
                            IsListed(*facts.account, metadata.name);
  if (!is_generated || facts.is_named()) return LegacyTokenFate::kStays;
  const std::string invalid = ValueOf(metadata.labels, kInvalidSince);
  if (!ParseDate(invalid)) return LegacyTokenFate::kBecomesInvalid;
  return invalid >= old_date ? LegacyTokenFate::kStays : LegacyTokenFate::kIsDeleted;
}

std::unique_ptr<LegacyTokens> MakeLegacyTokens(const ControllerContext& context) {
  return std::make_unique<LegacyTokensController>(context);
}

}  // namespace podium::controllers
